"""The day tables: messages as accepted, and the messageIds seen, one pair a day of receipt, dropped whole.

The pair of a day is made when its first message arrives. A repeat is looked for in the table of the day and of the day
before, so an id is remembered for at least 24 hours; what a decision led to is unique for ever, so a later repeat still
sends nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, MetaData, String, Table, Text, text

from heard.store import dialects
from heard.store.types import Bytes, Moment

ANONYMOUS = "user_id IS NULL AND anonymous_id IS NOT NULL"


@lru_cache(maxsize=64)
def messages_of(day: int) -> Table:
    """`messages_20261122`. `id` grows with the log; `reason` says why a message was rejected or what came of it."""
    return Table(
        f"messages_{day}",
        MetaData(),
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
        Column("workspace_id", BigInteger, nullable=False),
        Column("source_id", BigInteger, nullable=False),
        Column("message_id", Text, nullable=False),
        Column("type", String(16), nullable=False),
        Column("event", Text),
        Column("user_id", Text),
        Column("anonymous_id", Text),
        Column("at", Moment, nullable=False),
        Column("received_at", Moment, nullable=False),
        Column("verdict", String(8), nullable=False),
        Column("reason", Text),
        Column("body", Bytes, nullable=False),
        Column("routing", Text),  # where else it went and why not; null = to surveys alone, as far as they are fed
        Index(
            f"messages_{day}_by_user",
            "workspace_id",
            "user_id",
            sqlite_where=text("user_id IS NOT NULL"),
        ),
    )


@lru_cache(maxsize=64)
def seen_of(day: int) -> Table:
    return Table(
        f"seen_{day}",
        MetaData(),
        Column("source_id", BigInteger, primary_key=True, autoincrement=False),
        Column("message_id", Text, primary_key=True),
        sqlite_with_rowid=False,
    )


def day_of(moment: datetime) -> int:
    """The UTC day as a number that sorts: 20261122."""
    return moment.year * 10_000 + moment.month * 100 + moment.day


def before(day: int) -> int:
    return day_of(datetime(day // 10_000, day // 100 % 100, day % 100) - timedelta(days=1))  # noqa: DTZ001


def end_of(day: int) -> datetime:
    """The midnight (UTC) after it."""
    return datetime(day // 10_000, day // 100 % 100, day % 100, tzinfo=UTC) + timedelta(days=1)


def prepare(connection: Connection, days: Iterable[int], made: set[int]) -> None:
    """Make the tables of these days and of their eves where `made` does not list them yet."""
    for day in sorted({each for given in days for each in (given, before(given))} - made):
        make(connection, day)
        made.add(day)


def make(connection: Connection, day: int) -> None:
    """Make the pair of a day where it is not there."""
    messages_of(day).create(connection, checkfirst=True)
    seen_of(day).create(connection, checkfirst=True)
    connection.execute(text(index_of_anonymous(day)))


def index_of_anonymous(day: int) -> str:
    """Makes the index by which messages without a userId are found. The others do not stand in it."""
    return (
        f"CREATE INDEX IF NOT EXISTS messages_{day}_by_anonymous ON messages_{day} (workspace_id, anonymous_id)"
        f" WHERE {ANONYMOUS}"
    )


def kept(connection: Connection) -> list[int]:
    """The days that have messages, newest first. A page asks again and again, so SQLite, which says whether its tables
    are still the same, is asked for their names only when they are not."""
    version = dialects.version_of_tables(connection)
    known = connection.info.get("days kept")
    if version is None or known is None or known[0] != version:
        found = sorted((int(name[9:]) for name in dialects.table_names(connection, "messages_2")), reverse=True)
        known = connection.info["days kept"] = version, found
    return list(known[1])
