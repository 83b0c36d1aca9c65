"""What a survey or campaign was from a moment on: written with each change (`heard.store.edits`), read here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from heard.store.tables import versions


class Kept(msgspec.Struct, frozen=True):
    """`settings` as they were kept: lengths as text, destinations by number."""

    version: int
    at: datetime
    settings: dict[str, Any]


def around(connection: Connection, workspace: int, noun: str, number: int, version: int) -> dict[int, Kept]:
    """This version, the one before it and the one after it, as far as they are kept. `noun`: survey, campaign."""
    table = versions.c
    query = select(table.version, table.at, table.settings).where(
        table.workspace_id == workspace,
        table.noun == noun,
        table.noun_id == number,
        table.version.between(version - 1, version + 1),
    )
    return {row.version: Kept(row.version, row.at, row.settings) for row in connection.execute(query)}
