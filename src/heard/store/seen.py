"""What sources send, counted: their events and traits, the fields of those, and where they break their tracking plan.

Bounded, so that a source which makes up names by the thousand costs no more than its messages: what is over the bound
is not listed. The newest message of each is pointed at and not copied, so whoever is erased is gone from here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.contacts.traces import Traces
from heard.schema.seen import Field, Key, Times
from heard.schema.violation import Done, Kind
from heard.store import dialects
from heard.store.types import micros, moment

MOST_EVENTS = 2000  # of a source
MOST_FIELDS = 500  # of an event
MOST_VIOLATIONS = 1000  # different ones of a source on a day

Place = tuple[int, int]
"""Where a message is kept: day and number."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    key: Key
    n: int
    blocked: int
    first: datetime
    last: datetime
    newest: Place


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which messages broke the plan, on one day or over several."""

    key: Key
    field: str
    kind: Kind
    done: Done
    n: int
    detail: str
    last: datetime
    newest: Place


class BrokenKey(msgspec.Struct, frozen=True):
    key: Key
    day: int
    field: str
    kind: Kind
    done: Done


class BrokenTimes(msgspec.Struct):
    n: int
    detail: str
    last: datetime
    newest: Place = (0, 0)


def keep_events(
    connection: Connection,
    workspace: int,
    events: Mapping[Key, Times],
    blocked: Mapping[Key, int],
    places: Mapping[Key, Place],
) -> None:
    """Add to what is counted of each."""
    dialects.many(
        connection,
        "INSERT INTO seen_events"
        " (workspace_id, source_id, type, name, n, blocked, first_at, last_at, day, message)"
        " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM seen_events"
        " WHERE workspace_id = ? AND source_id = ? AND type = ? AND name = ?)"
        f" OR (SELECT count(*) FROM seen_events WHERE workspace_id = ? AND source_id = ?) < {MOST_EVENTS}"
        " ON CONFLICT (workspace_id, source_id, type, name) DO UPDATE SET n = seen_events.n + excluded.n,"
        " blocked = seen_events.blocked + excluded.blocked, last_at = excluded.last_at,"
        " day = excluded.day, message = excluded.message",
        [
            (
                *(workspace, *key, times.n, blocked.get(key, 0), micros(times.first), micros(times.last)),
                *places[key],
                *(workspace, *key, workspace, key.source),
            )
            for key, times in events.items()
        ],
    )


def keep_fields(connection: Connection, workspace: int, fields: Mapping[Field, Times]) -> None:
    """Add to what is counted of each; call it after `keep_events`, for only fields of listed events are listed."""
    dialects.many(
        connection,
        "INSERT INTO seen_fields"
        " (workspace_id, source_id, type, name, path, value_type, n, first_at, last_at)"
        " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM seen_fields WHERE workspace_id = ?"
        " AND source_id = ? AND type = ? AND name = ? AND path = ? AND value_type = ?)"
        " OR (EXISTS (SELECT 1 FROM seen_events WHERE workspace_id = ? AND source_id = ? AND type = ? AND name = ?)"
        " AND (SELECT count(*) FROM seen_fields WHERE workspace_id = ? AND source_id = ? AND type = ? AND name = ?)"
        f" < {MOST_FIELDS})"
        " ON CONFLICT (workspace_id, source_id, type, name, path, value_type) DO UPDATE SET"
        " n = seen_fields.n + excluded.n, last_at = excluded.last_at",
        [
            (
                *(workspace, *field.key, field.path, field.type, times.n, micros(times.first), micros(times.last)),
                *(workspace, *field.key, field.path, field.type),
                *(workspace, *field.key),
                *(workspace, *field.key),
            )
            for field, times in fields.items()
        ],
    )


def keep_violations(connection: Connection, workspace: int, broken: Mapping[BrokenKey, BrokenTimes]) -> None:
    """Add to what is counted of each on its day."""
    dialects.many(
        connection,
        "INSERT INTO violations (workspace_id, source_id, day, type, name, field, kind, done, n, detail, last_at,"
        " message_day, message) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM violations"
        " WHERE workspace_id = ? AND source_id = ? AND day = ? AND type = ? AND name = ? AND field = ? AND kind = ?"
        " AND done = ?)"
        " OR (SELECT count(*) FROM violations WHERE workspace_id = ? AND source_id = ? AND day = ?)"
        f" < {MOST_VIOLATIONS}"
        " ON CONFLICT (workspace_id, source_id, day, type, name, field, kind, done) DO UPDATE SET"
        " n = violations.n + excluded.n, detail = excluded.detail, last_at = excluded.last_at,"
        " message_day = excluded.message_day, message = excluded.message",
        [
            (*where, times.n, times.detail, micros(times.last), *times.newest, *where, *where[:3])
            for each, times in broken.items()
            for where in [_where(workspace, each)]
        ],
    )


def _where(workspace: int, each: BrokenKey) -> tuple[int | str, ...]:
    key = each.key
    return (workspace, key.source, each.day, key.type, key.name, each.field, each.kind.value, each.done.value)


def events_of(connection: Connection, workspace: int, source: int) -> list[Event]:
    """All that are listed, the most frequent first."""
    rows = dialects.fetch(
        connection,
        "SELECT source_id, type, name, n, blocked, first_at, last_at, day, message FROM seen_events"
        " WHERE workspace_id = ? AND source_id = ? ORDER BY n DESC, type, name",
        workspace,
        source,
    )
    return [_event(row) for row in rows]


def event_of(connection: Connection, workspace: int, key: Key) -> Event | None:
    rows = dialects.fetch(
        connection,
        "SELECT source_id, type, name, n, blocked, first_at, last_at, day, message FROM seen_events"
        " WHERE workspace_id = ? AND source_id = ? AND type = ? AND name = ?",
        workspace,
        *key,
    )
    return _event(rows[0]) if rows else None


def _event(row: Any) -> Event:
    return Event(
        key=Key(*row[:3]),
        n=row[3],
        blocked=row[4],
        first=moment(row[5]),
        last=moment(row[6]),
        newest=(row[7], row[8]),
    )


def fields_of(connection: Connection, workspace: int, source: int, type: str | None = None, name: str = "") -> (  # noqa: A002
    list[tuple[Field, Times]]
):  # fmt: skip
    """Of one event, or of everything the source sends; the most frequent first."""
    one, values = (" AND type = ? AND name = ?", (type, name)) if type is not None else ("", ())
    rows = dialects.fetch(
        connection,
        "SELECT source_id, type, name, path, value_type, n, first_at, last_at FROM seen_fields"
        f" WHERE workspace_id = ? AND source_id = ?{one} ORDER BY n DESC, path, value_type",
        workspace,
        source,
        *values,
    )
    return [(Field(Key(*row[:3]), row[3], row[4]), Times(row[5], moment(row[6]), moment(row[7]))) for row in rows]


def violations_of(connection: Connection, workspace: int, source: int, since: int) -> list[Broken]:
    """From that day (20261122) on, days together; the newest first."""
    rows = dialects.fetch(
        connection,
        "SELECT source_id, type, name, field, kind, done, n, detail, last_at, message_day, message FROM violations"
        " WHERE workspace_id = ? AND source_id = ? AND day >= ? ORDER BY last_at",
        workspace,
        source,
        since,
    )
    found: dict[tuple[object, ...], Broken] = {}
    for row in rows:
        known = found.get(tuple(row[:6]))
        found[tuple(row[:6])] = Broken(
            key=Key(*row[:3]),
            field=row[3],
            kind=Kind(row[4]),
            done=Done(row[5]),
            n=row[6] + (known.n if known else 0),
            detail=row[7],
            last=moment(row[8]),
            newest=(row[9], row[10]),
        )
    return sorted(found.values(), key=lambda each: each.last, reverse=True)


def forget_violations(connection: Connection, *, before: int) -> int:
    """Of every day before this one; gives how many."""
    return dialects.changed(connection, "DELETE FROM violations WHERE day < ?", before)


def forget_names(connection: Connection, workspace: int, traces: Traces) -> None:
    """Names of events and fields in which one of these people stands are listed no longer."""
    if not traces.likes:
        return
    like = "LIKE" if dialects.is_sqlite(connection) else "ILIKE"
    for table, texts in _NAMES.items():
        among = " OR ".join(f"{text} {like} ? ESCAPE '\\'" for text in texts for _ in traces.likes)
        rows = dialects.fetch(
            connection,
            f"SELECT DISTINCT {', '.join(texts)} FROM {table} WHERE workspace_id = ? AND ({among})",
            workspace,
            *(each for _ in texts for each in traces.likes),
        )
        named = [tuple(row) for row in rows if any(traces.stand_in(text) for text in row)]
        same = " AND ".join(f"{text} = ?" for text in texts)
        statement = f"DELETE FROM {table} WHERE workspace_id = ? AND {same}"
        dialects.many(connection, statement, [(workspace, *row) for row in named])


_NAMES = {"seen_events": ("name",), "seen_fields": ("name", "path"), "violations": ("name", "field", "detail")}
