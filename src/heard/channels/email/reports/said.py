"""Reading JSON of which nothing is certain: what is missing, or of another type, is not there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from heard.errors import Invalid

LONGEST = 300  # characters of a detail
MOST = 2_000  # events of one request


def document(body: bytes, who: str) -> Any:
    """
    Raises:
        Invalid: it is no JSON.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise Invalid(f"{who} sends JSON, and this is none.") from None


def at(found: Any, *path: str) -> Any:
    """What stands there; None = nothing does."""
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def text(found: Any, *path: str) -> str:
    """A text or a number there, as text; "" = there is none."""
    value = at(found, *path)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


def each(found: Any, *path: str) -> Iterator[Any]:
    """The members of a list there, up to as many as anybody sends."""
    value = at(found, *path)
    yield from value[:MOST] if isinstance(value, list) else ()


def moment(value: Any) -> datetime | None:
    """RFC 3339, or seconds since 1970; None = neither."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return parsed.astimezone(UTC) if parsed is not None and parsed.tzinfo else None


def one_line(*parts: str) -> str:
    """The parts that say something, on one line that a table has room for."""
    shown = " ".join(" ".join(part.split()) for part in parts if part.strip())
    return shown.encode("utf-8", "replace").decode().replace("\x00", "")[:LONGEST]


def message_id(value: Any) -> str | None:
    """Without its brackets; None = there is none."""
    bare = value.strip().strip("<>").strip() if isinstance(value, str) else ""
    return bare or None
