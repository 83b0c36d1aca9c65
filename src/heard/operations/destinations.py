"""Destinations: make one, change it, switch it on and off, take it away."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.errors import HeardError, Invalid, NotFound
from heard.installation import Installation
from heard.operations.file_changes import Change
from heard.operations.file_destination import destination_line, with_names
from heard.operations.file_keep import destination_as_written, keep_destination
from heard.operations.places import without_place
from heard.routing.destination import SURVEYS, Destination
from heard.routing.switches import Switches
from heard.store import audit, edits, tables
from heard.store.edits import Row


async def save(app: Installation, *, workspace: int, number: int | None, written: dict[str, Any], by: str) -> int:
    """Make a destination, or bring one to what `written` says, in the form of the workspace file; gives its number.

    What a change does not speak of stays: `written` lies over what there is, key by key, settings within settings.

    Raises:
        NotFound: there is no destination of this number.
        Invalid: naming the field (`settings.url`) and the fix.
    """
    now = app.clock.now()

    def work(connection: Connection) -> int:
        rows = edits.rows_of(connection, tables.destinations, workspace)
        row = None if number is None else _row(rows, number)
        sources = {each["name"]: each["id"] for each in edits.rows_of(connection, tables.sources, workspace)}
        whole = written if row is None else _over(destination_as_written(row, _names(sources)), written)
        line = destination_line(
            {key: value for key, value in whole.items() if value is not None},
            PLACE,
            allow_private=app.settings.allow_private_network,
        )
        if row is None and line.type == SURVEYS:
            raise Invalid(f"{PLACE}.type: a workspace has one surveys destination.", field=f"{PLACE}.type")
        if any(each["name"] == line.name and each is not row for each in rows):
            raise Invalid(f"{PLACE}.name: there is a destination called {line.name!r} already.", field=f"{PLACE}.name")
        changes: list[Change] = []
        made = keep_destination(connection, workspace, row, line, f"destinations[{line.name}]", sources, changes)
        if changes:
            what = "destination.added" if row is None else "destination.changed"
            detail = {"changes": [msgspec.to_builtins(each) for each in changes], "type": line.type}
            audit.note(connection, workspace, by=by, what=what, subject=line.name, at=now, detail=detail)
        return made

    made = await app.store.write(lambda connection: without_place(lambda: work(connection), PLACE))
    await app.reload()
    return made


async def switch(app: Installation, destination: Destination, switches: Switches, *, by: str) -> None:
    """Which events it gets, instead of what was said before."""
    names = {each.id: each.name for each in app.directory.sources.values() if each.workspace == destination.workspace}
    written = {"events": with_names(switches, names)}
    await save(app, workspace=destination.workspace, number=destination.id, written=written, by=by)


async def remove(app: Installation, *, workspace: int, number: int, by: str) -> str:
    """Take a destination away, with what was on its way to it; gives its name.

    Raises:
        NotFound: there is none of this number.
        HeardError: it is the surveys destination, which a workspace always has.
    """
    now = app.clock.now()

    def work(connection: Connection) -> str:
        row = _row(edits.rows_of(connection, tables.destinations, workspace), number)
        if row["type"] == SURVEYS:
            raise HeardError("A workspace always has its surveys destination. Switch it off instead.")
        edits.remove_destination(connection, workspace, number)
        audit.note(connection, workspace, by=by, what="destination.removed", subject=row["name"], at=now)
        return row["name"]

    name = await app.store.write(work)
    await app.reload()
    return name


PLACE = "destination"


def _row(rows: list[Row], number: int) -> Row:
    found = next((each for each in rows if each["id"] == number), None)
    if found is None:
        raise NotFound("There is no such destination in this workspace.")
    return found


def _names(sources: dict[str, int]) -> dict[int, str]:
    return {number: name for name, number in sources.items()}


def _over(there: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    settings = {**there.get("settings", {}), **(written.get("settings") or {})}
    whole = {**there, **written}
    kept = {name: value for name, value in settings.items() if value is not None}
    return {**whole, "settings": kept} if kept else {key: value for key, value in whole.items() if key != "settings"}
