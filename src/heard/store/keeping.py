"""Removing what has been kept long enough, piece by piece: each piece is one short transaction, and the next one goes
on where it stopped, also after a crash, for what is left is what is still too old.

Pieces are small because there is one writer: a day of a million messages takes SQLite eight seconds to drop, which
overwrites what it deletes, and nothing would be routed meanwhile. PostgreSQL drops it in a third of one, beside the
writer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from heard.retention import Kind
from heard.store import days, dialects, removals, seen
from heard.store.forwards import hour_of
from heard.store.tables import WITH_ORIGIN
from heard.store.types import micros

A_PIECE = 0.01  # seconds of the writer's time; with its commit, which writes as many pages, about 50 ms
ROWS = 250  # removed between two looks at the clock
A_FEW = 500  # rows of the small tables

Removing = Callable[[Connection, datetime], int]
"""Remove some of what is older than a moment; how many, 0 when nothing is left."""


def for_a_piece(step: Callable[[], int]) -> tuple[int, bool]:
    """Repeat a step until it finds nothing or the piece is over; gives how many rows, and whether there may be more."""
    total, until = 0, time.perf_counter() + A_PIECE
    while n := step():
        total += n
        if time.perf_counter() >= until:
            return total, True
    return total, False


# ── days ──


def drop_a_piece(connection: Connection, day: int, destinations: Iterable[tuple[int, int]], *, run: datetime) -> bool:
    """The oldest messages that are left of a day, with what became of them at `destinations` (workspace, number);
    whether there are more. SQLite's table goes with the last of them; PostgreSQL's is left to `drop_at_once`."""
    table, whose = f"messages_{day}", list(destinations)
    if not dialects.is_sqlite(connection):
        ((low, high),) = dialects.fetch(connection, f"SELECT min(id), max(id) FROM {table}")
        if low is None:
            return False
        return for_a_piece(partial(_forget_forwards, connection, day, low, high, whose))[1]

    def some() -> int:
        rows = dialects.fetch(connection, f"SELECT id FROM {table} ORDER BY id LIMIT {ROWS}")
        if rows:
            while _forget_forwards(connection, day, rows[0][0], rows[-1][0], whose):
                pass
            dialects.changed(connection, f"DELETE FROM {table} WHERE id <= ?", rows[-1][0])
        return len(rows)

    n, more = for_a_piece(some)
    if not more:
        dialects.drop_table(connection, table)
    if n:  # the eve of a first day is made empty
        removals.note(connection, Kind.MESSAGES, before=days.end_of(day), run=run, n=n)
    return more


def drop_at_once(connection: Connection, day: int, *, run: datetime) -> bool:
    """A whole day, where that need not be the writer's work; False when somebody reads it, a backup perhaps."""
    ((n,),) = dialects.fetch(connection, f"SELECT count(*) FROM messages_{day}")
    if not dialects.drop_table(connection, f"messages_{day}"):
        return False
    if n:
        removals.note(connection, Kind.MESSAGES, before=days.end_of(day), run=run, n=n)
    return True


def _forget_forwards(connection: Connection, day: int, low: int, high: int, whose: list[tuple[int, int]]) -> int:
    """`day` beside the numbers: those of two days are mixed where a clock was set back."""
    n = 0
    for workspace, destination in whose:
        rows = dialects.fetch(
            connection,
            "SELECT message FROM forwards WHERE workspace_id = ? AND destination_id = ? AND message >= ?"
            f" AND message <= ? AND day = ? LIMIT {ROWS}",
            workspace,
            destination,
            low,
            high,
            day,
        )
        dialects.many(
            connection,
            "DELETE FROM forwards WHERE workspace_id = ? AND destination_id = ? AND message = ?",
            [(workspace, destination, row[0]) for row in rows],
        )
        n += len(rows)
    return n


def forget_seen(connection: Connection, *, before: int) -> bool:
    """A piece of the messageIds of days before this one; whether there are more."""
    old = sorted(name for name in dialects.table_names(connection, "seen_2") if int(name[5:]) < before)
    if not old:
        return False
    name, more = old[0], False
    if dialects.is_sqlite(connection):
        oldest = f"SELECT source_id, message_id FROM {name} ORDER BY source_id, message_id LIMIT {ROWS * 4}"
        deletion = f"DELETE FROM {name} WHERE (source_id, message_id) IN ({oldest})"
        _, more = for_a_piece(partial(dialects.changed, connection, deletion))
    if not more and not dialects.drop_table(connection, name):
        return False  # somebody reads it: the next hour is early enough
    return more or len(old) > 1


# ── rows ──


def remove(connection: Connection, old: Mapping[Kind, datetime], *, run: datetime) -> tuple[set[Kind], bool]:
    """A piece of what is older than the moment of its kind, of all that have rows of their own: the kinds of which some
    went, and whether there may be more."""
    removed: set[Kind] = set()
    for kind, before in old.items():
        n, more = for_a_piece(partial(STEPS[kind], connection, before))
        if n:
            removed.add(kind)
            removals.note(connection, kind, before=before, run=run, n=n)
        if more:
            return removed, True
    return removed, False


def _answers(connection: Connection, before: datetime) -> int:
    rows = dialects.fetch(
        connection,
        f"SELECT workspace_id, id FROM responses WHERE answered_at < ? ORDER BY answered_at LIMIT {ROWS}",
        micros(before),
    )
    keys = [tuple(row) for row in rows]
    for table, key in (("response_revisions", "response_id"), ("responses", "id")):
        dialects.many(connection, f"DELETE FROM {table} WHERE workspace_id = ? AND {key} = ?", keys)
    return len(rows)


