"""What is kept how long, how much of it there is, what went last, and what should have gone and is still needed.

The lengths are the installation's; how much there is, is told of one workspace. Nothing is counted further than anybody
would read; messages are counted from the tallies of their days, their size is that of the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec
from sqlalchemy import Connection

from heard.housekeeping import HeldBack
from heard.installation import Installation
from heard.retention import HELD_BACK_AT_MOST, Kind, Rule
from heard.routing.destination import Destination
from heard.store import days, kept_count, removals, tallies
from heard.store.kept_count import MOST_COUNTED
from heard.store.removals import Removal

MONTHS = 24


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """`length` None: for ever. `n` None: it is no workspace's. `more`: there are more than `n`."""

    rule: Rule
    length: timedelta | None
    n: int | None
    more: bool
    removal: Removal | None


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of a month that are there; `bytes` is about right."""

    first: datetime
    messages: int
    bytes: int


class Overdue(msgspec.Struct, frozen=True, kw_only=True):
    """Days of messages that are old enough to go. `why`: as in `heard.store.needed`, "elsewhere" for another
    workspace's; `name` is the destination's. They go at `until`; None = when they are needed no longer."""

    first: datetime
    last: datetime
    days: int
    why: str
    name: str
    until: datetime | None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """`alone`: there is one workspace, so that what was removed from all was removed from it."""

    lines: list[Line]
    months: list[Month]
    overdue: list[Overdue]
    alone: bool


async def seen(app: Installation, workspace: int) -> Seen:
    """Everything the page of one workspace shows."""
    held, alone = app.pipeline.house.held_back, len(app.directory.workspaces) == 1
    mails = len(app.outbox.newest()) if app.outbox is not None and alone else None

    def look(connection: Connection) -> Seen:
        removed = removals.all_(connection)
        months = _months(connection, workspace)
        lines: list[Line] = []
        for rule, length in app.settings.keep:
            n, more = kept_count.of(connection, workspace, rule.kind), False
            if rule.kind is Kind.MESSAGES:
                n = sum(each.messages for each in months)
            elif rule.kind is Kind.MAILS:
                n = mails
            elif n is not None and n > MOST_COUNTED:
                n, more = MOST_COUNTED, True
            lines.append(Line(rule=rule, length=length, n=n, more=more, removal=removed.get(rule.kind)))
        return Seen(lines=lines, months=months[:MONTHS], overdue=_overdue(held, app, workspace), alone=alone)

    return await app.store.read(look)


async def gone_before(app: Installation, kind: Kind, since: datetime | None) -> datetime | None:
    """From when on things of this kind are there, where a window begins before that (`since` None: with the first)."""
    gone: datetime | None = await app.store.read(partial(removals.gone_before, kind=kind))
    return gone if gone is not None and (since is None or since < gone) else None


def held_for(app: Installation, destination: Destination) -> Overdue | None:
    """Days of messages that are kept for this destination alone."""
    theirs = [each for each in app.pipeline.house.held_back if each.need.destination == destination.id]
    return next(iter(_overdue(theirs, app, destination.workspace)), None)


def waits_at_most(app: Installation) -> timedelta | None:
    """How long messages wait for a destination that is down; None: however long."""
    length = app.settings.keep.of(Kind.MESSAGES)
    return None if length is None else length + HELD_BACK_AT_MOST


def _months(connection: Connection, workspace: int) -> list[Month]:
    """The latest first."""
    there = set(days.kept(connection))
    size = kept_count.size_of_a_message(connection, workspace)
    counted: dict[int, int] = {}
    for day, n in tallies.messages_by_day(connection, workspace):
        if day in there:
            counted[day // 100] = counted.get(day // 100, 0) + n
    return [
        Month(first=days.end_of(month * 100 + 1) - timedelta(days=1), messages=n, bytes=round(n * size))
        for month, n in sorted(counted.items(), reverse=True)
    ]


def _overdue(held: Sequence[HeldBack], app: Installation, workspace: int) -> list[Overdue]:
    """Days that stay for one reason, together."""
    found: dict[tuple[str, str], list[HeldBack]] = {}
    for each in held:
        mine = each.need.workspace == workspace
        destination = app.directory.destinations.get(each.need.destination or 0)
        name = destination.name if destination is not None and mine else ""
        found.setdefault((each.need.why if mine else "elsewhere", name), []).append(each)
    begins: Callable[[HeldBack], datetime] = lambda each: days.end_of(each.day) - timedelta(days=1)  # noqa: E731
    return [
        Overdue(
            first=begins(some[0]),
            last=begins(some[-1]),
            days=len(some),
            why=why,
            name=name,
            until=min((each.until for each in some if each.until is not None), default=None),
        )
        for (why, name), some in found.items()
    ]
