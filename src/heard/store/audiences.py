"""Audiences and computed traits: what was counted of people, who is a member, and how far a new one has come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from heard.audiences.audience import Audience, Phase
from heard.audiences.person import Change, Entries
from heard.messages.message import OURS
from heard.store import cursors, days, dialects, edits, introductions, messages, tables
from heard.store.messages import Kept, kept_of
from heard.store.types import micros, moment

_entries = msgspec.json.Decoder(Entries)
KEEP = (
    "INSERT INTO audience_people (workspace_id, user_id, entries, due_at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (workspace_id, user_id) DO UPDATE SET entries = excluded.entries, due_at = excluded.due_at"
)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far one that is new, or that was changed, has come."""

    workspace: int
    id: int
    phase: Phase
    position: int
    last: int
    looked_at: int


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """`left_at` None: a member now."""

    audience: int
    contact: int
    entered_at: datetime
    left_at: datetime | None = None


# ── people ──


def entries_of(connection: Connection, workspace: int, users: Iterable[str]) -> dict[str, Entries]:
    rows = dialects.fetch(
        connection,
        "SELECT user_id, entries FROM audience_people"
        f" WHERE workspace_id = ? AND user_id {dialects.within(connection)}",
        workspace,
        dialects.listed(connection, users),
    )
    return {row[0]: _entries.decode(row[1]) for row in rows}


def keep_people(connection: Connection, workspace: int, people: Iterable[tuple[str, Entries, int | None]]) -> None:
    """Whole rows of (userId, entries, when time alone may change something in microseconds)."""
    rows = [(workspace, user, msgspec.json.encode(entries).decode(), due) for user, entries, due in people]
    dialects.many(connection, KEEP, rows)


def due(connection: Connection, now: datetime, limit: int) -> dict[int, list[str]]:
    """Users, by workspace, about whom time alone may have changed something."""
    rows = dialects.fetch(
        connection,
        "SELECT workspace_id, user_id FROM audience_people WHERE due_at IS NOT NULL AND due_at <= ?"
        " ORDER BY due_at LIMIT ?",
        micros(now),
        limit,
    )
    found: dict[int, list[str]] = defaultdict(list)
    for workspace, user in rows:
        found[workspace].append(user)
    return found


def next_due(connection: Connection) -> datetime | None:
    rows = dialects.fetch(
        connection, "SELECT due_at FROM audience_people WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1"
    )
    return moment(rows[0][0]) if rows else None


# ── members ──


def move(connection: Connection, workspace: int, changes: Iterable[tuple[int, Change]], now: datetime) -> None:
    """Contacts entered and left: rows of (contact, change). The counts of members and of the day follow."""
    at, day = micros(now), days.day_of(now)
    entered: list[tuple[Any, ...]] = []
    left: list[tuple[Any, ...]] = []
    members: dict[int, int] = defaultdict(int)
    for contact, change in changes:
        if not isinstance(change.of, Audience):
            continue
        members[change.of.id] += 1 if change.value else -1
        if change.value:
            entered.append((workspace, contact, change.of.id, change.number, at))
        else:
            left.append((at, workspace, contact, change.of.id))
    dialects.many(
        connection,
        "UPDATE audience_memberships SET left_at = ?"
        " WHERE workspace_id = ? AND contact_id = ? AND audience_id = ? AND left_at IS NULL",
        left,
    )
    dialects.many(
        connection,
        "INSERT INTO audience_memberships (workspace_id, contact_id, audience_id, number, entered_at)"
        " VALUES (?, ?, ?, ?, ?)",
        entered,
    )
    dialects.many(
        connection,
        "UPDATE audiences SET members = members + ? WHERE workspace_id = ? AND id = ?",
        [(n, workspace, number) for number, n in members.items() if n],
    )
    tallied = [(workspace, day, f"{ENTERED}:{row[2]}") for row in entered]
    tallied += [(workspace, day, f"{LEFT}:{row[3]}") for row in left]
    dialects.many(
        connection,
        "INSERT INTO tallies (workspace_id, day, name, n) VALUES (?, ?, ?, 1)"
        " ON CONFLICT (workspace_id, day, name) DO UPDATE SET n = tallies.n + excluded.n",
        tallied,
    )


ENTERED, LEFT = "audience:entered", "audience:left"  # what is tallied of a day, with the number after it


def moved_since(connection: Connection, workspace: int, day: int) -> dict[str, int]:
    """By `audience:entered:3` how many, from this day on."""
    rows = dialects.fetch(
        connection,
        "SELECT name, sum(n) FROM tallies WHERE workspace_id = ? AND day >= ? AND substr(name, 1, 9) = 'audience:'"
        " GROUP BY name",
        workspace,
        day,
    )
    return {row[0]: int(row[1]) for row in rows}


