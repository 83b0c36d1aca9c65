"""Destinations that an audience tells from now on: they are to hear of those who are in it already."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from heard.audiences.audience import Form
from heard.audiences.introduction import Reach, newcomers
from heard.routing.destination import SURVEYS
from heard.store import edits, introductions, tables
from heard.store.edits import Row


def introduce(connection: Connection, workspace: int, row: Row, settings: Mapping[str, Any], now: datetime) -> None:
    """`row` is the audience as it was, `settings` what they are now."""
    types = {each["id"]: each["type"] for each in edits.rows_of(connection, tables.destinations, workspace)}
    before, after = _reach(row["settings"], types), _reach(settings, types)
    new = newcomers(before, after)
    introductions.narrow(connection, workspace, row["id"], after, new)
    if new:
        introductions.begin(connection, workspace, row["id"], new, now)


def _reach(settings: Mapping[str, Any], types: Mapping[int, str]) -> Reach:
    """Without `to`, contacts alone."""
    wanted = settings.get("to")
    known = [number for number in wanted or () if number in types]
    return Reach(
        outside=frozenset(number for number in known if types[number] != SURVEYS),
        on_contact=wanted is None or any(types[number] == SURVEYS for number in known),
        form=Form(settings.get("as", Form.TRAITS)),
    )
