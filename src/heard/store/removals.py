"""What the length of keeping has removed: since when nothing older is there, and how much went the last time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from heard.retention import Kind
from heard.store import days, dialects
from heard.store.types import micros, moment


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """`n` of all workspaces were removed at `at`; nothing from before `gone_before` is there any more."""

    gone_before: datetime
    at: datetime
    n: int


def note(connection: Connection, kind: Kind, *, before: datetime, run: datetime, n: int) -> None:
    """`n` more were removed, of what is older than `before`; `run` is when this round of removing began."""
    dialects.many(
        connection,
        "INSERT INTO removals (kind, gone_before, at, n) VALUES (?, ?, ?, ?) ON CONFLICT (kind) DO UPDATE SET"
        " n = CASE WHEN removals.at = excluded.at THEN removals.n ELSE 0 END + excluded.n, at = excluded.at,"
        " gone_before = CASE WHEN excluded.gone_before > removals.gone_before THEN excluded.gone_before"
        " ELSE removals.gone_before END",
        [(kind.value, micros(before), micros(run), n)],
    )


def all_(connection: Connection) -> Mapping[Kind, Removal]:
    """By kind, of those of which something was ever removed."""
    rows = dialects.fetch(connection, "SELECT kind, gone_before, at, n FROM removals")
    return {
        Kind(row[0]): Removal(gone_before=_there_from(connection, *row[:2]), at=moment(row[2]), n=row[3])
        for row in rows
    }


def gone_before(connection: Connection, kind: Kind) -> datetime | None:
    """Nothing of this kind is there from before that moment; None when nothing was ever removed."""
    rows = dialects.fetch(connection, "SELECT gone_before FROM removals WHERE kind = ?", kind.value)
    return _there_from(connection, kind.value, rows[0][0]) if rows else None


def _there_from(connection: Connection, kind: str, gone_before: int) -> datetime:
    """A day of messages that somebody still needs stays, though younger ones went."""
    gone = moment(gone_before)
    oldest = days.kept(connection)[-1:] if kind == Kind.MESSAGES.value else []
    return min([gone, *(days.end_of(day) - timedelta(days=1) for day in oldest)])
