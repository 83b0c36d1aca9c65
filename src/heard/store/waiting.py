"""Messages over a daily limit: they stand in a queue, and are taken in their order when there is room again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from heard.store import days, dialects, tallies
from heard.store.messages import COLUMNS, Kept, kept_of


def add(connection: Connection, workspace: int, day: int, numbers: Iterable[int]) -> None:
    """`day`: the one of their table."""
    rows = [(workspace, number, day) for number in numbers]
    dialects.many(connection, "INSERT INTO waiting (workspace_id, message, day) VALUES (?, ?, ?)", rows)


def first(connection: Connection, workspace: int, limit: int) -> list[tuple[int, int]]:
    """(day, number) of those that came first."""
    query = "SELECT day, message FROM waiting WHERE workspace_id = ? ORDER BY message LIMIT ?"
    return [(row[0], row[1]) for row in dialects.fetch(connection, query, workspace, limit)]


def remove(connection: Connection, workspace: int, numbers: Sequence[int]) -> None:
    dialects.many(
        connection,
        "DELETE FROM waiting WHERE workspace_id = ? AND message = ?",
        [(workspace, number) for number in numbers],
    )


def workspaces(connection: Connection) -> list[int]:
    """Those in which something waits."""
    found: list[int] = []
    query = "SELECT min(workspace_id) FROM waiting WHERE workspace_id > ?"  # a look for each, and not at all that wait
    while (number := dialects.fetch(connection, query, found[-1] if found else 0)[0][0]) is not None:
        found.append(number)
    return found


def count(connection: Connection, workspace: int, *, most: int = 1 << 62) -> int:
    """How many wait, counted up to `most`."""
    query = "SELECT count(*) FROM (SELECT 1 FROM waiting WHERE workspace_id = ? LIMIT ?) w"
    return dialects.fetch(connection, query, workspace, most)[0][0]


def newest(connection: Connection, workspace: int, *, conditions: str, values: Sequence[Any], limit: int) -> list[Kept]:
    """Those that wait, the last to come first. `conditions` are of the tables of messages, and begin with " AND"."""
    query = "SELECT DISTINCT day FROM waiting WHERE workspace_id = ?"
    waiting_of = {row[0] for row in dialects.fetch(connection, query, workspace)}
    found: list[Kept] = []
    for day in days.kept(connection):
        if day in waiting_of and len(found) < limit:
            rows = dialects.fetch(
                connection,
                f"SELECT {COLUMNS} FROM messages_{day} WHERE id IN"
                f" (SELECT message FROM waiting WHERE workspace_id = ? AND day = ?){conditions}"
                " ORDER BY id DESC LIMIT ?",
                workspace,
                day,
                *values,
                limit - len(found),
            )
            found += [kept_of(row) for row in rows]
    return found


def anything(connection: Connection, workspace: int) -> bool:
    return bool(dialects.fetch(connection, "SELECT 1 FROM waiting WHERE workspace_id = ? LIMIT 1", workspace))


def taken(connection: Connection, workspace: int, day: int) -> int:
    """How many were taken on a UTC day."""
    query = "SELECT n FROM tallies WHERE workspace_id = ? AND day = ? AND name = ?"
    rows = dialects.fetch(connection, query, workspace, day, tallies.TAKEN)
    return rows[0][0] if rows else 0
