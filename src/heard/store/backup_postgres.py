"""PostgreSQL in a backup: every table of ours with COPY, in one snapshot. No program of PostgreSQL's is needed."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from heard.errors import HeardError
from heard.store import days, dialects
from heard.store.backup import Progress
from heard.store.schema import reached
from heard.store.tables import metadata

FOLDER = "database/"
DAY_TABLES = ("messages_2", "seen_2")
NAMES = frozenset(metadata.tables) | {"alembic_version"}


def copy_out(url: str, archive: tarfile.TarFile, folder: Path, progress: Progress) -> tuple[str, int]:
    """Add each table as `database/<table>`; gives the schema's version and the router's offset of that snapshot."""
    import psycopg
    from psycopg import sql

    with _connected(url) as connection:
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
                query = sql.SQL("COPY {} TO STDOUT (FORMAT csv, HEADER)").format(sql.Identifier(name))
                with connection.cursor().copy(query) as chunks:
                    for chunk in chunks:
                        copy.write(chunk)
                entry = tarfile.TarInfo(FOLDER + name)
                entry.size, entry.mode = copy.tell(), 0o600
                copy.seek(0)
                archive.addfile(entry, copy)
        progress("Copying tables", len(tables), len(tables))
    return schema[0], routed[0] if routed else 0


def copy_in(url: str, tables: Mapping[str, IO[bytes]], *, schema: str) -> None:
    """Fill an empty database with tables as they were at this version of the schema."""
    from psycopg import sql

    from heard.store.migrate import upgrade

    with reached(url) as engine, engine.begin() as made:
        upgrade(made, to=schema)
        made.exec_driver_sql("DELETE FROM alembic_version")  # the backup brings its own row
        for day in {int(name.rpartition("_")[2]) for name in tables if name.startswith(DAY_TABLES)}:
            days.make(made, day)
    with _connected(url) as connection:
        for name, content in tables.items():
            columns = content.readline().decode().strip().split(",")  # their order may differ from the table's
            names = sql.SQL(", ").join(sql.Identifier(column.strip('"')) for column in columns)
            query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(name), names)
            _fill(connection, query, content)


def refuse_a_full_database(url: str) -> None:
    """Raises HeardError when there is a Heard in it: nothing is ever overwritten."""
    with reached(url) as engine, engine.connect() as connection:
        found = {name for name in dialects.table_names(connection) if is_ours(name)}
    if found:
        raise HeardError("The database holds a Heard already. Restore into an empty one.")


def is_ours(table: str) -> bool:
    return table in NAMES or table.startswith(DAY_TABLES)


def _connected(url: str) -> Any:
    """A connection of the driver's own, which knows COPY. Raises HeardError when there is none."""
    import psycopg

    with reached(url) as engine, engine.connect():  # the one place that says why not
        return psycopg.connect(url)


def _fill(connection: Any, query: Any, content: IO[bytes]) -> None:
    with connection.cursor().copy(query) as copying:
        while chunk := content.read(1 << 20):
            copying.write(chunk)
