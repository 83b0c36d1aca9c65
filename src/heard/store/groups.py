"""Groups and who belongs to them: loaded by the batch, kept by one upsert a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from heard.contacts.group import Group, Member, Membership
from heard.store import dialects
from heard.store.types import micros, moment

UPSERT = (
    "INSERT INTO groups (workspace_id, id, group_id, traits, first_seen, updated_at) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (workspace_id, id) DO UPDATE SET traits = excluded.traits, updated_at = excluded.updated_at"
)
JOIN = (
    "INSERT INTO group_members (workspace_id, group_id, member, anonymous, at) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (workspace_id, group_id, member, anonymous) DO NOTHING"
)
MOST = 200  # groups of one person that are shown
_COLUMNS = "workspace_id, id, group_id, traits, first_seen, updated_at"


def by_group_id(connection: Connection, workspace: int, ids: Iterable[str]) -> dict[str, Group]:
    """Those of these groups that are known. On PostgreSQL their rows are held, in the order of id."""
    rows = dialects.fetch(
        connection,
        f"SELECT {_COLUMNS} FROM groups WHERE workspace_id = ? AND group_id {dialects.within(connection)}"
        + ("" if dialects.is_sqlite(connection) else " ORDER BY id FOR UPDATE"),
        workspace,
        dialects.listed(connection, ids),
    )
    return {row[2]: _group(row) for row in rows}


def keep(connection: Connection, workspace: int, groups: Iterable[Group], joined: Mapping[Member, datetime]) -> None:
    """Groups as whole rows, and who joined when; whoever belongs to one already has joined before."""
    dialects.many(
        connection,
        UPSERT,
        [
            (
                each.workspace,
                each.id,
                each.group_id,
                each.traits.decode(),
                micros(each.first_seen),
                micros(each.updated_at),
            )
            for each in groups
        ],
    )
    rows = [(workspace, each.group, each.id, int(each.anonymous), micros(at)) for each, at in joined.items()]
    dialects.many(connection, JOIN, rows)


def of_person(connection: Connection, workspace: int, user_id: str, anonymous_ids: Iterable[str]) -> list[Membership]:
    """The groups that somebody joined by their userId or under an anonymous id of theirs; the first joined first."""
    members = dialects.by("group_members_by_member", "group_members", connection)
    rows = dialects.fetch(
        connection,
        "SELECT g.workspace_id, g.id, g.group_id, g.traits, g.first_seen, g.updated_at, m.since FROM"
        " (SELECT group_id, min(at) AS since FROM"
        f" (SELECT group_id, at FROM {members} WHERE workspace_id = ? AND member = ? AND anonymous = 0"
        f" UNION ALL SELECT group_id, at FROM {members}"
        f" WHERE workspace_id = ? AND member {dialects.within(connection)} AND anonymous = 1) AS theirs"
        " GROUP BY group_id ORDER BY min(at), group_id LIMIT ?) AS m"
        " JOIN groups g ON g.workspace_id = ? AND g.id = m.group_id ORDER BY m.since, g.id",
        workspace,
        user_id,
        workspace,
        dialects.listed(connection, anonymous_ids),
        MOST,
        workspace,
    )
    return [Membership(group=_group(row), since=moment(row[6])) for row in rows]


def _group(row: Any) -> Group:
    return Group(
        workspace=row[0],
        id=row[1],
        group_id=row[2],
        traits=row[3].encode(),
        first_seen=moment(row[4]),
        updated_at=moment(row[5]),
    )
