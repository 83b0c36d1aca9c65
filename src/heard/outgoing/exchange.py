"""What goes out, and what came back."""

from __future__ import annotations

import msgspec

from heard.errors import HeardError


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, ready to go. `headers` in the order they are sent; Host and lengths are the client's."""

    method: str = "POST"
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back, or why nothing did.

    `status` None = no answer: `error` is one of `ERRORS` and `detail` a sentence. A status that arrived is an answer
    whatever becomes of the body after it. `body` is cut at 64 KB, and is as sent: nothing is decompressed.
    """

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    error: str | None = None
    detail: str = ""
    seconds: float = 0.0

    def header(self, name: str) -> str | None:
        """The first header of this name, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


ERRORS = frozenset(
    {
        "timeout",
        "refused",
        "unreachable",
        "reset",
        "dns",
        "tls",
        "protocol",
        "forbidden_address",
        "bad_url",
        "bad_request",  # a header that HTTP does not allow
    }
)


class NoAnswer(HeardError):
    """Nothing came back: `error` is one of `ERRORS`, the message a sentence."""

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error
