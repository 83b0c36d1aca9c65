"""Counts by day: what came in, what was repeated, rejected, held, or left without a contact."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from heard.store import dialects


def add(connection: Connection, counts: Mapping[tuple[int, int, str], int]) -> None:
    """Add counts of (workspace, day, name)."""
    dialects.many(
        connection,
        "INSERT INTO tallies (workspace_id, day, name, n) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (workspace_id, day, name) DO UPDATE SET n = tallies.n + excluded.n",
        [(workspace, day, name, n) for (workspace, day, name), n in counts.items()],
    )


def totals(connection: Connection, workspace: int | None = None) -> dict[str, int]:
    """All days together, for one workspace or all."""
    where, values = ("", ()) if workspace is None else (" WHERE workspace_id = ?", (workspace,))
    return dict(dialects.fetch(connection, f"SELECT name, sum(n) FROM tallies{where} GROUP BY name", *values))
