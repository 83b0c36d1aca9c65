"""Turning a campaign on and off."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from heard.campaigns.campaign import NEXT, RUNNING, Status
from heard.errors import HeardError
from heard.installation import Installation
from heard.operations.meant import workspace_meant
from heard.store import audit, edits, tables
from heard.store.audit import COMMAND_LINE


async def activate(
    app: Installation,
    *,
    name: str,
    workspace: str | None = None,
    workspace_id: int | None = None,
    by: str = COMMAND_LINE,
) -> dict[str, Any]:
    """Make a campaign run: `ready`, and active with the first event that matches. One that runs is left as it is."""
    return await _move(app, name, workspace_meant(app, workspace, workspace_id), Status.READY, by)


async def pause(
    app: Installation,
    *,
    name: str,
    workspace: str | None = None,
    workspace_id: int | None = None,
    by: str = COMMAND_LINE,
) -> dict[str, Any]:
    """Let a campaign send nothing until it is activated again; what is scheduled is kept and goes out then."""
    return await _move(app, name, workspace_meant(app, workspace, workspace_id), Status.PAUSED, by)


async def _move(app: Installation, name: str, workspace: int, to: Status, by: str) -> dict[str, Any]:
    """Gives `{"campaign", "status", "was"}`.

    Raises:
        NotFound: there is no such campaign.
        HeardError: its life does not lead from where it is to there.
    """
    known, now = app.directory.campaign(workspace, name), app.clock.now()

    def change(connection: Connection) -> tuple[str, str]:
        rows = edits.rows_of(connection, tables.campaigns, workspace)
        row = next(row for row in rows if row["id"] == known.id)
        was = Status(row["status"])
        after = _next(was, to, has_been_active=row["activated_at"] is not None)
        if after != was:
            edits.keep_campaign(
                connection,
                workspace,
                row,
                survey_name=app.directory.surveys[row["survey_id"]].name,
                now=now,
                name=row["name"],
                survey_id=row["survey_id"],
                settings=row["settings"],
                status=after.value,
            )
            what = "campaign.paused" if after == Status.PAUSED else "campaign.activated"
            audit.note(connection, workspace, by=by, what=what, subject=row["name"], at=now, detail={"was": was.value})
        return was.value, after.value

    was, status = await app.store.write(change)
    await app.reload()
    return {"campaign": known.name, "status": status, "was": was}


def _next(was: Status, to: Status, *, has_been_active: bool) -> Status:
    """Where a campaign comes to; a paused one that was active goes on being active."""
    if was == to or (to == Status.READY and was in RUNNING):
        return was
    if to == Status.READY and was == Status.PAUSED and has_been_active:
        to = Status.ACTIVE
    if to not in NEXT[was]:
        raise HeardError(f"A campaign that is {was} cannot become {to}.")
    return to
