"""Whose the anonymous ids are: loaded by the batch, kept by one upsert; the latest word counts."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from heard.contacts.identity import Link
from heard.store import dialects
from heard.store.types import micros

UPSERT = (
    "INSERT INTO anonymous_ids (workspace_id, anonymous_id, user_id, at, shared) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (workspace_id, anonymous_id) DO UPDATE"
    " SET user_id = excluded.user_id, at = excluded.at, shared = excluded.shared"
)
MOST = 100  # browsers and devices of one person that are looked at, the newest


def users_of(connection: Connection, workspace: int, anonymous_ids: Iterable[str]) -> dict[str, str]:
    """anonymousId -> userId, of those that are known."""
    rows = dialects.fetch(
        connection,
        "SELECT anonymous_id, user_id FROM anonymous_ids"
        f" WHERE workspace_id = ? AND anonymous_id {dialects.within(connection)}",
        workspace,
        dialects.listed(connection, anonymous_ids),
    )
    return {row[0]: row[1] for row in rows}


def of_user(connection: Connection, workspace: int, user_id: str) -> list[str]:
    """The anonymous ids that are this user's, the latest first."""
    rows = dialects.fetch(
        connection,
        f"SELECT anonymous_id FROM {dialects.by('anonymous_ids_by_user', 'anonymous_ids', connection)}"
        " WHERE workspace_id = ? AND user_id = ? ORDER BY at DESC, anonymous_id LIMIT ?",
        workspace,
        user_id,
        MOST,
    )
    return [row[0] for row in rows]


def keep(connection: Connection, workspace: int, links: Iterable[Link]) -> None:
    rows = [(workspace, each.anonymous_id, each.user_id, micros(each.at), int(each.shared)) for each in links]
    dialects.many(connection, UPSERT, rows)
