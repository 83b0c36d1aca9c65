"""Audiences and computed traits as pages and people see them: how many are in, how that moves, how far one has come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.audiences import in_words
from heard.audiences.audience import Audience, ComputedTrait, Phase
from heard.contacts.contact import Contact
from heard.errors import NotFound
from heard.installation import Installation
from heard.store import audiences, contacts, cursors, days
from heard.store.audiences import ENTERED, LEFT, Membership

LATELY = timedelta(days=6)  # before today: seven UTC days with it
SHOWN = 50  # of those who entered last


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

    @property
    def is_audience(self) -> bool:
        return isinstance(self.computed, Audience)


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    seen: Seen
    newest: list[tuple[Contact, Membership]]
    campaigns: list[str]


async def every(app: Installation, workspace: int) -> list[Seen]:
    """Audiences first, each kind in the order they were made."""

    def look(connection: Connection) -> list[Seen]:
        moved = audiences.moved_since(connection, workspace, days.day_of(app.clock.now() - LATELY))
        rows = audiences.rows(connection, workspace)
        people = cursors.get(connection, "next:contacts")
        found = [_seen(app, row, moved, people) for row in rows if row["id"] in app.directory.book(workspace).by_id]
        return sorted(found, key=lambda each: not each.is_audience)

    return await app.store.read(look)


async def one(app: Installation, workspace: int, number: int) -> Whole:
    """
    Raises:
        NotFound: there is no such audience or trait in this workspace.
    """
    found = next((each for each in await every(app, workspace) if each.computed.id == number), None)
    if found is None:
        raise NotFound("There is no such audience in this workspace.")

    def look(connection: Connection) -> list[tuple[Contact, Membership]]:
        newest = audiences.newest_members(connection, workspace, number, SHOWN)
        people = contacts.by_id(connection, workspace, {each.contact for each in newest})
        return [(people[each.contact], each) for each in newest if each.contact in people]

    asking = [each.name for each in app.directory.campaigns_of(workspace) if each.audience == found.computed.name]
    newest = await app.store.read(look) if found.is_audience else []
    return Whole(seen=found, newest=newest, campaigns=asking if found.is_audience else [])


def _seen(app: Installation, row: Any, moved: dict[str, int], people: int) -> Seen:
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
    )


def _progress(row: Any, people: int) -> float | None:
    """Half of it is counting what happened, half is looking at everybody."""
    if row["phase"] == Phase.LIVE.value:
        return None
    counted = row["position"] / row["last"] if row["last"] else 0.0
    return (min(counted, 1.0) + min(row["looked_at"] / people if people else 0.0, 1.0)) / 2
