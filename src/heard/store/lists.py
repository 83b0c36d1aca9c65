"""Lists: named sets of contacts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection

from heard.contacts.contact import Contact
from heard.store import contacts, cursors, dialects


class List(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    members: int


def all_of(connection: Connection, workspace: int) -> list[List]:
    """Every list of a workspace with how many are on it, by name; members are counted down their index."""
    rows = dialects.fetch(
        connection,
        "SELECT l.id, l.name, (SELECT count(*) FROM list_members m WHERE m.workspace_id = l.workspace_id"
        " AND m.list_id = l.id) FROM lists l WHERE l.workspace_id = ? ORDER BY lower(l.name), l.id",
        workspace,
    )
    return [List(id=row[0], name=row[1], members=row[2]) for row in rows]


def number_of(connection: Connection, workspace: int, name: str) -> int | None:
    rows = dialects.fetch(connection, "SELECT id FROM lists WHERE workspace_id = ? AND name = ?", workspace, name)
    return rows[0][0] if rows else None


def named(connection: Connection, workspace: int, number: int) -> List | None:
    return next((each for each in all_of(connection, workspace) if each.id == number), None)


def make(connection: Connection, workspace: int, name: str) -> int:
    """The number of the list of that name, which is made when there is none."""
    if (number := number_of(connection, workspace, name)) is None:
        number = cursors.take(connection, "lists")
        dialects.many(
            connection, "INSERT INTO lists (workspace_id, id, name) VALUES (?, ?, ?)", [(workspace, number, name)]
        )
    return number


def remove(connection: Connection, workspace: int, number: int) -> None:
    """The list, not its contacts."""
    for table, column in (("list_members", "list_id"), ("lists", "id")):
        dialects.many(connection, f"DELETE FROM {table} WHERE workspace_id = ? AND {column} = ?", [(workspace, number)])


def put_on(connection: Connection, workspace: int, name: str, people: Iterable[int], at: int) -> None:
    """Add contacts to a list, which is made when there is none of that name. `at` in microseconds."""
    number = make(connection, workspace, name)
    dialects.many(
        connection,
        "INSERT INTO list_members (workspace_id, list_id, contact_id, at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (workspace_id, list_id, contact_id) DO NOTHING",
        [(workspace, number, contact, at) for contact in people],
    )


def take_off(connection: Connection, workspace: int, number: int, contact: int) -> None:
    dialects.many(
        connection,
        "DELETE FROM list_members WHERE workspace_id = ? AND list_id = ? AND contact_id = ?",
        [(workspace, number, contact)],
    )


def of_contact(connection: Connection, workspace: int, contact: int) -> list[str]:
    """The names of the lists that a contact is on."""
    rows = dialects.fetch(
        connection,
        "SELECT l.name FROM list_members m JOIN lists l ON l.workspace_id = m.workspace_id AND l.id = m.list_id"
        " WHERE m.workspace_id = ? AND m.contact_id = ? ORDER BY l.name",
        workspace,
        contact,
    )
    return [row[0] for row in rows]


def of_contacts(connection: Connection, workspace: int, people: Iterable[int]) -> dict[str, set[int]]:
    """Which of these contacts are on which list, by its name."""
    rows = dialects.fetch(
        connection,
        "SELECT l.name, m.contact_id FROM list_members m JOIN lists l ON l.workspace_id = m.workspace_id"
        f" AND l.id = m.list_id WHERE m.workspace_id = ? AND m.contact_id {dialects.within(connection)}",
        workspace,
        dialects.listed(connection, people),
    )
    found: dict[str, set[int]] = defaultdict(set)
    for name, contact in rows:
        found[name].add(contact)
    return found


def members(connection: Connection, workspace: int, number: int, *, after: int, limit: int) -> list[Contact]:
    """Those on a list whose ids follow `after`, in their order."""
    return _people(
        connection,
        workspace,
        "SELECT contact_id FROM list_members WHERE workspace_id = ? AND list_id = ? AND contact_id > ?"
        " ORDER BY contact_id LIMIT ?",
        (number, after, limit),
    )


def members_of_audience(
    connection: Connection, workspace: int, audience: int, *, after: int, limit: int
) -> list[Contact]:
    """Those in an audience now whose ids follow `after`, in their order."""
    return _people(
        connection,
        workspace,
        "SELECT DISTINCT contact_id FROM audience_memberships WHERE workspace_id = ? AND audience_id = ?"
        " AND left_at IS NULL AND contact_id > ? ORDER BY contact_id LIMIT ?",
        (audience, after, limit),
    )


def _people(connection: Connection, workspace: int, query: str, values: tuple[int, ...]) -> list[Contact]:
    ids = [row[0] for row in dialects.fetch(connection, query, workspace, *values)]
    found = contacts.by_id(connection, workspace, ids)
    return [found[number] for number in ids if number in found]
