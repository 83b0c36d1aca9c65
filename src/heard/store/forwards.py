"""Messages on their way to destinations outside: those that had trouble, row by row, and counts of all by hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, delete, func, literal, select, tuple_, update

from heard.routing.forward import Forward, State
from heard.store import dialects
from heard.store.tables import forward_counts, forwards

DELIVERED, RETRIED, DISCARDED, REFUSED, LATENCY = "delivered", "retried", "discarded", "refused", "ms"
GONE = "message_gone"
Count = tuple[int, int, int, str]  # workspace, destination, hour, name


def hour_of(moment: datetime) -> int:
    """The UTC hour as a number that sorts: 2026112217."""
    return ((moment.year * 100 + moment.month) * 100 + moment.day) * 100 + moment.hour


def cursor_of(destination: int) -> str:
    """The name under which a destination's place among the messages is kept."""
    return f"forward:{destination}"


def keep(connection: Connection, made: Sequence[Forward]) -> None:
    """Insert, or bring up to date."""
    for forward in made:
        row = _row_of(forward)
        changing = {name: value for name, value in row.items() if name not in KEY}
        connection.execute(
            dialects.insert(forwards, connection)
            .values(**row)
            .on_conflict_do_update(index_elements=list(KEY), set_=changing)
        )


def due(connection: Connection, destination: int, *, now: datetime, limit: int) -> list[Forward]:
    """What is to be tried again by now, the longest due first."""
    query = (
        select(forwards)
        .where(forwards.c.destination_id == destination, forwards.c.state == "retrying", forwards.c.next_at <= now)
        .order_by(forwards.c.next_at)
        .limit(limit)
    )
    return [forward_of(row) for row in connection.execute(query)]


def tried_within(
    connection: Connection, workspace: int, destination: int, *, after: int, until: int, run: int
) -> frozenset[int]:
    """The messages after the one number, up to the other, that had trouble in this run, whatever came of it."""
    query = select(forwards.c.message).where(
        forwards.c.workspace_id == workspace,
        forwards.c.destination_id == destination,
        forwards.c.message > after,
        forwards.c.message <= until,
        forwards.c.run == run,
    )
    return frozenset(connection.execute(query).scalars())


def next_due(connection: Connection, destination: int) -> datetime | None:
    """When something is to be tried again next; None when nothing is."""
    query = select(forwards.c.next_at).where(forwards.c.destination_id == destination, forwards.c.state == "retrying")
    return connection.execute(query.order_by(forwards.c.next_at).limit(1)).scalar()


def of(
    connection: Connection, workspace: int, destinations: Iterable[int], messages: Iterable[int]
) -> dict[int, list[Forward]]:
    """By message: its forwards to these destinations, without what was sent and answered.

    Both lead the key: neither alone finds anything quickly.
    """
    shown = [column for column in forwards.columns if column.name not in ("request", "answer")]
    query = select(*shown, literal("").label("request"), literal("").label("answer")).where(
        forwards.c.workspace_id == workspace,
        dialects.among(forwards.c.destination_id, destinations, connection),
        dialects.among(forwards.c.message, messages, connection),
    )
    found: dict[int, list[Forward]] = {}
    for row in connection.execute(query):
        found.setdefault(row.message, []).append(forward_of(row))
    return found


def one(connection: Connection, workspace: int, destination: int, message: int) -> Forward | None:
    query = select(forwards).where(
        forwards.c.workspace_id == workspace,
        forwards.c.destination_id == destination,
        forwards.c.message == message,
    )
    row = connection.execute(query).first()
    return forward_of(row) if row else None


