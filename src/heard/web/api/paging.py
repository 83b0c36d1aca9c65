"""Cursors: where a list goes on, as an opaque text."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, TypeVar

import msgspec

from heard.errors import Invalid

T = TypeVar("T")
LIMIT, MOST = 50, 200


def page(items: list[Any], following: Any | None) -> dict[str, Any]:
    """A list as the API gives it; `following` is whatever `after` should give back, None on the last page."""
    return {"data": items, "next": None if following is None else _write(following)}


def after(cursor: str | None, of: type[T]) -> T | None:
    """What a cursor says. Raises Invalid when we did not write it."""
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=of)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise Invalid("This cursor is not one of ours; leave it out to begin again.", field="cursor") from None


def _write(value: Any) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()
