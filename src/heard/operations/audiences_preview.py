"""How many would be members of an audience that is not kept yet, counted from the messages that are.

It is counted by the very code that counts for real, on a reader's connection, and nothing is kept. Somebody waits for
it, so it looks at no more than the newest messages and contacts; `Counted` says what that left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.audiences import person
from heard.audiences.audience import Audience, ComputedTrait, Phase
from heard.audiences.order import Book, book, rests_on
from heard.contacts.contact import Contact
from heard.destinations.audiences import People, document_of
from heard.installation import Installation
from heard.messages.again import again
from heard.messages.events import spellings
from heard.store import audiences, contacts, messages, recent
from heard.store.recent import Look
from heard.store.types import micros

MOST_MESSAGES, MOST_COUNTED, MOST_CONTACTS = 100_000, 20_000, 20_000  # about 0.2, 0.5 and 0.3 s
MESSAGES, PEOPLE = 10_000, 2_000  # read in one go
EXAMPLES = 10
DRAFT = 0  # the number of what is not kept yet; never another one's
EVER = datetime(2000, 1, 1, tzinfo=UTC)


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """`fit` of the `looked_at` newest contacts would be members, or have a value; `whole`: those are all there are.

    `look` says how far back events were counted, over the newest `messages` of the server; None where none had to be.
    `examples` with what the trait would be.
    `computing`: audiences it rests on that do not have all of their members yet.
    """

    fit: int
    looked_at: int
    whole: bool
    look: Look | None
    messages: int
    examples: list[tuple[Contact, Any]]
    computing: list[str]


async def count(
    app: Installation, workspace: int, wanted: Audience | ComputedTrait, *, instead: int | None = None
) -> Counted:
    """`instead`: the number of the one that it would replace.

    Raises:
        Invalid: it would go round in a circle with others.
    """
    now, known = app.clock.now(), with_draft(app.directory.book(workspace), wanted, instead=instead)
    return await app.store.read(lambda connection: look(connection, workspace, known, now))


def with_draft(known: Book, wanted: Audience | ComputedTrait, *, instead: int | None = None) -> Book:
    """What there is, with the draft as if it was there and knew everything."""
    others = [each for each in known.all if each.id != instead]
    return book([*others, msgspec.structs.replace(wanted, id=DRAFT, version=1, phase=Phase.LIVE)])


def look(connection: Connection, workspace: int, known: Book, now: datetime) -> Counted:
    """`known` holds the draft, and what it may rest on."""
    people, whole = _newest_contacts(connection, workspace)
    entries, reach, messages_ = _counted(connection, workspace, known, {each.user_id for each in people}, now)
    asked = _rests_on(known)
    fit, examples = 0, list[tuple[Contact, Any]]()
    for start in range(0, len(people), PEOPLE):
        some = people[start : start + PEOPLE]
        users = [each.user_id for each in some if each.user_id is not None]
        told = audiences.entries_of(connection, workspace, users) if asked else {}
        for contact in some:
            if contact.user_id is None:
                continue
            theirs = {**told.get(contact.user_id, {}), **entries.get(contact.user_id, {})}
            if value := person.values(known, theirs, document_of(contact), micros(now), only=ONLY)[DRAFT]:
                fit += 1
                examples += [(contact, value)] if len(examples) < EXAMPLES else []
    return Counted(
        fit=fit,
        looked_at=len(people),
        whole=whole,
        look=reach,
        messages=messages_,
        examples=examples,
        computing=[name for name in asked if known.by_name[name].phase is not Phase.LIVE],
    )


ONLY = frozenset({DRAFT})


def _newest_contacts(connection: Connection, workspace: int) -> tuple[list[Contact], bool]:
    """The newest first, and whether those are all."""
    found: list[Contact] = []
    below = None
    while len(found) < MOST_CONTACTS:
        some, below = contacts.newest(connection, workspace, below=below, examined=PEOPLE)
        found += some
        if below is None:
            return found, True
    return found, not contacts.newest(connection, workspace, below=below, examined=1)[0]


def _counted(
    connection: Connection, workspace: int, known: Book, users: Collection[str | None], now: datetime
) -> tuple[Mapping[str, person.Entries], Look | None, int]:
    """What the draft counts of these users, from the newest message back: in which order never matters.

    With how far that reached and over how many messages; None and 0 where no event counts.
    """
    events = known.counted[DRAFT]
    if not events:
        return {}, None, 0
    windows = [each.within for each in events if each.within is not None]
    since = now - max(windows) if len(windows) == len(events) else EVER  # nothing older can count
    people = People(connection, workspace, known)
    people.entries = {user: {} for user in users if user is not None}
    names = {spelled for asked in events for spelled in spellings(asked.event)}
    floor, _ = recent.reach(connection, since, most=MOST_MESSAGES)
    newest, edge, counted = messages.last(connection), floor, 0
    wanted = people.entries.keys()
    back = audiences.events_back(connection, workspace, names, wanted, after=floor, since=since, span=MESSAGES)
    for found, before in back:
        for kept in found:
            if (message := again(kept, kept.message_id)) is not None:
                people.learn(message, now, only=ONLY)
                counted += 1
        if counted >= MOST_COUNTED:
            edge = before
            break
    return people.entries, recent.reach(connection, since, most=newest - edge)[1], newest - edge


def _rests_on(known: Book) -> list[str]:
    """The audiences whose members the draft asks for by name."""
    draft = known.by_id[DRAFT]
    names = rests_on(draft.condition) if isinstance(draft, Audience) else ()
    return [name for name in dict.fromkeys(names) if name in known.by_name]
