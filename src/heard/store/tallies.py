"""Counts by day: what came in, what was repeated, rejected, held, or left without a contact.

Campaigns keep theirs here too (`heard.store.funnel`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection

from heard.store import dialects

SOURCE = "source:"  # and its id: everything that came from it, whatever became of it

TAKEN = "intake"  # messages that the surveys destination took, whether it has a daily limit or not
VERDICTS = ("accepted", "held", "rejected")  # what messages are tallied as; ":reason" may follow


def add(connection: Connection, counts: Mapping[tuple[int, int, str], int]) -> None:
    """Add counts of (workspace, day, name)."""
    dialects.many(
        connection,
        "INSERT INTO tallies (workspace_id, day, name, n) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (workspace_id, day, name) DO UPDATE SET n = tallies.n + excluded.n",
        [(workspace, day, name, n) for (workspace, day, name), n in counts.items()],
    )


def totals(connection: Connection, workspace: int, *, since: int = 0, before: int = 99_999_999) -> dict[str, int]:
    """What became of messages of a workspace, of the days from `since` until before `before` together."""
    plain = (
        "substr(name, 1, 9) NOT IN ('campaign:', 'audience:', 'followed:')"
        f" AND substr(name, 1, {len(SOURCE)}) <> '{SOURCE}' AND name <> '{TAKEN}'"
    )
    return dict(
        dialects.fetch(
            connection,
            "SELECT name, sum(n) FROM tallies"
            f" WHERE workspace_id = ? AND day >= ? AND day < ? AND {plain} GROUP BY name",
            workspace,
            since,
            before,
        )
    )


class Totals:
    """What became of messages, all days and workspaces together, asked every few seconds by whoever watches.

    Days that are over are summed up once a day; one that the log brings later than the day after counts from the next.
    """

    def __init__(self) -> None:
        self._until, self._over = 0, Counter[str]()

    def read(self, connection: Connection, workspaces: Collection[int], *, yesterday: int) -> Mapping[str, int]:
        if self._until != yesterday:
            self._over = self._sum(connection, workspaces, before=yesterday)
            self._until = yesterday
        return self._over + self._sum(connection, workspaces, since=yesterday)

    def _sum(self, connection: Connection, workspaces: Collection[int], **days: int) -> Counter[str]:
        counted: Counter[str] = Counter()
        for workspace in workspaces:
            counted.update(totals(connection, workspace, **days))
        return counted


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
