"""Which version of the tables a database has, and bringing it to ours.

A new database gets today's tables at once; an older one is backed up and migrated by Alembic; a newer one is refused,
because an old program cannot know what it would break. Alembic is loaded only when there is something to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from heard.config import Settings
from heard.errors import HeardError, Invalid
from heard.store import dialects
from heard.store.tables import metadata

CURRENT = "0020"
ORDER = tuple(f"{number:04}" for number in range(1, int(CURRENT) + 1))


def prepare(settings: Settings) -> None:
    """Make the tables, or bring them up to date.

    Raises:
        HeardError: the database cannot be reached, or is newer than this program.
    """
    with reached(settings.database_url) as engine, engine.begin() as connection:
        found = version(connection)
        if found is None:
            metadata.create_all(connection)
            stamp(connection, CURRENT)
            return
    if found == CURRENT:
        return
    if found not in ORDER:
        raise HeardError(
            f"This database was written by a newer Heard (schema {found}, ours is {CURRENT}). Install that version."
        )
    from heard.store.migrate import migrate

    migrate(settings)


@contextmanager
def reached(url: str) -> Iterator[Engine]:
    """The database, for as long as the block; what it says when it cannot be had becomes one sentence.

    Raises:
        Invalid: the URL cannot be read.
        HeardError: naming the setting, with the first line of what the driver says: it never repeats the password.
    """
    try:
        engine = dialects.open_engine(url, writer=True)
    except (ArgumentError, ValueError):
        raise Invalid(
            "HEARD_DATABASE_URL: write it like postgresql://user:password@host:5432/name.", field="HEARD_DATABASE_URL"
        ) from None
    try:
        yield engine
    except DBAPIError as problem:
        why = _first_line(problem.orig or problem)
        raise HeardError(f"The database that HEARD_DATABASE_URL names cannot be used: {why}.") from None
    finally:
        engine.dispose()


def _first_line(problem: BaseException) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0].rstrip(".")


def version(connection: Connection) -> str | None:
    """The schema's version; None when there are no tables yet."""
    if "alembic_version" not in dialects.table_names(connection):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def stamp(connection: Connection, found: str) -> None:
    table = "alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {table}"))
    connection.execute(text("DELETE FROM alembic_version"))
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:found)"), {"found": found})
