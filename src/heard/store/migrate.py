"""Bringing an older database to today's tables, with Alembic, after a backup."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from heard.config import Settings
from heard.store import dialects
from heard.store.backup import backup

MIGRATIONS = Path(__file__).parent / "migrations"
BACKUPS = "backups"


def migrate(settings: Settings) -> Path | None:
    """Back up, then run every migration that is missing; gives the backup's path.

    All of it is one transaction: a migration that fails leaves the database as it was.
    """
    folder = settings.data / BACKUPS
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = backup(settings, folder / f"before-migration-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.tar.gz")
    engine = dialects.open_engine(settings.database_url, writer=True)
    try:
        with engine.begin() as connection:
            upgrade(connection)
    finally:
        engine.dispose()
    return kept


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run migrations inside the caller's transaction."""
    command.upgrade(alembic_config(connection), to)


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
