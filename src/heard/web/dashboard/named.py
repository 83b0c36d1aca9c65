"""What a contact is called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from heard.contacts import traits
from heard.contacts.contact import Contact


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is never empty: the traits' name, else the address, the userId, or a number."""

    id: int
    name: str
    first: str | None
    email: str | None
    user_id: str | None
    company: str | None


def named(contact: Contact) -> Named:
    said = traits.decode(contact.traits)
    return Named(
        id=contact.id,
        name=traits.full_name(said) or contact.email or contact.user_id or f"Contact {contact.id}",
        first=traits.first_name(said),
        email=contact.email,
        user_id=contact.user_id,
        company=company(said),
    )


def company(said: Mapping[str, Any]) -> str | None:
    """The trait `company`: a text, or an object with a `name`."""
    found = said.get("company")
    if isinstance(found, Mapping):
        found = traits.first(found, "name")  # pyright: ignore[reportUnknownArgumentType]
    return found.strip() or None if isinstance(found, str) else None