def newest(
    connection: Connection,
    workspace: int,
    destination: int,
    *,
    state: State | None = None,
    reason: str | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[Forward]:
    """The ones tried last first; `before` is (last_at, message) of the one to go on from."""
    if state is None:  # each state stands in this order, all together do not
        every = [
            newest(connection, workspace, destination, state=each, reason=reason, before=before, limit=limit)
            for each in State
        ]
        return sorted(chain(*every), key=lambda each: (each.last_at, each.message), reverse=True)[:limit]
    query = select(forwards).where(
        forwards.c.workspace_id == workspace,
        forwards.c.destination_id == destination,
        forwards.c.state == state.value,
    )
    if reason is not None:
        query = query.where(forwards.c.reason == reason)
    if before is not None:
        query = query.where(tuple_(forwards.c.last_at, forwards.c.message) < before)
    query = query.order_by(forwards.c.last_at.desc(), forwards.c.message.desc()).limit(limit)
    return [forward_of(row) for row in connection.execute(query)]


def reasons(connection: Connection, workspace: int, destination: int) -> list[tuple[State, str, int, datetime]]:
    """What keeps messages from a destination: (state, reason, how many, the newest), the most first."""
    query = (
        select(forwards.c.state, forwards.c.reason, func.count(), func.max(forwards.c.last_at))
        .where(forwards.c.workspace_id == workspace, forwards.c.destination_id == destination)
        .where(forwards.c.state != State.DELIVERED.value)
        .group_by(forwards.c.state, forwards.c.reason)
        .order_by(func.count().desc())
    )
    return [(State(row[0]), row[1], row[2], row[3]) for row in connection.execute(query)]


def give_up_day(connection: Connection, workspace: int, destination: int, day: int) -> None:
    """What is tried again of a day is tried no more: its messages go."""
    waiting = (forwards.c.workspace_id == workspace) & (forwards.c.destination_id == destination)
    waiting &= (forwards.c.state == State.RETRYING.value) & (forwards.c.day == day)
    connection.execute(update(forwards).where(waiting).values(state=State.DEAD.value, next_at=None, reason=GONE))


def forget(connection: Connection, workspace: int, destination: int) -> None:
    """The destination is gone, and so is what was on its way to it."""
    for table in (forwards, forward_counts):
        connection.execute(
            delete(table).where(table.c.workspace_id == workspace, table.c.destination_id == destination)
        )


# ── counts ──


def count(connection: Connection, counts: Mapping[Count, int]) -> None:
    dialects.many(
        connection,
        "INSERT INTO forward_counts (workspace_id, destination_id, hour, name, n) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (workspace_id, destination_id, hour, name) DO UPDATE SET n = forward_counts.n + excluded.n",
        [(*key, n) for key, n in counts.items()],
    )


def counted(connection: Connection, workspace: int, *, since: datetime) -> dict[int, dict[str, int]]:
    """By destination: how many of each name since the hour of this moment."""
    table = forward_counts
    query = (
        select(table.c.destination_id, table.c.name, func.sum(table.c.n))
        .where(table.c.workspace_id == workspace, table.c.hour >= hour_of(since))
        .group_by(table.c.destination_id, table.c.name)
    )
    found: dict[int, dict[str, int]] = {}
    for destination, name, n in connection.execute(query):
        found.setdefault(destination, {})[name] = int(n)
    return found


KEY = ("workspace_id", "destination_id", "message")


def _row_of(forward: Forward) -> dict[str, Any]:
    return {
        "workspace_id": forward.workspace,
        "destination_id": forward.destination,
        "message": forward.message,
        "day": forward.day,
        "state": forward.state.value,
        "attempts": forward.attempts,
        "first_at": forward.first_at,
        "last_at": forward.last_at,
        "next_at": forward.next_at,
        "reason": forward.reason[:64],
        "tries": forward.tries,
        "request": forward.request,
        "answer": forward.answer,
        "run": forward.run,
    }


def forward_of(row: Any) -> Forward:
    return Forward(
        workspace=row.workspace_id,
        destination=row.destination_id,
        message=row.message,
        day=row.day,
        state=State(row.state),
        attempts=row.attempts,
        first_at=row.first_at,
        last_at=row.last_at,
        next_at=row.next_at,
        reason=row.reason,
        tries=row.tries,
        request=row.request,
        answer=row.answer,
        run=row.run,
    )
