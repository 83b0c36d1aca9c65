"""What came from which source, and when. Counts come from the tallies; only the newest rows of a day are looked at, so
the size of the messages' tables does not matter."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection

from heard.store import days, dialects
from heard.store.messages import COLUMNS, Kept, kept_of
from heard.store.tallies import SOURCE

LOOKED_AT = 20_000  # rows of a day; in a busier one an older message of a quiet source is known by its day only


class Arrivals(msgspec.Struct, frozen=True, kw_only=True):
    """What came from one source. Days are UTC days."""

    today: int = 0
    yesterday: int = 0
    last_day: datetime | None = None  # its midnight; None = never
    newest: Kept | None = None


def by_source(connection: Connection, workspace: int, *, now: datetime) -> dict[int, Arrivals]:
    """Every source of the workspace that something ever came from."""
    rows = dialects.fetch(
        connection,
        "SELECT name, max(day), sum(CASE WHEN day = ? THEN n ELSE 0 END), sum(CASE WHEN day = ? THEN n ELSE 0 END)"
        f" FROM tallies WHERE workspace_id = ? AND substr(name, 1, {len(SOURCE)}) = ? GROUP BY name",
        (today := days.day_of(now)),
        days.before(today),
        workspace,
        SOURCE,
    )
    kept = set(days.kept(connection))
    found: dict[int, Arrivals] = {}
    for name, last, of_today, of_yesterday in rows:
        source = int(name.removeprefix(SOURCE))
        newest = _newest(connection, last, "source_id = ?", source, 1) if last in kept else []
        found[source] = Arrivals(
            today=int(of_today),
            yesterday=int(of_yesterday),
            last_day=_midnight(last),
            newest=newest[0] if newest else None,
        )
    return found


def ever(connection: Connection, workspace: int) -> bool:
    """Whether anything ever came to the workspace, were it refused."""
    query = "SELECT 1 FROM tallies WHERE workspace_id = ? AND name NOT LIKE ? LIMIT 1"
    return bool(dialects.fetch(connection, query, workspace, "campaign:%"))


def newest(connection: Connection, workspace: int, *, source: int | None = None, limit: int = 5) -> list[Kept]:
    """The newest messages of the last day that had any, of the workspace or of one source; newest first."""
    name = f"{SOURCE}%" if source is None else f"{SOURCE}{source}"
    query = "SELECT max(day) FROM tallies WHERE workspace_id = ? AND name LIKE ?"
    last = dialects.fetch(connection, query, workspace, name)[0][0]
    if last is None or last not in days.kept(connection):
        return []
    if source is None:
        return _newest(connection, last, "workspace_id = ?", workspace, limit)
    return _newest(connection, last, "source_id = ?", source, limit)


def _newest(connection: Connection, day: int, condition: str, value: int, limit: int) -> list[Kept]:
    rows = dialects.fetch(
        connection,
        f"SELECT {COLUMNS} FROM messages_{day} WHERE {condition}"
        f" AND id > (SELECT max(id) FROM messages_{day}) - {LOOKED_AT} ORDER BY id DESC LIMIT ?",
        value,
        limit,
    )
    return [kept_of(row) for row in rows]


def _midnight(day: int) -> datetime:
    return datetime(day // 10_000, day // 100 % 100, day % 100, tzinfo=UTC)
