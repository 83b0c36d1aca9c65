"""What commands talk to: `POST /{operation}` with its parameters as JSON, over a socket that only the owner can open.

The answer is `{"result": ...}`, or `{"error": {"message", "field"}}` with 400 for what was asked wrongly, 404 for what
does not exist, 409 for what cannot be now and 500 for what we did wrong.
"""

from __future__ import annotations

from typing import Any

import msgspec
import structlog

from heard import operations
from heard.errors import HeardError, Invalid, NotFound
from heard.installation import Installation

log = structlog.get_logger()


class Control:
    """A raw ASGI application; whoever can open its socket may do everything."""

    def __init__(self, app: Installation) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        status, answer = await self._answer(scope, await _body(receive))
        body = msgspec.json.encode(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Any, body: bytes) -> tuple[int, Any]:
        if scope["method"] != "POST":
            return 405, _error("Send a POST.")
        try:
            parameters = msgspec.json.decode(body or b"{}", type=dict[str, Any])
            return 200, {"result": await operations.run(self._app, scope["path"].strip("/"), parameters)}
        except msgspec.MsgspecError as problem:
            return 400, _error(f"Send the parameters as a JSON object: {problem}.")
        except Invalid as problem:
            return 400, _error(str(problem), problem.field)
        except NotFound as problem:
            return 404, _error(str(problem))
        except HeardError as problem:
            return 409, _error(str(problem))
        except Exception:
            log.exception("operation_failed", operation=scope["path"])
            return 500, _error("Heard failed to do this. The log of the server says why.")


def _error(message: str, field: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "field": field}}


async def _body(receive: Any) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
