"""Who became a member, who no longer is, and which computed traits changed: kept, and told.

Contacts have the trait at once. Destinations outside are told by a message on record, under a source that nobody can
write to; couriers carry it as they carry every other. A contact is never made by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard import ids
from heard.audiences.audience import Audience, Form
from heard.audiences.person import Change
from heard.contacts.contact import Contact, identified
from heard.destinations.known import Known
from heard.steps.on_record import Row, telling
from heard.store import audiences, days, messages
from heard.store.directory import Directory


def settle(
    connection: Connection, workspace: int, known: Known, now: datetime, *, users: Iterable[str] = ()
) -> list[Row]:
    """Everybody about whom the batch counted something, whose contact it changed, and `users`: `known` learns it.

    Gives the messages that destinations outside get, as rows that `messages.keep` takes.
    """
    people = known.audiences
    if not people.book:
        return []
    wholly = set(users)
    asked = {*wholly, *people.touched, *(each.user_id for each in known.changed.values() if each.user_id)}
    people.load(asked)
    moved: list[tuple[int, Change]] = []
    rows: list[Row] = []
    to_keep = wholly | people.touched.keys()
    for user in sorted(asked):
        contact = known.contacts.get(user)
        if contact is None:
            continue
        for change in people.settle(contact, now, wholly=user in wholly, changed=contact.id in known.changed):
            moved.append((contact.id, change))
            to_keep.add(user)
            if change.of.on_contact:
                contact = identified(contact, msgspec.json.encode({change.of.key: change.value}))
                known.learn_contact(contact)
            if change.of.to:
                number = ids.told_id(change.of.id, user, change.number)
                rows.append(row(contact, change, number, change.of.to, known.directory, now))
    audiences.move(connection, workspace, moved, now)
    audiences.keep_people(
        connection,
        workspace,
        [(user, people.entries[user], people.due(user, now)) for user in sorted(to_keep) if people.entries[user]],
    )
    return rows


def keep(connection: Connection, rows: list[Row], now: datetime) -> None:
    """Messages that no batch keeps with its own."""
    if rows:
        day = days.day_of(now)
        days.make(connection, day)
        days.make(connection, days.before(day))
        messages.keep(connection, day, rows)


def row(contact: Contact, change: Change, number: str, to: Iterable[int], directory: Directory, now: datetime) -> Row:
    """The message `number` that tells a change to these destinations."""
    assert contact.user_id is not None
    wanted = [directory.destinations[each] for each in sorted(to) if each in directory.destinations]
    return telling(contact.workspace, number, document(contact.user_id, change), wanted, now=now)


def document(user_id: str, change: Change) -> dict[str, Any]:
    """As Segment's engine says it: an identify with the trait, or a track that somebody entered or exited."""
    of, value = change.of, change.value
    is_audience = isinstance(of, Audience)
    said: dict[str, Any] = {"type": "identify", "userId": user_id, "traits": {of.key: value}}
    if of.form is Form.EVENTS:
        event = ("Audience Entered" if value else "Audience Exited") if is_audience else "Trait Computed"
        key = "audience_key" if is_audience else "trait_key"
        said = {"type": "track", "userId": user_id, "event": event, "properties": {key: of.key, of.key: value}}
    space = f"spa_{of.workspace}"
    personas = {
        "computation_class": "audience" if is_audience else "trait",
        "computation_id": f"{'aud' if is_audience else 'tra'}_{of.id}",
        "computation_key": of.key,
        "namespace": space,
        "space_id": space,
    }
    return {**said, "context": {"personas": personas, "heard": {"name": of.name, "change": change.number}}}
