"""A contact is a person: one internal id, at most one `user_id`, at most one address.

Two userIds with one address stay two contacts, because the application that names them knows better than we do;
but one mailbox is one person where it matters: ledger, suppression and unsubscribe also go by the address.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from heard.contacts import address as addresses
from heard.contacts import traits as known
from heard.messages import timestamps

OLDEST = datetime(1900, 1, 1, tzinfo=UTC)


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    workspace: int
    user_id: str | None
    email: str | None = None
    traits: bytes = known.EMPTY  # one JSON object
    first_seen: datetime  # when the first identify about this person happened; never moved
    created_at: datetime | None = None  # the trait `createdAt`, when it was sent
    zone: str | None = None  # the last one that their browser or app said: `Europe/Berlin`

    @property
    def email_key(self) -> str | None:
        return addresses.key(self.email) if self.email else None

    @property
    def since(self) -> datetime:
        """How long we have known them: `createdAt`, else first seen."""
        return self.created_at or self.first_seen


def identified(contact: Contact, said: bytes, zone: str | None = None) -> Contact:
    """The contact after an identify that carried these traits, from a browser or app in this zone, where it said one.

    Returns the same object when nothing is new.
    """
    if zone is not None and zone != contact.zone:
        contact = msgspec.structs.replace(contact, zone=zone)
    merged = known.merge(contact.traits, said)
    if merged is contact.traits:
        return contact
    new = known.decode(said)
    changes: dict[str, object] = {"traits": merged}
    if "email" in new:
        changes["email"] = addresses.read(new["email"])
    if (created := known.first(new, "createdAt", "created_at")) is not None:
        changes["created_at"] = _plausible(timestamps.read(created)) or contact.created_at
    return msgspec.structs.replace(contact, **changes)


def without(contact: Contact, trait: str) -> Contact:
    """The contact without one trait."""
    return msgspec.structs.replace(contact, traits=known.without(contact.traits, trait))


def _plausible(moment: datetime | None) -> datetime | None:
    """A date that can be counted from; `9999-12-31` and the like stand for "never" in somebody's database."""
    return moment if moment and OLDEST <= moment < timestamps.LATEST else None
