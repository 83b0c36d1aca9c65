"""Windows of history that go to one destination again, and how far each has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from heard.store import cursors
from heard.store.tables import replays

RUNNING, DONE, CANCELLED = "running", "done", "cancelled"


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """Everything received from `since` until before `until` that `destination` may have; `last` is its last number."""

    id: int
    workspace: int
    destination: int
    since: datetime
    until: datetime
    position: int
    last: int
    looked_at: int
    sent: int
    state: str
    by: str
    at: datetime


def begin(connection: Connection, workspace: int, **values: Any) -> Replay:
    """`values`: destination, since, until, position, last, by, at."""
    made = Replay(
        id=cursors.take(connection, "replays"),
        workspace=workspace,
        looked_at=0,
        sent=0,
        state=RUNNING if values["last"] > values["position"] else DONE,
        **values,
    )
    row = msgspec.structs.asdict(made)
    row["workspace_id"], row["destination_id"] = row.pop("workspace"), row.pop("destination")
    connection.execute(replays.insert().values(**row))
    return made


def running(connection: Connection, destination: int) -> Replay | None:
    """The oldest one that is not done."""
    query = select(replays).where(replays.c.destination_id == destination, replays.c.state == RUNNING)
    row = connection.execute(query.order_by(replays.c.id).limit(1)).first()
    return replay_of(row) if row else None


def progress(connection: Connection, replay: Replay) -> None:
    """It has come so far; one that somebody cancelled meanwhile stays so."""
    connection.execute(
        update(replays)
        .where(replays.c.workspace_id == replay.workspace, replays.c.id == replay.id, replays.c.state == RUNNING)
        .values(position=replay.position, looked_at=replay.looked_at, sent=replay.sent, state=replay.state)
    )


def cancel(connection: Connection, workspace: int, number: int) -> None:
    connection.execute(
        update(replays)
        .where(replays.c.workspace_id == workspace, replays.c.id == number, replays.c.state == RUNNING)
        .values(state=CANCELLED)
    )


def cancel_all(connection: Connection, workspace: int, destination: int) -> None:
    """Those of a destination that is going."""
    connection.execute(
        update(replays)
        .where(replays.c.workspace_id == workspace, replays.c.destination_id == destination, replays.c.state == RUNNING)
        .values(state=CANCELLED)
    )


def one(connection: Connection, workspace: int, number: int) -> Replay | None:
    row = connection.execute(select(replays).where(replays.c.workspace_id == workspace, replays.c.id == number)).first()
    return replay_of(row) if row else None


def newest(connection: Connection, workspace: int, destination: int, *, limit: int = 10) -> list[Replay]:
    query = select(replays).where(replays.c.workspace_id == workspace, replays.c.destination_id == destination)
    return [replay_of(row) for row in connection.execute(query.order_by(replays.c.id.desc()).limit(limit))]


def replay_of(row: Any) -> Replay:
    return Replay(
        id=row.id,
        workspace=row.workspace_id,
        destination=row.destination_id,
        since=row.since,
        until=row.until,
        position=row.position,
        last=row.last,
        looked_at=row.looked_at,
        sent=row.sent,
        state=row.state,
        by=row.by,
        at=row.at,
    )