def _origins(connection: Connection, before: datetime) -> int:
    """The row stays: that a link was opened is counted by invitation, and an answer has its versions."""
    n = 0
    for table, key in (("clicks", "id"), ("response_revisions", "response_id")):
        old = f"at < ? AND {WITH_ORIGIN}"
        rows = dialects.fetch(
            connection,
            f"SELECT workspace_id, {key}, at FROM {table} WHERE {old} ORDER BY at LIMIT {ROWS}",
            micros(before),
        )
        dialects.many(
            connection,
            f"UPDATE {table} SET agent = '', client = '' WHERE workspace_id = ? AND {key} = ? AND at = ?",
            [tuple(row) for row in rows],
        )
        n += len(rows)
    rows = dialects.fetch(
        connection,
        f"SELECT workspace_id, delivery_id FROM opens WHERE at < ? AND agent <> '' ORDER BY at LIMIT {ROWS}",
        micros(before),
    )
    agent = "UPDATE opens SET agent = '' WHERE workspace_id = ? AND delivery_id = ?"
    dialects.many(connection, agent, [tuple(row) for row in rows])
    return n + len(rows)


def _mail_events(connection: Connection, before: datetime) -> int:
    rows = dialects.fetch(
        connection,
        f"SELECT workspace_id, id FROM mail_events WHERE received_at < ? ORDER BY received_at LIMIT {ROWS}",
        micros(before),
    )
    dialects.many(connection, "DELETE FROM mail_events WHERE workspace_id = ? AND id = ?", [tuple(row) for row in rows])
    return len(rows)


def _dead_letters(connection: Connection, before: datetime) -> int:
    n = 0
    for workspace, destination in destinations_of(connection):
        condition = "workspace_id = ? AND destination_id = ? AND state = 'dead' AND last_at < ?"
        rows = dialects.fetch(
            connection,
            "SELECT workspace_id, destination_id, message"
            f" FROM {dialects.by('forwards_newest', 'forwards', connection)} WHERE {condition} LIMIT {ROWS}",
            workspace,
            destination,
            micros(before),
        )
        dialects.many(
            connection,
            "DELETE FROM forwards WHERE workspace_id = ? AND destination_id = ? AND message = ?",
            [tuple(row) for row in rows],
        )
        n += len(rows)
    return n


def _counts(connection: Connection, before: datetime) -> int:
    n = 0
    for workspace, destination in destinations_of(connection):
        n += dialects.changed(
            connection,
            "DELETE FROM forward_counts WHERE workspace_id = ? AND destination_id = ? AND hour <= (SELECT max(hour)"
            " FROM (SELECT hour FROM forward_counts WHERE workspace_id = ? AND destination_id = ? AND hour < ?"
            f" ORDER BY hour LIMIT {A_FEW}) oldest)",
            workspace,
            destination,
            workspace,
            destination,
            hour_of(before),
        )
    return n


def _audit(connection: Connection, before: datetime) -> int:
    n = 0
    for (workspace,) in dialects.fetch(connection, "SELECT id FROM workspaces"):
        rows = dialects.fetch(
            connection, f"SELECT id, at FROM audit WHERE workspace_id = ? ORDER BY id LIMIT {A_FEW}", workspace
        )
        keys = [(workspace, row[0]) for row in rows if row[1] < micros(before)]
        dialects.many(connection, "DELETE FROM audit WHERE workspace_id = ? AND id = ?", keys)
        n += len(keys)
    return n


def _set_aside(connection: Connection, before: datetime) -> int:
    rows = dialects.fetch(connection, 'SELECT "offset", at FROM set_aside ORDER BY "offset" LIMIT 20')  # large ones
    keys = [(row[0],) for row in rows if row[1] < micros(before)]
    dialects.many(connection, 'DELETE FROM set_aside WHERE "offset" = ?', keys)
    return len(keys)


def _small(table: str, over: str, key: tuple[str, ...] = ("workspace_id", "id")) -> Removing:
    """Of a table that stays small, and is looked through whole."""
    columns, matched = ", ".join(key), " AND ".join(f"{column} = ?" for column in key)

    def step(connection: Connection, before: datetime) -> int:
        values = [micros(before)] * over.count("?")
        rows = dialects.fetch(connection, f"SELECT {columns} FROM {table} WHERE {over} LIMIT {A_FEW}", *values)
        dialects.many(connection, f"DELETE FROM {table} WHERE {matched}", [tuple(row) for row in rows])
        return len(rows)

    return step


_invites = _small("invites", "coalesce(used_at, expires_at) < ?")
_sessions = _small("sessions", "last_seen < ?", ("fingerprint",))


def _sign_ins(connection: Connection, before: datetime) -> int:
    return _invites(connection, before) + _sessions(connection, before)


def _violations(connection: Connection, before: datetime) -> int:
    return seen.forget_violations(connection, before=days.day_of(before))


STEPS: dict[Kind, Removing] = {
    Kind.ANSWERS: _answers,
    Kind.CLICKS: _origins,
    Kind.MAIL_EVENTS: _mail_events,
    Kind.DEAD_LETTERS: _dead_letters,
    Kind.COUNTS: _counts,
    Kind.AUDIT: _audit,
    Kind.SET_ASIDE: _set_aside,
    Kind.VIOLATIONS: _violations,
    Kind.REPLAYS: _small("replays", "state <> 'running' AND at < ?"),
    Kind.REQUESTS: _small("regulations", "state = 'FINISHED' AND finished_at < ?"),
    Kind.SIGN_INS: _sign_ins,
}


def destinations_of(connection: Connection) -> list[tuple[int, int]]:
    """(workspace, number) of all there are."""
    rows: list[Any] = dialects.fetch(connection, "SELECT workspace_id, id FROM destinations ORDER BY workspace_id, id")
    return [(row[0], row[1]) for row in rows]
