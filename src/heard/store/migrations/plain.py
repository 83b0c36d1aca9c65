"""How a migration writes our column types: as what the database knows, so that no old step depends on new code."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy.types import TypeDecorator


def plain_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False
