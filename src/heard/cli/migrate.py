from __future__ import annotations

from typing import Any

from heard import config
from heard.cli import reach, show
from heard.cli.options import Data, Json
from heard.config import Settings


def migrate(data: Data = None, json: Json = False) -> None:
    """Bring the database to what this version needs.

    A backup is written first. `heard serve` does the same when it starts; run it by itself to do it at an hour of your
    choice.

    \b
    Example: heard migrate
    """
    settings = config.read(data=data)
    reach.must_exist(settings)
    done = _migrate(settings)
    if json:
        show.document(done)
    elif done["from"] == done["to"]:
        show.text(f"The database is up to date (schema {done['to']}).")
    else:
        backup = f" The backup before it: {done['backup']}" if done["backup"] else ""
        show.text(f"Brought the database from schema {done['from']} to {done['to']}.{backup}")


def _migrate(settings: Settings) -> dict[str, Any]:
    """`{"from", "to", "backup"}`; the schema's versions, and the backup's path where one was made."""
    import asyncio

    from heard.operations.opening import open_installation
    from heard.store import schema
    from heard.store.migrate import BACKUPS

    with schema.reached(settings.database_url) as engine, engine.connect() as connection:
        found = schema.version(connection)
    if found == schema.CURRENT:
        return {"from": found, "to": found, "backup": None}
    kept = settings.data / BACKUPS
    before = set(kept.glob("*"))
    app = open_installation(settings)
    asyncio.run(app.close())
    made = sorted(set(kept.glob("*")) - before)
    return {"from": found, "to": schema.CURRENT, "backup": str(made[-1]) if made else None}
