"""Everything in which SQLite and PostgreSQL differ for us. The rest of the store is written once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, bindparam, create_engine, event, func, select
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from heard.errors import HeardError

INTRANS = 2  # libpq's PQTRANS_INTRANS
LOCK_NOT_AVAILABLE = "55P03"
LONGEST_WAIT_TO_DROP = "200ms"
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # an acknowledged commit survives a power cut
    "busy_timeout=10000",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "wal_autocheckpoint=4000",  # pages: fewer, larger checkpoints
    "secure_delete=ON",
)
WRITERS_CACHE, READERS_CACHE = 128 << 10, 8 << 10
"""KB of pages, taken when they are read: a writer that finds a million contacts spread over its file needs room."""


class _Hinting(SQLiteCompiler):
    """`select(...).with_hint(table, "INDEXED BY name", "sqlite")` means what it says; by itself SQLAlchemy drops it."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def open_engine(url: str, *, writer: bool) -> Engine:
    """An engine with the promises the store relies on: writers lock at BEGIN, commits are durable."""
    if url.startswith("postgresql"):
        from heard.store import tables

        tables.for_postgresql()
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        return create_engine(url, pool_size=1 if writer else 3, max_overflow=0, pool_pre_ping=True)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1 if writer else 3,
        max_overflow=0 if writer else 2,
        connect_args={"check_same_thread": False, "isolation_level": None},
    )

    engine.dialect.statement_compiler = _Hinting

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        record.info["reads"] = not writer
        for pragma in (*PRAGMAS, f"cache_size=-{WRITERS_CACHE if writer else READERS_CACHE}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


def scrub(engine: Engine, tables: Collection[str]) -> None:
    """Write the database anew without what was deleted, and empty its write-ahead log.

    SQLite overwrites what is deleted, but a page that was divided may hold a copy of it, so the file is made anew; that
    takes as much room again, beside it. PostgreSQL takes dead rows out of these tables; what its own write-ahead log
    and the archive of that still hold is its administrator's.

    Raises:
        HeardError: it could not be done now; a reader may be in the way, or the disk full.
    """
    connection = engine.raw_connection()
    failures: Any = engine.dialect.dbapi
    try:
        driver: Any = connection.driver_connection
        if engine.dialect.name == "sqlite":
            driver.execute("PRAGMA temp_store=FILE")  # the copy may be larger than memory
            try:
                driver.execute("VACUUM")
            finally:
                driver.execute("PRAGMA temp_store=MEMORY")
            busy = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if busy:
                raise HeardError("Somebody still reads what was before; it is tried again.")
        else:
            driver.autocommit = True
            try:
                for table in sorted(tables):
                    driver.execute(f"VACUUM {table}")
            finally:
                driver.autocommit = False
    except failures.Error as problem:
        raise HeardError(f"The database could not be written anew: {problem}.") from None
    finally:
        connection.close()


def is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def among(column: Column[Any], values: Iterable[Any], connection: Connection) -> ColumnElement[bool]:
    """`column IN values` with one bound value however many there are, so that the statement is compiled once."""
    wanted = list(values)
    if is_sqlite(connection):
        unfolded = func.json_each(msgspec.json.encode(wanted).decode()).table_valued("value")
        return column.in_(select(unfolded.c.value))
    from sqlalchemy.dialects import postgresql  # each dialect is loaded where it is used: a start waits for neither

    return column == func.any(bindparam(None, wanted, type_=postgresql.ARRAY(column.type), unique=True))


def insert(table: Table, connection: Connection) -> Any:
    """An INSERT that knows ON CONFLICT, in the dialect of the connection."""
    if is_sqlite(connection):
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def many(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run one written statement for many rows, past the toolkit: for the few statements that decide our speed.

    `statement` uses `?` for values; rows hold plain values (moments as microseconds, JSON as text).
    """
    if rows:
        written = statement if is_sqlite(connection) else statement.replace("?", "%s")
        connection.exec_driver_sql(written, list(rows))


def changed(connection: Connection, statement: str, *parameters: Any) -> int:
    """How many rows one written statement changed."""
    written = statement if is_sqlite(connection) else statement.replace("?", "%s")
    return connection.exec_driver_sql(written, parameters).rowcount


@contextmanager
def by_itself(connection: Connection) -> Iterator[None]:
    """Undo what happens inside, and only that, when it fails. Written out: the toolkit's costs more than the work."""
    connection.exec_driver_sql("SAVEPOINT by_itself")
    try:
        yield
    except BaseException:
        with suppress(DBAPIError):  # the whole transaction may be gone: ask `goes_on`
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT by_itself")
            connection.exec_driver_sql("RELEASE SAVEPOINT by_itself")
        raise
    connection.exec_driver_sql("RELEASE SAVEPOINT by_itself")


def goes_on(connection: Connection) -> bool:
    """Whether the transaction is still there: a full disk, or a lost connection, ends it with everything in it."""
    driver: Any = connection.connection.dbapi_connection
    return driver.in_transaction if is_sqlite(connection) else driver.info.transaction_status == INTRANS


def drop_table(connection: Connection, name: str) -> bool:
    """False when somebody else has read it in a transaction that goes on; whoever is to read it then does not wait."""
    if is_sqlite(connection):
        connection.exec_driver_sql(f"DROP TABLE {name}")
        return True
    try:
        with by_itself(connection):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LONGEST_WAIT_TO_DROP}'")
            connection.exec_driver_sql(f"DROP TABLE {name}")
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
    except DBAPIError as problem:
        if getattr(problem.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


def table_names(connection: Connection, beginning: str = "") -> set[str]:
    """The tables whose names begin so; there can be two for every day."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, ?) = ?"
        if is_sqlite(connection)
        else "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND substr(tablename, 1, ?) = ?"
    )
    return {row[0] for row in fetch(connection, query, len(beginning), beginning)}


def version_of_tables(connection: Connection) -> int | None:
    """Another number whenever a table was made or dropped; None where the database has none, and for the writer: what
    it rolls back may come to the same number."""
    reads = is_sqlite(connection) and connection.info.get("reads", False)
    return connection.exec_driver_sql("PRAGMA schema_version").scalar() if reads else None


def within(connection: Connection) -> str:
    """The right side of `column ... values` in a written statement; pair it with `listed`."""
    return "IN (SELECT value FROM json_each(?))" if is_sqlite(connection) else "= ANY(?)"


def each_of(connection: Connection) -> str:
    """A table `asked` with one row for each `value` of a list of texts, for a FROM; pair it with `listed`."""
    return "json_each(?) AS asked" if is_sqlite(connection) else "unnest(CAST(? AS text[])) AS asked(value)"


def by(index: str, table: str, connection: Connection) -> str:
    """`table`, to be searched by this index and no other.

    Without statistics SQLite takes `workspace_id = ? AND x IN (many)` for a reason to read the whole workspace by its
    primary key: 90 us a row at 100,000 contacts instead of 4.
    """
    return f"{table} INDEXED BY {index}" if is_sqlite(connection) else table


def up_to(column: str, mark: str, connection: Connection) -> str:
    """What stands in a text before the first `mark`, which it has."""
    place = f"instr({column}, '{mark}')" if is_sqlite(connection) else f"strpos({column}, '{mark}')"
    return f"substr({column}, 1, {place} - 1)"


def listed(connection: Connection, values: Iterable[Any]) -> Any:
    """Many values as the one parameter that `within` expects."""
    return msgspec.json.encode(list(values)).decode() if is_sqlite(connection) else list(values)


def fetch(connection: Connection, statement: str, *parameters: Any) -> list[Any]:
    """All rows of one written statement, as plain tuples."""
    written = statement if is_sqlite(connection) else statement.replace("?", "%s")
    return list(connection.exec_driver_sql(written, parameters).cursor.fetchall())  # type: ignore[union-attr]
