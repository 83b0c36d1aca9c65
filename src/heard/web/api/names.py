"""Names in paths: a userId or a campaign's name may hold any character, a slash included.

Servers hand paths on decoded, where `org%2Fann` and `org/ann` look alike. Below `/api/` the path is put back as it was
sent, so that the router sees one segment, and the handlers read the name from it.
"""

from __future__ import annotations

from urllib.parse import unquote

from litestar.types import ASGIApp, Receive, Scope, Send

BELOW = b"/api/"


def as_sent(app: ASGIApp) -> ASGIApp:
    """The application, with the paths of the API as they were sent."""

    async def keep(scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path", b"").partition(b"?")[0]
        if raw.startswith(BELOW) and b"%" in raw:
            scope["path"] = raw.decode("ascii")
        await app(scope, receive, send)

    return keep


def name(segment: str) -> str:
    """The name that a segment of such a path stands for."""
    return unquote(segment)
