"""Who changed what: append-only, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from heard.store import cursors
from heard.store.tables import audit

COMMAND_LINE = "command line"
HEARD = "Heard"  # by itself


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    at: datetime
    by: str  # a member's address, `key NAME`, `command line`, or `Heard` by itself
    what: str  # `campaign.paused`
    subject: str  # its name
    detail: dict[str, Any]


def note(
    connection: Connection,
    workspace: int,
    *,
    by: str,
    what: str,
    subject: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """`detail` holds no secret: everybody who may read the log reads it."""
    connection.execute(
        audit.insert().values(
            workspace_id=workspace,
            id=cursors.take(connection, "audit"),
            at=at,
            by=by,
            what=what,
            subject=subject,
            detail=dict(detail or {}),
        )
    )


def newest(connection: Connection, workspace: int, *, before: int | None = None, limit: int = 50) -> list[Noted]:
    """Newest first; `before` is the id of the last one seen."""
    query = select(audit).where(audit.c.workspace_id == workspace)
    if before is not None:
        query = query.where(audit.c.id < before)
    rows = connection.execute(query.order_by(audit.c.id.desc()).limit(limit))
    return [
        Noted(id=row.id, at=row.at, by=row.by, what=row.what, subject=row.subject, detail=row.detail) for row in rows
    ]
