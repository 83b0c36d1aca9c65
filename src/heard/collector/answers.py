"""Every answer of the collector, in the forms that all Segment libraries understand.

Exactly 200 and never 201 to 204 or a redirect; a JSON object on every status; `code` and `message` (Python), `error`
(Ruby, Go, Java) in every refusal.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

Send = Callable[[Any], Awaitable[None]]
Header = tuple[bytes, bytes]
Headers = list[Header]

CORS: Header = (b"access-control-allow-origin", b"*")
JSON: Header = (b"content-type", b"application/json")


class Answer(NamedTuple):
    """An answer as the two messages of ASGI and as the bytes on the wire, made once and sent often."""

    status: int
    start: dict[str, Any]
    body: dict[str, Any]
    wire: bytes

    async def to(self, send: Send) -> None:
        await send(self.start)
        await send(self.body)


def answer(status: int, body: bytes, headers: Iterable[Header] = ()) -> Answer:
    sized = [*headers, (b"content-length", b"%d" % len(body))] if status not in (204, 304) else list(headers)
    return Answer(
        status,
        {"type": "http.response.start", "status": status, "headers": sized},
        {"type": "http.response.body", "body": body},
        b"".join([STATUS_LINE[status], *(name + b": " + value + b"\r\n" for name, value in sized), b"\r\n", body]),
    )


def refusal(status: int, code: str, message: str, headers: Iterable[Header] = ()) -> Answer:
    """An error of the tracking API: open to every origin, since browsers send here from the customer's own site."""
    words = {"success": False, "code": code, "message": message, "error": message}
    return answer(status, msgspec.json.encode(words), (JSON, CORS, *headers))


EXPOSED: Header = (b"access-control-expose-headers", b"Retry-After, X-RateLimit-Reset")
"""Without it a browser hides from its page when to send again."""


def later(code: str, message: str, seconds: int, headers: Iterable[Header] = ()) -> Answer:
    """Every library tries a 503 again."""
    return refusal(503, code, message, ((b"retry-after", b"%d" % seconds), EXPOSED, *headers))


def too_often(wait: float) -> Answer:
    """Every library sends it again, most of them after `wait` (in seconds; whole ones are told, at least one)."""
    seconds = b"%d" % max(1, math.ceil(wait))
    words = "This source sends faster than HEARD_RATE_LIMIT allows; send it again after Retry-After seconds."
    return refusal(429, "rate_limited", words, ((b"retry-after", seconds), (b"x-ratelimit-reset", seconds), EXPOSED))


CLOSE: Header = (b"connection", b"close")

TAKEN = answer(200, b'{"success":true}', (JSON, CORS))


def _preflight(methods: bytes) -> Answer:
    allowed = b"authorization, content-type, content-encoding, x-retry-count, x-requested-with"
    return answer(
        204,
        b"",
        (
            CORS,
            (b"access-control-allow-methods", methods),
            (b"access-control-allow-headers", allowed),
            (b"access-control-max-age", b"86400"),
        ),
    )


PREFLIGHT = _preflight(b"POST, OPTIONS")
PREFLIGHT_OF_PIXELS = _preflight(b"GET, HEAD, OPTIONS")

UNKNOWN_KEY = refusal(
    401,
    "invalid_write_key",
    "The write key is missing or unknown. Send a source's write key as Basic user name or as `writeKey` in the body.",
)
NOT_FOUND = refusal(
    404, "not_found", "There is no such path under /v1. Messages go to /v1/batch, /v1/track and the like."
)
WRONG_METHOD = refusal(405, "method_not_allowed", "Send messages with POST.", ((b"allow", b"POST, OPTIONS"),))
PIXELS_ARE_READ = refusal(
    405,
    "method_not_allowed",
    "A pixel is loaded with GET; post messages to /v1/track.",
    ((b"allow", b"GET, HEAD, OPTIONS"),),
)
UNSUPPORTED_ENCODING = refusal(415, "unsupported_encoding", "The only Content-Encoding that is read is gzip.")
DRAINING = later("draining", "This server is shutting down; send it again.", 1, (CLOSE,))
TOO_SLOW = refusal(408, "too_slow", "The request took too long to arrive.", (CLOSE,))
MALFORMED = refusal(400, "malformed_request", "This is not a valid HTTP request.", (CLOSE,))
HEAD_TOO_LARGE = refusal(431, "headers_too_large", "The request's headers are too large.", (CLOSE,))
CRASHED = refusal(500, "internal_error", "Something went wrong here; send it again.")


def closing(given: Answer) -> Answer:
    """The same answer, saying that the connection ends with it."""
    headers = given.start["headers"]
    return given if CLOSE in headers else answer(given.status, given.body["body"], [CLOSE, *_unsized(headers)])


def _unsized(headers: Headers) -> Headers:
    return [header for header in headers if header[0] != b"content-length"]
