"""A destination is told of an audience later than others: it gets one message for each member, as at the first time.

The audience stays live meanwhile, and its changes go to the new ones too. Who changed since they were named was told
to them already (`Entry.introduced`), so nobody is told twice, and who left while others are told ends as having left.
A chunk is one transaction with its place.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from heard import ids
from heard.audiences.audience import Audience, ComputedTrait, Phase
from heard.audiences.person import Change, Entry
from heard.contacts import traits
from heard.contacts.contact import Contact, identified
from heard.destinations.known import Known
from heard.steps import told
from heard.steps.computed import PEOPLE, Computed
from heard.steps.on_record import Row
from heard.store import contacts, introductions
from heard.store.directory import Directory
from heard.store.introductions import Introduction


def go_on(connection: Connection, *, directory: Directory, now: datetime) -> Computed:
    """One chunk of what waits longest; nothing while its audience is still computed, for that tells members too."""
    for one in introductions.waiting(connection):
        of = directory.book(one.workspace).by_id.get(one.audience)
        if of is None or of.introduced < one.id:  # changes must reach the new ones before anybody is told
            return Computed(worked=True, moved_on=True)
        if of.phase is Phase.LIVE:
            return _look(connection, one, of, directory, now)
    return Computed()


def _look(
    connection: Connection, one: Introduction, of: Audience | ComputedTrait, directory: Directory, now: datetime
) -> Computed:
    found = contacts.after(connection, one.workspace, one.looked_at, limit=PEOPLE)
    known = Known(connection, directory, one.workspace)
    known.load_contacts({each.user_id for each in found if each.user_id is not None}, {})
    known.audiences.load(known.contacts)
    rows: list[Row] = []
    for contact in sorted(known.contacts.values(), key=lambda each: each.id):
        assert contact.user_id is not None
        entry = known.audiences.entries[contact.user_id].get(of.id)
        if entry is None or not entry.changes or entry.introduced >= one.id:
            continue
        if one.on_contact and of.on_contact and (written := _with_trait(contact, of, entry)) is not contact:
            known.learn_contact(written)
        if one.to and _has_it(of, entry):
            change = Change(of=of, value=entry.value, number=entry.changes)
            number = ids.introduced_id(one.id, contact.user_id)
            rows.append(told.row(contact, change, number, set(one.to) & set(of.to), directory, now))
    rows += told.settle(connection, one.workspace, known, now)  # who has the trait now may enter other audiences
    contacts.keep(connection, known.changed.values())
    told.keep(connection, rows, now)
    if len(found) == PEOPLE:
        introductions.proceed(connection, one, found[-1].id)
    else:
        introductions.end(connection, one)
    return Computed(worked=True, moved_on=len(found) < PEOPLE, told=bool(rows))


def _has_it(of: Audience | ComputedTrait, entry: Entry) -> bool:
    return bool(entry.value) if isinstance(of, Audience) else entry.value is not None


def _with_trait(contact: Contact, of: Audience | ComputedTrait, entry: Entry) -> Contact:
    """The contact as it would be had it been told all along; who left before then is not told to have left."""
    if not _has_it(of, entry) and of.key not in traits.decode(contact.traits):
        return contact
    return identified(contact, msgspec.json.encode({of.key: entry.value}))
