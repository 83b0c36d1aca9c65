"""Who is suppressed: marks, by workspace."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from heard.contacts.regulation import SubjectType
from heard.store import dialects
from heard.store.types import micros


def everybody(connection: Connection) -> dict[int, frozenset[str]]:
    """Marks by workspace, of those that suppress somebody."""
    found: dict[int, set[str]] = {}
    for workspace, mark in dialects.fetch(connection, "SELECT workspace_id, mark FROM suppressed"):
        found.setdefault(workspace, set()).add(mark)
    return {workspace: frozenset(marks) for workspace, marks in found.items()}


def add(
    connection: Connection, workspace: int, marks: Iterable[str], subject_type: SubjectType, *, at: datetime
) -> None:
    dialects.many(
        connection,
        "INSERT INTO suppressed (workspace_id, mark, subject_type, at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (workspace_id, mark) DO NOTHING",
        [(workspace, mark, subject_type.value, micros(at)) for mark in marks],
    )


def remove(connection: Connection, workspace: int, marks: Iterable[str]) -> None:
    dialects.many(
        connection,
        "DELETE FROM suppressed WHERE workspace_id = ? AND mark = ?",
        [(workspace, mark) for mark in marks],
    )


def page(connection: Connection, workspace: int, *, after: str = "", limit: int) -> list[tuple[str, SubjectType]]:
    """(mark, what kind of subject), in the order of marks."""
    query = "SELECT mark, subject_type FROM suppressed WHERE workspace_id = ? AND mark > ? ORDER BY mark LIMIT ?"
    return [(row[0], SubjectType(row[1])) for row in dialects.fetch(connection, query, workspace, after, limit)]


def count(connection: Connection, workspace: int) -> int:
    return dialects.fetch(connection, "SELECT count(*) FROM suppressed WHERE workspace_id = ?", workspace)[0][0]
