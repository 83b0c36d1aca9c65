"""Messages as accepted, by the day of receipt; the record for the debugger, replay, dry runs and forgetting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.store import cursors, days, dialects
from heard.store.types import moment


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One message as the debugger shows it."""

    id: int
    source: int
    message_id: str
    type: str
    event: str | None
    user_id: str | None
    anonymous_id: str | None
    at: datetime
    received_at: datetime
    verdict: str
    reason: str | None
    body: bytes


COLUMNS = "id, source_id, message_id, type, event, user_id, anonymous_id, at, received_at, verdict, reason, body"


def already_seen(connection: Connection, day: int, ids: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
    """Which of these (source, messageId) were accepted on this day or the one before."""
    by_source: dict[int, list[str]] = {}
    for source, message_id in ids:
        by_source.setdefault(source, []).append(message_id)
    within = dialects.within(connection)
    seen: set[tuple[int, str]] = set()
    for source, message_ids in by_source.items():
        wanted = dialects.listed(connection, message_ids)
        for table in (f"seen_{day}", f"seen_{days.before(day)}"):
            rows = dialects.fetch(
                connection,
                f"SELECT message_id FROM {table} WHERE source_id = ? AND message_id {within}",
                source,
                wanted,
            )
            seen.update((source, row[0]) for row in rows)
    return seen


def remember(connection: Connection, day: int, ids: Sequence[tuple[int, str]]) -> None:
    dialects.many(connection, f"INSERT INTO seen_{day} (source_id, message_id) VALUES (?, ?)", ids)


def keep(connection: Connection, day: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows of (workspace, source, message id, type, event, user, anonymous, at, received at, verdict, reason, body)."""
    first = cursors.take(connection, "messages", len(rows)) if rows else 0
    dialects.many(
        connection,
        f"INSERT INTO messages_{day} (id, workspace_id, source_id, message_id, type, event, user_id, anonymous_id,"
        " at, received_at, verdict, reason, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(first + index, *row) for index, row in enumerate(rows)],
    )


def settle(connection: Connection, day: int, workspace: int, source: int, message_ids: Sequence[str]) -> None:
    """What was held is held no longer."""
    dialects.many(
        connection,
        f"UPDATE messages_{day} SET verdict = 'accepted' WHERE workspace_id = ? AND source_id = ? AND message_id = ?"
        " AND verdict = 'held'",
        [(workspace, source, message_id) for message_id in message_ids],
    )


def newest(
    connection: Connection,
    workspace: int,
    *,
    before: int | None = None,
    limit: int = 50,
    source: int | None = None,
    user_id: str | None = None,
    verdict: str | None = None,
) -> list[Kept]:
    """The newest first, over as many days as it takes; `before` is the id to go on from."""
    conditions: list[str] = ["workspace_id = ?"]
    values: list[Any] = [workspace]
    for column, value in (("source_id", source), ("user_id", user_id), ("verdict", verdict)):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    if before is not None:
        conditions.append("id < ?")
        values.append(before)
    found: list[Kept] = []
    for day in days.kept(connection):
        rows = dialects.fetch(
            connection,
            f"SELECT {COLUMNS} FROM messages_{day} WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?",
            *values,
            limit - len(found),
        )
        found += [kept_of(row) for row in rows]
        if len(found) >= limit:
            break
    return found


def kept_of(row: Any) -> Kept:
    return Kept(
        id=row[0],
        source=row[1],
        message_id=row[2],
        type=row[3],
        event=row[4],
        user_id=row[5],
        anonymous_id=row[6],
        at=moment(row[7]),
        received_at=moment(row[8]),
        verdict=row[9],
        reason=row[10],
        body=row[11].encode(),
    )
