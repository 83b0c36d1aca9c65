"""PostgreSQL in a backup: every table of ours with COPY, in one snapshot. No program of PostgreSQL's is needed."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from heard.errors import HeardError
from heard.store import days
from heard.store.backup import Progress
from heard.store.tables import metadata

FOLDER = "database/"
NAMES = frozenset(metadata.tables) | {"alembic_version"}


def copy_out(url: str, archive: tarfile.TarFile, folder: Path, progress: Progress) -> tuple[str, int]:
    """Add each table as `database/<table>`; gives the schema's version and the router's offset of that snapshot."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
        tables = sorted(name for (name,) in rows if is_ours(name))
        schema = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        routed = connection.execute("SELECT value FROM cursors WHERE name = 'router'").fetchone()
        if schema is None:
            raise HeardError("There is no Heard in this database.")
        for number, name in enumerate(tables):
            progress("Copying tables", number, len(tables))
            with tempfile.TemporaryFile(dir=folder) as copy:
                query = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))
                with connection.cursor().copy(query) as chunks:
                    for chunk in chunks:
                        copy.write(chunk)
                entry = tarfile.TarInfo(FOLDER + name)
                entry.size, entry.mode = copy.tell(), 0o600
                copy.seek(0)
                archive.addfile(entry, copy)
        progress("Copying tables", len(tables), len(tables))
    return schema[0], routed[0] if routed else 0


def copy_in(url: str, tables: Mapping[str, IO[bytes]]) -> None:
    """Fill a database that has no Heard in it yet.

    Raises:
        HeardError: there is one.
    """
    import psycopg
    from psycopg import sql
    from sqlalchemy import create_engine

    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as made:
        metadata.create_all(made)
        made.exec_driver_sql("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        for day in {int(name.rpartition("_")[2]) for name in tables if name.startswith(("messages_2", "seen_2"))}:
            days.messages_of(day).create(made, checkfirst=True)
            days.seen_of(day).create(made, checkfirst=True)
    engine.dispose()
    with psycopg.connect(url) as connection:
        for name, content in tables.items():
            if connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(name))).fetchone():
                raise HeardError("The database holds a Heard already. Restore into an empty one.")
            _fill(connection, sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name)), content)


def is_ours(table: str) -> bool:
    return table in NAMES or table.startswith(("messages_2", "seen_2"))


def _fill(connection: Any, query: Any, content: IO[bytes]) -> None:
    with connection.cursor().copy(query) as copying:
        while chunk := content.read(1 << 20):
            copying.write(chunk)
