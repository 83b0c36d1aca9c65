"""What we know of a person: a JSON object that grows key by key.

An identify only says what it knows, so its traits are laid over the older ones at the top level. A nested object or a
list is replaced whole: half of an old address under half of a new one is nobody's address. An explicit null is kept as
null: it says "this is no longer known", filters read it as missing, and an export shows that it was said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

EMPTY = b"{}"
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw])
_whole = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode


def merge(known: bytes, said: bytes) -> bytes:
    """The traits after an identify; `known` itself when nothing changed. Values are moved as they are, not decoded."""
    if said in (EMPTY, b""):
        return known
    new = _parts.decode(said)
    if known == EMPTY:
        return _encode(new)
    old = _parts.decode(known)
    before = dict(old)
    old.update(new)
    return known if old == before else _encode(old)


def without(known: bytes, name: str) -> bytes:
    """The traits with one less; `known` itself when it is not there."""
    parts = _parts.decode(known)
    return known if parts.pop(name, None) is None else _encode(parts)


def decode(traits: bytes) -> dict[str, Any]:
    return _whole.decode(traits) if traits else {}


def first(traits: Mapping[str, Any], *names: str) -> Any:
    """The first of several spellings that holds something: `first(traits, "firstName", "first_name")`."""
    for name in names:
        if (value := traits.get(name)) not in (None, ""):
            return value
    return None


def first_name(traits: Mapping[str, Any]) -> str | None:
    """`firstName`, `first_name`, or the first word of `name`."""
    given = first(traits, "firstName", "first_name", "firstname")
    if isinstance(given, str) and given.strip():
        return given.strip()
    whole = traits.get("name")
    return whole.split()[0] if isinstance(whole, str) and whole.split() else None


def full_name(traits: Mapping[str, Any]) -> str | None:
    """`name`, or first and last name together."""
    whole = traits.get("name")
    if isinstance(whole, str) and whole.strip():
        return " ".join(whole.split())
    last = first(traits, "lastName", "last_name", "lastname")
    parts = [part for part in (first_name(traits), last) if isinstance(part, str) and part.strip()]
    return " ".join(part.strip() for part in parts) or None
