"""The workspace as a file: `apply` brings a workspace to what it says, `export` writes it.

What the file does not speak of is left alone: a survey that is not listed stays, and so does a quiet period that is not
mentioned (`quiet_period: null` takes it away). What it does list is as the file says, whole: a campaign whose line has
no throttle has none. Kept when left out are a campaign's status, and a destination's switches and filters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard import durations
from heard.accounts.mail_settings import NOTHING_SET
from heard.accounts.workspace import UnconfirmedClicks
from heard.audiences.looks_back import must_be_kept
from heard.campaigns.campaign import Status
from heard.channels.email.render import NOWHERE
from heard.errors import Invalid
from heard.installation import Installation
from heard.operations import file_audience, file_mail, file_plan, file_survey
from heard.operations.file_changes import Change
from heard.operations.file_keep import (
    brand_as_written,
    destination_as_written,
    keep,
    source_as_written,
    untouched,
)
from heard.operations.file_read import read
from heard.operations.meant import workspace_meant
from heard.store import audiences, audit, directory, edits, tables
from heard.store.audit import COMMAND_LINE
from heard.store.directory import Directory

MOST_NOTED = 50  # changes of one file that the audit log lists
LONGEST_NOTED = 200


class _Tried(Exception):
    """Carries what would change out of a transaction that is to leave nothing behind."""

    def __init__(self, changes: list[Change]) -> None:
        self.changes = changes


async def apply(
    app: Installation, *, content: Any, by: str = COMMAND_LINE, only: int | None = None, dry: bool = False
) -> dict[str, Any]:
    """Make the workspace what `content` (a parsed file) says; in effect, write keys included, when this returns.

    `only`: the one workspace that it may be about. `dry`: change nothing, only say what would.

    Gives `{"workspace", "changes": [{"place", "added"} or {"place", "before", "after"}], "warnings": [sentence]}`.

    Raises:
        Invalid: naming the place and the fix; then nothing was changed.
    """
    wanted = read(content, allow_private=app.settings.allow_private_network)
    now = app.clock.now()

    def work(connection: Connection) -> list[Change]:
        if only is not None:
            _must_be_about(connection, wanted.workspace, only)
        workspace, changes = keep(connection, wanted, now=now)
        must_be_kept(directory.computed_of(connection, workspace), app.settings.keep)
        if dry:
            raise _Tried(changes)
        if changes:
            detail = {"changes": [_noted(change) for change in changes[:MOST_NOTED]], "more": len(changes) - MOST_NOTED}
            audit.note(
                connection, workspace, by=by, what="workspace.changed", subject=wanted.workspace, at=now, detail=detail
            )
        return changes

    try:
        changes = await app.store.write(work)
        await app.reload()
    except _Tried as tried:
        return {"workspace": wanted.workspace, "changes": msgspec.to_builtins(tried.changes), "warnings": []}
    return {
        "workspace": wanted.workspace,
        "changes": msgspec.to_builtins(changes),
        "warnings": list(_warnings(app, wanted.workspace)),
    }


def _must_be_about(connection: Connection, name: str, only: int) -> None:
    """Whoever sets up one workspace must not reach another by its name."""
    known = directory.load(connection)
    first = untouched(known)
    if known.workspaces[only].name != name and (first is None or first.id != only):
        raise Invalid(
            f"workspace: write {known.workspaces[only].name!r}, the one you look at; this file is about {name!r}.",
            field="workspace",
        )


def _noted(change: Change) -> dict[str, Any]:
    """As the audit log keeps it: what was long is cut."""
    said = msgspec.to_builtins(change)
    return {key: value if isinstance(value, bool | None) else str(value)[:LONGEST_NOTED] for key, value in said.items()}


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


async def export(app: Installation, *, workspace: str | None = None, workspace_id: int | None = None) -> dict[str, Any]:
    """The workspace as `apply` reads it; applying it changes nothing."""
    number = workspace_meant(app, workspace, workspace_id)
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
    if workspace.unconfirmed_clicks is not UnconfirmedClicks.STRICT:
        written["unconfirmed_clicks"] = workspace.unconfirmed_clicks.value
    if mail := file_mail.as_written(known.mail.get(number, NOTHING_SET)):
        written[file_mail.SECTION] = mail
    written["sources"] = [source_as_written(row) for row in sources]
    names = {row["id"]: row["name"] for row in sources}
    written["destinations"] = [
        destination_as_written(row, names) for row in edits.rows_of(connection, tables.destinations, number)
    ]
    sources_named, names = (
        names,
        {row["id"]: row["name"] for row in edits.rows_of(connection, tables.destinations, number)},
    )
    if plans := edits.rows_of(connection, tables.tracking_plans, number):
        written[file_plan.SECTION] = [file_plan.as_written(row, sources_named, names) for row in plans]
    for kind, section in file_audience.SECTIONS.items():
        rows = [row for row in audiences.rows(connection, number) if row["kind"] == kind]
        if rows:
            written[section] = [file_audience.as_written(row, names) for row in rows]
    written["surveys"] = [
        {"name": row["name"], "kind": row["kind"], **file_survey.as_written(row["settings"], names)}
        for row in surveys.values()
    ]
    written["campaigns"] = [
        {"name": row["name"], "survey": surveys[row["survey_id"]]["name"], **row["settings"], "status": row["status"]}
        for row in edits.rows_of(connection, tables.campaigns, number)
    ]
    return written
