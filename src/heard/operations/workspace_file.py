"""The workspace as a file: `apply` brings a workspace to what it says, `export` writes it.

What the file does not speak of is left alone: a survey that is not listed stays, and so does a quiet period that is not
mentioned (`quiet_period: null` takes it away). What it does list is as the file says, whole: a campaign whose line has
no throttle has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard import durations
from heard.campaigns.campaign import Status
from heard.channels.email.render import NOWHERE
from heard.installation import Installation
from heard.operations.file_keep import brand_as_written, destination_as_written, keep
from heard.operations.file_read import read
from heard.store import edits, tables
from heard.store.directory import Directory


async def apply(app: Installation, *, content: Any) -> dict[str, Any]:
    """Make the workspace what `content` (a parsed file) says; in effect, write keys included, when this returns.

    Gives `{"workspace", "changes": [{"place", "added"} or {"place", "before", "after"}], "warnings": [sentence]}`.

    Raises:
        Invalid: naming the place and the fix; then nothing was changed.
    """
    wanted, now = read(content), app.clock.now()
    changes = await app.store.write(lambda connection: keep(connection, wanted, now=now))
    await app.reload()
    return {
        "workspace": wanted.workspace,
        "changes": msgspec.to_builtins(changes),
        "warnings": list(_warnings(app, wanted.workspace)),
    }


def _warnings(app: Installation, name: str) -> Iterator[str]:
    """What mails of the running campaigns will lack. It is allowed: the outbox needs neither."""
    workspace = app.directory.workspace(name)
    running = [
        campaign.name
        for campaign in app.directory.campaigns.values()
        if campaign.workspace == workspace.id and campaign.status in (Status.READY, Status.ACTIVE)
    ]
    if not running:
        return
    if not workspace.brand.from_:
        refused = "; most mail servers refuse that" if app.settings.smtp_url else ""
        yield f"brand.from is empty, so {running[0]} mails as {NOWHERE.address}{refused}."
    if not workspace.brand.address:
        yield "brand.address is empty: many countries want the sender's postal address in every such mail."


async def export(app: Installation, *, workspace: str | None = None) -> dict[str, Any]:
    """The workspace as `apply` reads it; applying it changes nothing."""
    number = app.directory.workspace(workspace).id
    return await app.store.read(lambda connection: _written(connection, app.directory, number))


def _written(connection: Connection, known: Directory, number: int) -> dict[str, Any]:
    workspace = known.workspaces[number]
    sources = edits.rows_of(connection, tables.sources, number)
    surveys = {row["id"]: row for row in edits.rows_of(connection, tables.surveys, number)}
    written: dict[str, Any] = {"workspace": workspace.name, "brand": brand_as_written(workspace.brand)}
    if workspace.quiet_period is not None:
        written["quiet_period"] = durations.write(workspace.quiet_period)
    if workspace.exclude is not None:
        written["exclude"] = workspace.exclude
    written["sources"] = [{"name": row["name"], "write_key": row["write_key"]} for row in sources]
    names = {row["id"]: row["name"] for row in sources}
    written["destinations"] = [
        destination_as_written(row, names) for row in edits.rows_of(connection, tables.destinations, number)
    ]
    written["surveys"] = [{"name": row["name"], "kind": row["kind"], **row["settings"]} for row in surveys.values()]
    written["campaigns"] = [
        {"name": row["name"], "survey": surveys[row["survey_id"]]["name"], **row["settings"], "status": row["status"]}
        for row in edits.rows_of(connection, tables.campaigns, number)
    ]
    return written