def memberships_of(connection: Connection, workspace: int, contact: int) -> list[Membership]:
    """What a contact is and was a member of, the latest first."""
    rows = dialects.fetch(
        connection,
        "SELECT audience_id, contact_id, entered_at, left_at FROM audience_memberships"
        " WHERE workspace_id = ? AND contact_id = ? ORDER BY entered_at DESC, audience_id LIMIT 200",
        workspace,
        contact,
    )
    return [_membership(row) for row in rows]


def members(
    connection: Connection, workspace: int, audience: int, *, before: tuple[int, int] | None, examined: int
) -> list[tuple[Membership, tuple[int, int]]]:
    """The next `examined` memberships, who entered last first, those who left again too; each with its place."""
    at, contact = before or (1 << 62, 0)
    rows = dialects.fetch(
        connection,
        "SELECT audience_id, contact_id, entered_at, left_at"
        f" FROM {dialects.by('audience_memberships_of', 'audience_memberships', connection)}"
        " WHERE workspace_id = ? AND audience_id = ? AND entered_at <= ? AND (entered_at < ? OR contact_id < ?)"
        " ORDER BY entered_at DESC, contact_id DESC LIMIT ?",
        workspace,
        audience,
        at,
        at,
        contact,
        examined,
    )
    return [(_membership(row), (row[2], row[1])) for row in rows]


def members_among(connection: Connection, workspace: int, audience: int, contacts: Iterable[int]) -> list[Membership]:
    """Those of these contacts that are members now, who entered last first."""
    rows = dialects.fetch(
        connection,
        "SELECT audience_id, contact_id, entered_at, left_at FROM audience_memberships WHERE workspace_id = ?"
        f" AND contact_id {dialects.within(connection)} AND audience_id = ? AND left_at IS NULL"
        " ORDER BY entered_at DESC, contact_id DESC",
        workspace,
        dialects.listed(connection, contacts),
        audience,
    )
    return [_membership(row) for row in rows]


def moved_by_day(connection: Connection, workspace: int, audience: int, day: int) -> dict[int, int]:
    """By how many it grew on each day from this one on; a day on which nobody moved is left out."""
    rows = dialects.fetch(
        connection,
        "SELECT day, sum(CASE WHEN name = ? THEN n ELSE -n END) FROM tallies"
        " WHERE workspace_id = ? AND day >= ? AND name IN (?, ?) GROUP BY day",
        entered := f"{ENTERED}:{audience}",
        workspace,
        day,
        entered,
        f"{LEFT}:{audience}",
    )
    return {row[0]: int(row[1]) for row in rows}


def _membership(row: Any) -> Membership:
    return Membership(
        audience=row[0], contact=row[1], entered_at=moment(row[2]), left_at=None if row[3] is None else moment(row[3])
    )


# ── definitions ──


def rows(connection: Connection, workspace: int) -> list[edits.Row]:
    """Every audience and computed trait, in the order they were made; without those that are being taken away."""
    found = edits.rows_of(connection, tables.audiences, workspace)
    return [row for row in found if row["phase"] != Phase.LEAVING.value]


def leave(connection: Connection, workspace: int, number: int) -> None:
    """Take one away. Its name and its trait are free at once; what contacts have of it is taken off in chunks."""
    table, mark = tables.audiences, f" {number}"  # no name begins with a space, and no trait has one
    there = table.c.workspace_id == workspace, table.c.id == number
    key = connection.execute(select(table.c.key).where(*there)).scalar_one()
    values = {"name": mark, "key": mark, "settings": {"trait": key}, "phase": Phase.LEAVING.value, "looked_at": 0}
    connection.execute(table.update().where(*there).values(**values))
    introductions.forget(connection, workspace, number)


def trait_of_leaving(connection: Connection, workspace: int, number: int) -> str:
    table = tables.audiences
    query = select(table.c.settings).where(table.c.workspace_id == workspace, table.c.id == number)
    return connection.execute(query).scalar_one()["trait"]


def forget_members(connection: Connection, workspace: int, number: int, contacts: Iterable[int]) -> None:
    dialects.changed(
        connection,
        "DELETE FROM audience_memberships WHERE workspace_id = ? AND audience_id = ?"
        f" AND contact_id {dialects.within(connection)}",
        workspace,
        number,
        dialects.listed(connection, contacts),
    )


def forget(connection: Connection, workspace: int, number: int) -> None:
    """Nothing is left of it but what was counted of people who are no contacts."""
    table = tables.audiences
    connection.execute(table.delete().where(table.c.workspace_id == workspace, table.c.id == number))


