"""What the installation notes for itself."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from heard.store.tables.columns import metadata, of_workspace
from heard.store.types import Moment

cursors = Table(  # the router's offset on the log, and the next number of every sequence
    "cursors",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
tallies = Table(  # counts by day, so that what was dropped on purpose is visible
    "tallies",
    metadata,
    of_workspace(),
    Column("day", Integer, primary_key=True),  # 20261122
    Column("name", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
set_aside = Table(  # what could not be handled, whole, with the reason; the loop went on
    "set_aside",
    metadata,
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
removals = Table(  # what the length of keeping has removed, by kind, of all workspaces
    "removals",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("gone_before", Moment, nullable=False),  # nothing older is there
    Column("at", Moment, nullable=False),  # when something was removed last
    Column("n", BigInteger, nullable=False),  # how much, that time
    sqlite_with_rowid=False,
)
