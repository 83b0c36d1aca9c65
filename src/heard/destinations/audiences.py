"""What a batch of one workspace does to audiences and computed traits. It is loaded at once and learns as it goes, so
that a campaign that an event triggers sees who became a member by that very event."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.audiences import person
from heard.audiences.audience import Audience, ComputedTrait
from heard.audiences.order import Book, Listener
from heard.audiences.person import Change, Entries
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.messages.events import canonical
from heard.messages.message import Message
from heard.store import audiences as stored
from heard.store.types import micros

_document = msgspec.json.Decoder(dict[str, Any]).decode


class People:
    """By userId: somebody is counted before they are a contact. What came under an anonymousId alone is not counted."""

    def __init__(self, connection: Connection, workspace: int, book: Book) -> None:
        self.connection, self.workspace, self.book = connection, workspace, book
        self.entries: dict[str, Entries] = {}
        self.touched: dict[str, set[int]] = {}  # what may have changed of whom, because something was counted
        self.met: set[str] = set()  # contacts that were none before

    def load(self, users: Iterable[str]) -> None:
        """What was counted of these, those that are not loaded yet."""
        missing = {user for user in users if user not in self.entries} if self.book else set[str]()
        if missing:
            found = stored.entries_of(self.connection, self.workspace, missing)
            self.entries |= {user: found.get(user, {}) for user in missing}

    def listens_to(self, message: Message) -> bool:
        return message.type == "track" and bool(message.event) and canonical(message.event or "") in self.book.listening

    def learn(self, message: Message, now: datetime, *, only: Collection[int] | None = None) -> None:
        """One more event. `only`: numbers of those that count it, where others have counted it before."""
        if message.user_id is None or not message.event:
            return
        listeners = self.book.listening.get(canonical(message.event), ())
        if only is not None:
            listeners = tuple(each for each in listeners if each[0].id in only)
        if listeners:
            self.load([message.user_id])
            self._count(message, listeners, micros(now))

    def is_member(self, name: str, contact: Contact, now: datetime) -> bool:
        """As of this moment; False for an audience that there is not."""
        audience = self.book.by_name.get(name)
        return audience is not None and bool(self.values(contact, now)[audience.id])

    def settle(self, contact: Contact, now: datetime, *, wholly: bool, changed: bool) -> list[Change]:
        """What has to be told of a contact, once: a second look finds nothing.

        `changed`: something else of the contact may have. `wholly`: whatever it is, time included.
        """
        if contact.user_id is None:
            return []
        self.load([contact.user_id])
        only = None
        if not wholly and contact.user_id not in self.met:
            only = frozenset(self.touched.get(contact.user_id, ()))
            if changed:
                only |= self.book.minding_traits
        if only is not None and not only:
            return []
        return person.settle(self.book, self.entries[contact.user_id], document_of(contact), micros(now), only=only)

    def due(self, user: str, now: datetime) -> int | None:
        return person.due(self.book, self.entries[user], micros(now))

    def values(self, contact: Contact, now: datetime) -> dict[int, Any]:
        """What everything comes to for a contact at this moment, by number."""
        entries: Entries = {}
        if contact.user_id is not None:
            self.load([contact.user_id])
            entries = self.entries[contact.user_id]
        return person.values(self.book, entries, document_of(contact), micros(now))

    def _count(self, message: Message, listeners: tuple[Listener, ...], now: int) -> None:
        user = message.user_id
        assert user is not None
        properties = _document(message.properties)
        document: dict[str, Any] | None = None
        at = micros(min(message.at, message.received_at))  # nothing happens after it was received
        for each, number, asked in listeners:
            if asked.where is not None:
                document = document or _seen(message, properties)
                if not person.counts(asked, document):
                    continue
            assert isinstance(each, Audience | ComputedTrait)
            person.learn(self.entries[user], each, number, asked, properties, at, now)
            self.touched.setdefault(user, set()).update(self.book.reached[each.id])


def document_of(contact: Contact) -> dict[str, Any]:
    """What a condition on traits reads."""
    return {"traits": traits.decode(contact.traits), "userId": contact.user_id, "email": contact.email}


def _seen(message: Message, properties: dict[str, Any]) -> dict[str, Any]:
    """What a condition on an event reads, as campaigns do."""
    return {
        "type": message.type,
        "event": message.event,
        "userId": message.user_id,
        "anonymousId": message.anonymous_id,
        "messageId": message.id,
        "properties": properties,
        "context": _document(message.context),
    }
