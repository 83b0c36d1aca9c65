"""The tables that a new installation makes at once are those that migrations lead to."""

from __future__ import annotations

import re
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from heard import config
from heard.config import Settings
from heard.store import dialects, schema
from heard.store.migrate import BACKUPS, MIGRATIONS, migrate, upgrade
from heard.store.tables import metadata


def tables_after(url: str, make: Callable[[Connection], Any]) -> dict[str, Any]:
    """Everything a database says about its tables, after `make` in a transaction that leaves nothing behind."""
    engine = dialects.open_engine(url, writer=True)
    with engine.connect() as connection:
        make(connection)
        described = {name: described_table(connection, name) for name in metadata.tables}
        connection.rollback()
    engine.dispose()
    return described


def described_table(connection: Connection, name: str) -> dict[str, Any]:
    look = inspect(connection)
    found: dict[str, Any] = {
        "columns": {each["name"]: (str(each["type"]), each["nullable"]) for each in look.get_columns(name)},
        "key": look.get_pk_constraint(name)["constrained_columns"],
        "unique": sorted(str(each["column_names"]) for each in look.get_unique_constraints(name)),
        "indexes": sorted((str(each["name"]), str(each["column_names"])) for each in look.get_indexes(name)),
    }
    if dialects.is_sqlite(connection):
        rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE tbl_name = :name"), {"name": name})
        found["statements"] = sorted(re.sub(r"\s+|[\"]", "", row[0]) for row in rows if row[0])
    else:
        rows = connection.execute(text("SELECT indexdef FROM pg_indexes WHERE tablename = :name"), {"name": name})
        found["statements"] = sorted(re.sub(r" ON \S+\.", " ON ", row[0]) for row in rows)
    return found


def test_migrations_lead_to_the_tables_of_today(url: str):
    assert tables_after(url, upgrade) == tables_after(url, metadata.create_all)


def test_the_order_of_the_schema_is_that_of_the_migrations():
    steps = sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("*.py"))

    assert list(schema.ORDER) == steps
    assert steps[-1] == schema.CURRENT


def test_a_difference_would_be_found(url: str):
    def without_an_index(connection: Connection) -> None:
        metadata.create_all(connection)
        connection.execute(text("DROP INDEX deliveries_due"))

    assert tables_after(url, without_an_index) != tables_after(url, metadata.create_all)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation with something in it."""
    settings = config.read({}, data=tmp_path)
    schema.prepare(settings)
    (tmp_path / "board").write_bytes(b"")
    engine = dialects.open_engine(settings.database_url, writer=True)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO cursors (name, value) VALUES ('next:contacts', 7)"))
    engine.dispose()
    return settings


def test_an_upgrade_backs_up_before_it_migrates(settings: Settings):
    kept = migrate(settings)

    assert kept is not None
    assert kept.parent == settings.data / BACKUPS
    with tarfile.open(kept) as archive:
        assert {"heard.db", "manifest.json"} <= set(archive.getnames())


def test_a_new_database_is_stamped_with_todays_version(settings: Settings):
    with sqlite3.connect(settings.data / "heard.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.CURRENT,)]
