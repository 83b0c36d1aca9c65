"""Positions and sequences: the router's offset on the log, and the next number of everything that is numbered.

The single writer allocates numbers in the transaction that uses them, so a number is never used twice and a rolled back
transaction gives its numbers back.
"""

from __future__ import annotations

from sqlalchemy import Connection

from heard.store import dialects

ROUTER = "router"


def get(connection: Connection, name: str) -> int:
    rows = dialects.fetch(connection, "SELECT value FROM cursors WHERE name = ?", name)
    return rows[0][0] if rows else 0


def known(connection: Connection, name: str) -> int | None:
    """The same; None where it was never put."""
    rows = dialects.fetch(connection, "SELECT value FROM cursors WHERE name = ?", name)
    return rows[0][0] if rows else None


def put(connection: Connection, name: str, value: int) -> None:
    dialects.many(
        connection,
        "INSERT INTO cursors (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [(name, value)],
    )


def take(connection: Connection, sequence: str, count: int = 1) -> int:
    """Reserve `count` numbers; returns the first. Sequences begin at 1."""
    rows = dialects.fetch(
        connection,
        "INSERT INTO cursors (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = cursors.value + excluded.value RETURNING value",
        f"next:{sequence}",
        count,
    )
    return rows[0][0] - count + 1