def keep(
    connection: Connection, workspace: int, known: edits.Row | None, *, now: datetime, again: bool, **values: Any
) -> int:
    """Insert, or change `known`; gives its number. `again`: what it means is another thing now, so it is computed anew.

    `values`: kind, name, key, settings.
    """
    if known is None:
        number = cursors.take(connection, "audiences")
        started = {"version": 1, "phase": Phase.NEW.value, "position": 0, "last": 0, "looked_at": 0, "members": 0}
        connection.execute(
            tables.audiences.insert().values(workspace_id=workspace, id=number, created_at=now, **started, **values)
        )
        return number
    if again:
        values |= {"version": known["version"] + 1, "phase": Phase.NEW.value, "position": 0, "last": 0, "looked_at": 0}
    connection.execute(
        tables.audiences.update()
        .where(tables.audiences.c.workspace_id == workspace, tables.audiences.c.id == known["id"])
        .values(**values)
    )
    return known["id"]


def progress(connection: Connection) -> list[Progress]:
    """Those that are not live yet, oldest first."""
    rows = dialects.fetch(
        connection,
        "SELECT workspace_id, id, phase, position, last, looked_at FROM audiences WHERE phase <> ?"
        " ORDER BY workspace_id, id",
        Phase.LIVE.value,
    )
    return [
        Progress(workspace=row[0], id=row[1], phase=Phase(row[2]), position=row[3], last=row[4], looked_at=row[5])
        for row in rows
    ]


def proceed(connection: Connection, steps: Sequence[Progress]) -> None:
    dialects.many(
        connection,
        "UPDATE audiences SET phase = ?, position = ?, last = ?, looked_at = ? WHERE workspace_id = ? AND id = ?",
        [(each.phase.value, each.position, each.last, each.looked_at, each.workspace, each.id) for each in steps],
    )


def begin(connection: Connection, new: Iterable[Progress]) -> None:
    """From here on the route counts for them; what was there before is gone through, chunk by chunk."""
    last = messages.last(connection)
    proceed(connection, [msgspec.structs.replace(each, phase=Phase.EVENTS, last=last) for each in new])


def events(
    connection: Connection, workspace: int, names: Iterable[str], *, after: int, until: int, span: int
) -> tuple[list[Kept], int]:
    """The tracks of these names among the next `span` messages, with the number of the last one that was looked at."""
    for day in messages.days_after(connection, after):
        low, high = dialects.fetch(
            connection, f"SELECT min(id), max(id) FROM messages_{day} WHERE id > ? AND id <= ?", after, until
        )[0]
        if low is not None:
            end = min(low + span - 1, high, until)
            return _events(connection, workspace, names, day, low, end), end
    return [], until


def events_back(
    connection: Connection,
    workspace: int,
    names: Iterable[str],
    users: Collection[str],
    *,
    after: int,
    since: datetime,
    span: int,
) -> Iterator[tuple[list[Kept], int]]:
    """Those of these users from the newest message back to the day of `since`, with the number before the first."""
    wanted = list(names)
    for day in days.kept(connection):
        low, high = dialects.fetch(
            connection, f"SELECT (SELECT min(id) FROM messages_{day}), (SELECT max(id) FROM messages_{day})"
        )[0]
        if high is None:  # the eve of the first day is made empty
            continue
        if high <= after or day < days.day_of(since):
            return
        while high >= low and high > after:
            start = max(low, after + 1, high - span + 1)
            yield _events(connection, workspace, wanted, day, start, high, users), start - 1
            high = start - 1


def _events(
    connection: Connection,
    workspace: int,
    names: Iterable[str],
    day: int,
    first: int,
    last: int,
    users: Collection[str] | None = None,
) -> list[Kept]:
    """What counts for audiences: tracks that were taken, of somebody, and not told by ourselves."""
    rows = dialects.fetch(
        connection,
        f"SELECT {messages.COLUMNS} FROM messages_{day} WHERE id >= ? AND id <= ? AND workspace_id = ?"
        f" AND type = 'track' AND verdict <> 'rejected' AND user_id IS NOT NULL"
        f" AND source_id <> {OURS}"
        f" AND event {dialects.within(connection)} ORDER BY id",
        first,
        last,
        workspace,
        dialects.listed(connection, names),
    )
    return [kept_of(row) for row in rows if users is None or row[5] in users]


def counts(connection: Connection, workspace: int) -> Mapping[int, int]:
    """Members now, by number."""
    return {row["id"]: row["members"] for row in edits.rows_of(connection, tables.audiences, workspace)}
