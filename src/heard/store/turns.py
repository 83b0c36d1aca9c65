"""When campaigns that recur ask the same contact again: one row for each of the two."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from heard.store import dialects
from heard.store.types import micros, moment


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    workspace: int
    campaign: int
    contact: int
    asked_at: datetime  # the last time
    due_at: datetime


def keep(connection: Connection, turns: Iterable[Turn]) -> None:
    """Insert, or put in the place of the one there was."""
    dialects.many(
        connection,
        "INSERT INTO turns (workspace_id, campaign_id, contact_id, asked_at, due_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (workspace_id, campaign_id, contact_id)"
        " DO UPDATE SET asked_at = excluded.asked_at, due_at = excluded.due_at",
        [(each.workspace, each.campaign, each.contact, micros(each.asked_at), micros(each.due_at)) for each in turns],
    )


def remove(connection: Connection, turns: Iterable[Turn]) -> None:
    dialects.many(
        connection,
        "DELETE FROM turns WHERE workspace_id = ? AND campaign_id = ? AND contact_id = ?",
        [(each.workspace, each.campaign, each.contact) for each in turns],
    )


def due(connection: Connection, campaign: int, now: datetime, limit: int) -> list[Turn]:
    rows = dialects.fetch(
        connection,
        "SELECT workspace_id, campaign_id, contact_id, asked_at, due_at FROM turns"
        " WHERE campaign_id = ? AND due_at <= ? ORDER BY due_at, contact_id LIMIT ?",
        campaign,
        micros(now),
        limit,
    )
    return [
        Turn(workspace=row[0], campaign=row[1], contact=row[2], asked_at=moment(row[3]), due_at=moment(row[4]))
        for row in rows
    ]


def next_due(connection: Connection, campaigns: Collection[int]) -> datetime | None:
    """When the first of these campaigns asks somebody again."""
    earliest = [
        row[0]
        for campaign in campaigns
        for row in dialects.fetch(connection, "SELECT min(due_at) FROM turns WHERE campaign_id = ?", campaign)
        if row[0] is not None
    ]
    return moment(min(earliest)) if earliest else None
