"""Whoever asks is heard out before they are answered.

An answer that leaves before the request has come whole (405 to a TRACE with a body, say) closes a connection on which
something is unread, and the system then takes the answer back: the one in front of us would see no answer at all.
"""

from __future__ import annotations

from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

MOST_IGNORED = 16 << 20  # octets of a body that nobody wanted


def heard_out(app: ASGIApp) -> ASGIApp:
    """The application, whose answers begin when the request has ended."""

    async def patiently(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        more = True
        ignored = 0

        async def received() -> Any:
            nonlocal more
            message = await receive()
            more = message["type"] == "http.request" and message.get("more_body", False)
            return message

        async def answered(message: Any) -> None:
            nonlocal ignored
            while more and message["type"] == "http.response.start" and ignored < MOST_IGNORED:
                ignored += len((await received()).get("body", b""))
            await send(message)

        await app(scope, received, answered)

    return patiently
