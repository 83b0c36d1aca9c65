"""A new audience, or one whose definition changed, catches up with what was there before it; and windows slide.

    new      from now on the route counts for it; the last message that was there is noted
    events   the messages up to that one are counted, a chunk at a time
    people   every contact is looked at, and whoever is a member is told: one change each
    live     every message moves it at once
    leaving  it was taken away: every contact is looked at, and its trait is taken off; nobody is told

Each chunk is one transaction with its place, so a crash repeats nothing. A change of phase is known to the route before
its next batch: no message is counted twice, and none is missed. What comes in which order makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from heard.audiences.audience import Audience, ComputedTrait, Phase
from heard.audiences.order import Book, counted_by, rests_on
from heard.contacts.contact import without
from heard.destinations.known import Known
from heard.messages.again import again
from heard.messages.events import spellings
from heard.steps import introduce, told
from heard.steps.computed import PEOPLE, Computed
from heard.store import audiences, contacts, introductions
from heard.store.audiences import Progress
from heard.store.directory import Directory

MESSAGES, LAPSING = 5000, 500  # looked at in one go


def anything(connection: Connection) -> bool:
    return bool(audiences.progress(connection)) or bool(introductions.waiting(connection))


def go_on(connection: Connection, *, directory: Directory, now: datetime) -> Computed:
    """One chunk of what is not live yet, then of who is told later; nothing when everybody knows everything."""
    waiting = audiences.progress(connection)
    if leaving := [each for each in waiting if each.phase is Phase.LEAVING]:  # before another one has its trait
        return _take_off(connection, leaving[0], directory, now)
    if new := [each for each in waiting if each.phase is Phase.NEW]:
        audiences.begin(connection, new)
        return Computed(worked=True, moved_on=True)
    counting = [each for each in waiting if each.phase is Phase.EVENTS and each.position < each.last]
    if counting:
        return _count(connection, _together(counting), directory, now)
    looking = [each for each in waiting if each.phase is Phase.PEOPLE]
    if looking:
        return _look(connection, _together(looking), directory, now)
    if ready := [each for each in waiting if _may_look(each, directory.book(each.workspace))]:
        audiences.proceed(connection, [msgspec.structs.replace(each, phase=Phase.PEOPLE) for each in ready])
        return Computed(worked=True, moved_on=True)
    return introduce.go_on(connection, directory=directory, now=now)


def slide(connection: Connection, *, directory: Directory, now: datetime) -> Computed:
    """Whom time alone has moved: they leave, or enter, and are told so."""
    due = audiences.due(connection, now, LAPSING)
    done = Computed(worked=bool(due))
    for workspace, users in due.items():
        done.told |= _settle(connection, workspace, users, directory, now)
    return done


def _together(waiting: Sequence[Progress]) -> list[Progress]:
    """The first, with all that have come as far in the same workspace: they are served by one reading."""
    first = waiting[0]
    where = (first.workspace, first.position, first.last, first.looked_at)
    return [each for each in waiting if (each.workspace, each.position, each.last, each.looked_at) == where]


def _count(connection: Connection, group: list[Progress], directory: Directory, now: datetime) -> Computed:
    workspace, first = group[0].workspace, group[0]
    book = directory.book(workspace)
    only = {each.id for each in group}
    names = {
        spelled for number in only for asked in counted_by(book.by_id[number]) for spelled in spellings(asked.event)
    }
    end = first.last
    if names:
        found, end = audiences.events(
            connection, workspace, names, after=first.position, until=first.last, span=MESSAGES
        )
        people = Known(connection, directory, workspace).audiences
        people.load(each.user_id for each in found if each.user_id is not None)
        for kept in found:
            if (message := again(kept, kept.message_id)) is not None:
                people.learn(message, now, only=only)
        audiences.keep_people(
            connection, workspace, [(user, people.entries[user], people.due(user, now)) for user in people.touched]
        )
    audiences.proceed(connection, [msgspec.structs.replace(each, position=end) for each in group])
    return Computed(worked=True)


def _may_look(progress: Progress, book: Book) -> bool:
    """What it rests on is there: nobody enters it only to leave again."""
    each = book.by_id[progress.id]
    if isinstance(each, ComputedTrait):
        return True
    by_key = {other.key: other.name for other in book.all if isinstance(other, Audience)}
    before = [book.by_name[name] for name in rests_on(each.condition, by_key) if name in book.by_name]
    return all(other.phase is Phase.LIVE for other in before)


def _look(connection: Connection, group: list[Progress], directory: Directory, now: datetime) -> Computed:
    workspace, done = group[0].workspace, Computed(worked=True)
    found = contacts.after(connection, workspace, group[0].looked_at, limit=PEOPLE)
    users = [each.user_id for each in found if each.user_id is not None]
    done.told = _settle(connection, workspace, users, directory, now)
    done.moved_on = len(found) < PEOPLE
    place = {"looked_at": found[-1].id} if found else {}
    phase = Phase.LIVE if done.moved_on else Phase.PEOPLE
    audiences.proceed(connection, [msgspec.structs.replace(each, phase=phase, **place) for each in group])
    return done


def _take_off(connection: Connection, leaving: Progress, directory: Directory, now: datetime) -> Computed:
    workspace, number = leaving.workspace, leaving.id
    if number in directory.book(workspace).by_id:  # nobody may enter it any more, before it goes
        return Computed(worked=True, moved_on=True)
    trait = audiences.trait_of_leaving(connection, workspace, number)
    found = contacts.after(connection, workspace, leaving.looked_at, limit=PEOPLE)
    people = Known(connection, directory, workspace).audiences
    people.entries = audiences.entries_of(connection, workspace, [each.user_id for each in found if each.user_id])
    counted = {user: gone for user, theirs in people.entries.items() if (gone := theirs.pop(number, None)) is not None}
    told_of = {user for user, entry in counted.items() if entry.changes}
    contacts.keep(connection, [without(each, trait) for each in found if each.user_id in told_of])
    audiences.forget_members(connection, workspace, number, [each.id for each in found])
    audiences.keep_people(
        connection, workspace, [(user, people.entries[user], people.due(user, now)) for user in counted]
    )
    if len(found) < PEOPLE:
        audiences.forget(connection, workspace, number)
    else:
        audiences.proceed(connection, [msgspec.structs.replace(leaving, looked_at=found[-1].id)])
    return Computed(worked=True)


def _settle(connection: Connection, workspace: int, users: list[str], directory: Directory, now: datetime) -> bool:
    """Gives whether something goes to destinations outside."""
    known = Known(connection, directory, workspace)
    known.load_contacts(set(users), {})
    rows = told.settle(connection, workspace, known, now, users=users)
    contacts.keep(connection, known.changed.values())
    told.keep(connection, rows, now)
    return bool(rows)
