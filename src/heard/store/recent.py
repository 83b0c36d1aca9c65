"""The newest messages, looked through up to a limit: which events there are, and who did one of them.

A day's table has no index by event (keeping one would cost every message), so what a page asks is answered from as many
of the newest messages as can be looked through while somebody waits; `Look` says how far that reached.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.contacts.contact import Contact
from heard.retention import Kind
from heard.routing.reasons import KEPT_FROM_SURVEYS
from heard.store import anonymous, contacts, cursors, days, dialects, removals
from heard.store.types import moment

MOST_LOOKED_AT = 50_000


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """`whole`: everything since `since` was looked through. Else only the newest messages, from `since` on."""

    since: datetime
    whole: bool


class Seen(msgspec.Struct, frozen=True):
    """How often an event was received, and when last."""

    times: int
    last: datetime


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody did it. `body` is the message as accepted."""

    source: int
    message_id: str
    event: str
    user_id: str | None
    anonymous_id: str | None
    at: datetime
    received_at: datetime
    body: bytes


def events(connection: Connection, workspace: int, since: datetime) -> tuple[dict[str, Seen], Look]:
    """Every event of a workspace, by name, the most frequent first."""
    floor, look = reach(connection, since)
    found: dict[str, Seen] = {}
    for day in _days(connection, look.since):
        rows = dialects.fetch(
            connection,
            f"SELECT event, count(*), max(received_at) FROM messages_{day} WHERE id > ? AND workspace_id = ?"
            " AND type = 'track' AND verdict <> 'rejected' AND event IS NOT NULL GROUP BY event",
            floor,
            workspace,
        )
        for name, times, last in rows:
            before = found.get(name)
            found[name] = Seen(times + (before.times if before else 0), before.last if before else moment(last))
    return dict(sorted(found.items(), key=lambda each: -each[1].times)), look


def of_event(
    connection: Connection, workspace: int, names: Collection[str], since: datetime, most: int
) -> tuple[list[Happened], Look]:
    """The newest messages of one event, whatever its spellings, that surveys may have; at most `most`.

    What came under an anonymous id that is known to be somebody's is theirs.
    """
    found, look = _of_event(connection, workspace, names, since, most)
    unnamed = {each.anonymous_id for each in found if each.user_id is None and each.anonymous_id is not None}
    users = anonymous.users_of(connection, workspace, unnamed) if unnamed else {}
    theirs = [
        msgspec.structs.replace(each, user_id=users[each.anonymous_id])
        if each.user_id is None and each.anonymous_id in users
        else each
        for each in found
    ]
    return theirs, look


def _of_event(
    connection: Connection, workspace: int, names: Collection[str], since: datetime, most: int
) -> tuple[list[Happened], Look]:
    floor, look = reach(connection, since)
    found: list[Happened] = []
    marks, kept_from_us = (", ".join("?" * len(some)) for some in (names, KEPT_FROM_SURVEYS))
    for day in _days(connection, look.since):
        rows = dialects.fetch(
            connection,
            "SELECT source_id, message_id, event, user_id, anonymous_id, at, received_at, body"
            f" FROM messages_{day} WHERE id > ? AND workspace_id = ? AND type = 'track' AND event IN ({marks})"
            f" AND verdict <> 'rejected' AND (reason IS NULL OR reason NOT IN ({kept_from_us}))"
            " ORDER BY id DESC LIMIT ?",
            floor,
            workspace,
            *names,
            *KEPT_FROM_SURVEYS,
            most - len(found),
        )
        found += [_happened(row) for row in rows]
        if len(found) >= most:
            return found, Look(since=found[-1].received_at, whole=False)
    return found, look


def newest(connection: Connection) -> int:
    """The number of the newest message of all workspaces; it grows with each."""
    return cursors.get(connection, "next:messages")


def newest_contact(connection: Connection, workspace: int) -> Contact | None:
    """Somebody real, to show how a text reads."""
    rows = dialects.fetch(
        connection, "SELECT id FROM contacts WHERE workspace_id = ? ORDER BY id DESC LIMIT 1", workspace
    )
    return contacts.by_id(connection, workspace, [rows[0][0]]).get(rows[0][0]) if rows else None


def reach(connection: Connection, since: datetime, *, most: int = MOST_LOOKED_AT) -> tuple[int, Look]:
    """The id above which to look (ids grow with the log, over all workspaces), and how far back that is."""
    gone = removals.gone_before(connection, Kind.MESSAGES)
    floor, look = _floor(connection, since, most)
    if gone is not None and gone > look.since:
        return floor, Look(since=gone, whole=False)
    return floor, look


def _floor(connection: Connection, since: datetime, most: int) -> tuple[int, Look]:
    floor = max(0, newest(connection) - most)
    if floor == 0:
        return 0, Look(since=since, whole=True)
    missed = False
    for day in reversed(_days(connection, since)):
        missed = missed or _any_below(connection, day, floor)
        rows = dialects.fetch(
            connection, f"SELECT received_at FROM messages_{day} WHERE id > ? ORDER BY id LIMIT 1", floor
        )
        if rows:
            return floor, Look(since=moment(rows[0][0]) if missed else since, whole=not missed)
    return floor, Look(since=since, whole=not missed)


def _any_below(connection: Connection, day: int, floor: int) -> bool:
    return bool(dialects.fetch(connection, f"SELECT 1 FROM messages_{day} WHERE id <= ? LIMIT 1", floor))


def _days(connection: Connection, since: datetime) -> list[int]:
    """The days from then on that have messages, newest first."""
    first = days.day_of(since)
    return [day for day in days.kept(connection) if day >= first]


def _happened(row: Any) -> Happened:
    return Happened(
        source=row[0],
        message_id=row[1],
        event=row[2],
        user_id=row[3],
        anonymous_id=row[4],
        at=moment(row[5]),
        received_at=moment(row[6]),
        body=row[7].encode(),
    )
