"""A request and its answer as people are shown them: whole as far as they go, without what is secret."""

from __future__ import annotations

from heard.destinations.destination import Answer, Request

SECRET_HEADERS = frozenset({"authorization", "x-api-key", "cookie"})
LONGEST = 16_000


def shown_request(request: Request | None) -> str:
    """`POST https://... `, its headers and its body; "" where there was none."""
    if request is None:
        return ""
    headers = [
        f"{name}: {'(kept secret)' if name.lower() in SECRET_HEADERS else value}" for name, value in request.headers
    ]
    return _storable("\n".join([f"{request.method} {request.url}", *headers, "", _text(request.body)]))


def shown_answer(answer: Answer | None) -> str:
    """Status, headers and the beginning of the body; or why there was none."""
    if answer is None:
        return ""
    if answer.status is None:
        return _storable(answer.detail or answer.error or "")
    headers = [f"{name}: {value}" for name, value in answer.headers]
    return _storable("\n".join([f"HTTP {answer.status}", *headers, "", _text(answer.body)]))


def _text(body: bytes) -> str:
    return body[:LONGEST].decode("utf-8", "replace")


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd")
