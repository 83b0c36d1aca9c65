"""Counts by day: what came in, what was repeated, rejected, held, or left without a contact.

Campaigns keep theirs here too (`heard.store.funnel`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from heard.store import dialects

SOURCE = "source:"  # and its id: everything that came from it, whatever became of it

TAKEN = "intake"  # messages that the surveys destination took, where it has a daily limit
VERDICTS = ("accepted", "held", "rejected")  # what messages are tallied as; ":reason" may follow


def add(connection: Connection, counts: Mapping[tuple[int, int, str], int]) -> None:
    """Add counts of (workspace, day, name)."""
    dialects.many(
        connection,
        "INSERT INTO tallies (workspace_id, day, name, n) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (workspace_id, day, name) DO UPDATE SET n = tallies.n + excluded.n",
        [(workspace, day, name, n) for (workspace, day, name), n in counts.items()],
    )


def totals(connection: Connection, workspace: int | None = None) -> dict[str, int]:
    """What became of messages, all days together, for one workspace or all."""
    where, values = ("", ()) if workspace is None else (" AND workspace_id = ?", (workspace,))
    plain = (
        "substr(name, 1, 9) NOT IN ('campaign:', 'audience:')"
        f" AND substr(name, 1, {len(SOURCE)}) <> '{SOURCE}' AND name <> '{TAKEN}'"
    )
    return dict(
        dialects.fetch(connection, f"SELECT name, sum(n) FROM tallies WHERE {plain}{where} GROUP BY name", *values)
    )


def of_day(connection: Connection, workspace: int, day: int) -> dict[str, int]:
    """Everything that was tallied on one day (20261122), campaigns' names too."""
    return dict(
        dialects.fetch(connection, "SELECT name, n FROM tallies WHERE workspace_id = ? AND day = ?", workspace, day)
    )


def days_of(connection: Connection, workspace: int, verdicts: Iterable[str]) -> frozenset[int]:
    """The days on which messages came in that were tallied as any of these."""
    names = [name for verdict in verdicts for name in (verdict, f"{verdict}:%")]
    asked = " OR ".join(["name LIKE ?"] * len(names))
    rows = dialects.fetch(
        connection, f"SELECT DISTINCT day FROM tallies WHERE workspace_id = ? AND ({asked})", workspace, *names
    )
    return frozenset(row[0] for row in rows)


def messages_by_day(connection: Connection, workspace: int) -> list[tuple[int, int]]:
    """(day, how many messages), whatever became of them."""
    asked = " OR ".join(["name LIKE ?"] * (2 * len(VERDICTS)))
    names = [name for verdict in VERDICTS for name in (verdict, f"{verdict}:%")]
    query = f"SELECT day, sum(n) FROM tallies WHERE workspace_id = ? AND ({asked}) GROUP BY day"
    return [(row[0], int(row[1])) for row in dialects.fetch(connection, query, workspace, *names)]
