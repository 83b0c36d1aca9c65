"""Privacy requests, and how far each has come."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, update

from heard.contacts.regulation import Regulation, State, SubjectType, Type
from heard.store import cursors
from heard.store.tables import regulations

UNFINISHED = (State.INITIALIZED.value, State.RUNNING.value)


def next_id(connection: Connection) -> int:
    return cursors.take(connection, "regulations")


def keep(connection: Connection, regulation: Regulation) -> None:
    connection.execute(regulations.insert().values(**_row(regulation)))


def change(connection: Connection, regulation: Regulation) -> None:
    """Bring its row up to date; what was found for it stays as it is."""
    row = _row(regulation)
    connection.execute(
        update(regulations)
        .where(regulations.c.workspace_id == row.pop("workspace_id"), regulations.c.id == row.pop("id"))
        .values(**row)
    )


def found(connection: Connection, regulation: Regulation) -> Any:
    """Under which ids the next of its subjects are known; None before anybody has looked."""
    table = regulations.c
    query = select(table.found).where(table.workspace_id == regulation.workspace, table.id == regulation.id)
    return connection.execute(query).scalar()


def keep_found(connection: Connection, regulation: Regulation, what: Any) -> None:
    connection.execute(
        update(regulations)
        .where(regulations.c.workspace_id == regulation.workspace, regulations.c.id == regulation.id)
        .values(found=what)
    )


def unfinished(connection: Connection) -> list[Regulation]:
    """Of every workspace, the oldest first."""
    query = select(regulations).where(regulations.c.state.in_(UNFINISHED)).order_by(regulations.c.id)
    return [regulation_of(row) for row in connection.execute(query)]


def failed(connection: Connection) -> list[Regulation]:
    query = select(regulations).where(regulations.c.state == State.FAILED.value)
    return [regulation_of(row) for row in connection.execute(query)]


def one(connection: Connection, workspace: int, number: int) -> Regulation | None:
    query = select(regulations).where(regulations.c.workspace_id == workspace, regulations.c.id == number)
    row = connection.execute(query).first()
    return regulation_of(row) if row else None


def newest(
    connection: Connection,
    workspace: int,
    *,
    state: State | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Regulation]:
    """The newest first; `before` is the id of the last one seen."""
    query = select(regulations).where(regulations.c.workspace_id == workspace)
    if state is not None:
        query = query.where(regulations.c.state == state.value)
    if before is not None:
        query = query.where(regulations.c.id < before)
    rows = connection.execute(query.order_by(regulations.c.id.desc()).limit(limit))
    return [regulation_of(row) for row in rows]


def count(connection: Connection, workspace: int) -> int:
    query = select(func.count()).select_from(regulations).where(regulations.c.workspace_id == workspace)
    return connection.execute(query).scalar() or 0


def _row(regulation: Regulation) -> dict[str, Any]:
    row = msgspec.structs.asdict(regulation)
    row["workspace_id"] = row.pop("workspace")
    for name in ("type", "subject_type", "state"):
        row[name] = row[name].value
    return row


def regulation_of(row: Any) -> Regulation:
    return Regulation(
        id=row.id,
        workspace=row.workspace_id,
        type=Type(row.type),
        subject_type=SubjectType(row.subject_type),
        subjects=row.subjects,
        marks=row.marks,
        count=row.count,
        state=State(row.state),
        erased=row.erased,
        tell=row.tell,
        told=row.told,
        removed=row.removed,
        by=row.by,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
