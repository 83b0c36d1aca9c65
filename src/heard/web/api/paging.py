"""Cursors: where a list goes on, as an opaque text."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from heard.errors import Invalid

T = TypeVar("T")
LIMIT, MOST = 50, 200


def page(items: list[Any], following: Any | None) -> dict[str, Any]:
    """A list as the API gives it; `following` is whatever `after` should give back, None on the last page."""
    return {"data": items, "next": None if following is None else written(following)}


def after(cursor: str | None, of: type[T]) -> T | None:
    """What a cursor says. Raises Invalid when we did not write it."""
    if cursor is None:
        return None
    try:
        found = msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=of)
        if all(_usable(part) for part in (found if isinstance(found, tuple) else (found,))):
            return found
    except (binascii.Error, ValueError, msgspec.DecodeError):
        pass
    raise Invalid("This cursor is not one of ours; leave it out to begin again.", field="cursor")


def _usable(part: object) -> bool:
    """What we write ourselves: moments with a zone, numbers that a database takes."""
    if isinstance(part, datetime):
        return part.tzinfo is not None
    return not isinstance(part, int) or abs(part) < 2**63


def written(value: Any) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()
