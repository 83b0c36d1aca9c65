"""Audiences and computed traits as pages and people see them: how many are in, how that moves, how far one has come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.audiences import in_words
from heard.audiences.audience import Audience, ComputedTrait, Phase
from heard.campaigns.campaign import Campaign
from heard.contacts.contact import Contact
from heard.errors import NotFound
from heard.installation import Installation
from heard.operations import contacts_found
from heard.store import audiences, contacts, cursors, days, introductions
from heard.store.audiences import ENTERED, LEFT, Membership
from heard.store.introductions import Introduction

LATELY = timedelta(days=6)  # before today: seven UTC days with it
PAGE = 50  # members
EXAMINED = 5_000  # memberships a look, those that are over among them
DRAWN = 90  # days


class Introduced(msgspec.Struct, frozen=True, kw_only=True):
    """Who is being told of those that are in it already, and how far that is: 0 to 1."""

    names: list[str]
    progress: float


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `progress` 0 to 1 while it is computed, None once it is live."""

    computed: Audience | ComputedTrait
    says: str
    told: list[str]  # destinations
    members: int
    entered: int
    left: int
    progress: float | None
    created_at: datetime
    introduced: Introduced | None = None

    @property
    def is_audience(self) -> bool:
        return isinstance(self.computed, Audience)


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """`further` is where the next page begins, None after the last; `full`: the page is, else the look was over."""

    people: list[tuple[Contact, Membership]]
    further: tuple[int, int] | None = None
    full: bool = False


class Size(msgspec.Struct, frozen=True):
    """Members at the end of a UTC day; of today, until now."""

    day: date
    members: int


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """`sizes` by day, oldest first; empty before the second day. `campaigns` that ask its members alone."""

    seen: Seen
    members: Members
    sizes: list[Size]
    campaigns: list[Campaign]


async def every(app: Installation, workspace: int) -> list[Seen]:
    """Audiences first, each kind in the order they were made."""

    def look(connection: Connection) -> list[Seen]:
        moved = audiences.moved_since(connection, workspace, days.day_of(app.clock.now() - LATELY))
        rows = audiences.rows(connection, workspace)
        people = cursors.get(connection, "next:contacts")
        going_on = introductions.waiting(connection, workspace)
        found = [
            _seen(app, row, moved, people, [each for each in going_on if each.audience == row["id"]])
            for row in rows
            if row["id"] in app.directory.book(workspace).by_id
        ]
        return sorted(found, key=lambda each: not each.is_audience)

    return await app.store.read(look)


async def one(
    app: Installation, workspace: int, number: int, *, q: str | None = None, before: tuple[int, int] | None = None
) -> Whole:
    """`q`: only members whose userId or address begins so. `before`: the page that begins there.

    Raises:
        NotFound: there is no such audience or trait in this workspace.
    """
    found = next((each for each in await every(app, workspace) if each.computed.id == number), None)
    if found is None:
        raise NotFound("There is no such audience in this workspace.")
    if not found.is_audience:
        return Whole(seen=found, members=Members(people=[]), sizes=[], campaigns=[])
    now = app.clock.now()

    def look(connection: Connection) -> tuple[Members, list[Size]]:
        some = _named(connection, workspace, number, q) if q else _members(connection, workspace, number, before)
        return some, _sizes(connection, workspace, found, now)

    people, sizes = await app.store.read(look)
    asking = [each for each in app.directory.campaigns_of(workspace) if each.audience == found.computed.name]
    return Whole(seen=found, members=people, sizes=sizes, campaigns=asking)


def _members(connection: Connection, workspace: int, number: int, before: tuple[int, int] | None) -> Members:
    looked_at = audiences.members(connection, workspace, number, before=before, examined=EXAMINED)
    now = [(each, place) for each, place in looked_at if each.left_at is None]
    full = len(now) > PAGE
    further = now[PAGE - 1][1] if full else looked_at[-1][1] if len(looked_at) == EXAMINED else None
    return Members(
        people=_with_contacts(connection, workspace, [each for each, _ in now[:PAGE]]), further=further, full=full
    )


def _named(connection: Connection, workspace: int, number: int, q: str) -> Members:
    people = contacts_found.by_name(connection, workspace, q)
    found = audiences.members_among(connection, workspace, number, [each.id for each in people])
    return Members(people=_with_contacts(connection, workspace, found))


def _with_contacts(connection: Connection, workspace: int, found: list[Membership]) -> list[tuple[Contact, Membership]]:
    people = contacts.by_id(connection, workspace, {each.contact for each in found})
    return [(people[each.contact], each) for each in found if each.contact in people]


def _sizes(connection: Connection, workspace: int, seen: Seen, now: datetime) -> list[Size]:
    """From how many there are now, day by day back."""
    first = max(seen.created_at, now - timedelta(days=DRAWN - 1)).date()
    moved = audiences.moved_by_day(connection, workspace, seen.computed.id, days.day_of(now - timedelta(days=DRAWN)))
    day, members = now.date(), seen.members
    sizes: list[Size] = []
    while day >= first:
        sizes.append(Size(day, max(0, members)))
        members -= moved.get(day.year * 10_000 + day.month * 100 + day.day, 0)
        day -= timedelta(days=1)
    return sizes[::-1] if len(sizes) > 1 else []


def _seen(app: Installation, row: Any, moved: dict[str, int], people: int, going_on: list[Introduction]) -> Seen:
    book, known = app.directory.book(row["workspace_id"]), app.directory.destinations
    computed = book.by_id[row["id"]]
    is_audience = isinstance(computed, Audience)
    says = in_words.condition(computed.condition) if is_audience else in_words.aggregate(computed.aggregate)
    intake = app.directory.intakes.get(row["workspace_id"])
    ours = [known[intake.destination].name] if intake and computed.on_contact else []
    return Seen(
        computed=computed,
        says=says,
        told=ours + [known[each].name for each in computed.to if each in known],
        members=row["members"],
        entered=moved.get(f"{ENTERED}:{row['id']}", 0),
        left=moved.get(f"{LEFT}:{row['id']}", 0),
        progress=_progress(row, people),
        created_at=row["created_at"],
        introduced=_introduced(app, going_on, ours, people),
    )


def _introduced(app: Installation, going_on: list[Introduction], ours: list[str], people: int) -> Introduced | None:
    if not going_on:
        return None
    known = app.directory.destinations
    names = ours if any(each.on_contact for each in going_on) else []
    outside = dict.fromkeys(known[number].name for each in going_on for number in each.to if number in known)
    return Introduced(names=[*names, *outside], progress=_share(min(each.looked_at for each in going_on), people))


def _progress(row: Any, people: int) -> float | None:
    """Half of it is counting what happened, half is looking at everybody."""
    if row["phase"] == Phase.LIVE.value:
        return None
    counted = row["position"] / row["last"] if row["last"] else 0.0
    return (min(counted, 1.0) + _share(row["looked_at"], people)) / 2


def _share(looked_at: int, people: int) -> float:
    return min(looked_at / people, 1.0) if people else 0.0
