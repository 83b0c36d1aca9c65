"""Traits as a page shows them."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from heard.contacts import traits

FIRST = 8
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


class Trait(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    text: str
    nested: bool  # an object or a list, shown as JSON


def traits_shown(known: bytes) -> tuple[list[Trait], list[Trait]]:
    """The first few, and the rest; names and addresses come last, because the head of the page says them."""
    said = [_trait(name, value) for name, value in traits.decode(known).items()]
    said.sort(key=lambda each: (each.nested, each.name in SAID_ABOVE))
    return (said, []) if len(said) <= FIRST + 1 else (said[:FIRST], said[FIRST:])


SAID_ABOVE = frozenset({"name", "email", "firstName", "lastName", "first_name", "last_name"})


def _trait(name: str, value: Any) -> Trait:
    if isinstance(value, dict | list):
        return Trait(name=name, text=msgspec.json.encode(value).decode(), nested=True)
    if value is None:
        return Trait(name=name, text="not known any more", nested=False)
    if isinstance(value, bool):
        return Trait(name=name, text=str(value).lower(), nested=False)
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return Trait(name=name, text=text.replace("T", " ")[:16] if _MOMENT.match(text) else text, nested=False)
