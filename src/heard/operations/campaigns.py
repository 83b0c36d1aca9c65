"""Turning a campaign on and off."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from heard.campaigns.campaign import NEXT, RUNNING, Status
from heard.errors import HeardError, NotFound
from heard.installation import Installation
from heard.operations.meant import workspace_meant
from heard.store import audit, edits, mail_settings, tables

KEEP = object()
DONE = {
    Status.READY: "campaign.activated",
    Status.ACTIVE: "campaign.activated",
    Status.PAUSED: "campaign.paused",
    Status.DRAFT: "campaign.changed",
    Status.COMPLETE: "campaign.changed",
}


async def activate(
    app: Installation,
    *,
    name: str,
    workspace: str | None = None,
    workspace_id: int | None = None,
    by: str = audit.COMMAND_LINE,
) -> dict[str, Any]:
    """Make a campaign run: `ready`, and active with the first event that matches. One that runs is left as it is."""
    number = workspace_meant(app, workspace, workspace_id)
    return await become(app, number, app.directory.campaign(number, name).id, Status.READY, by=by)


async def pause(
    app: Installation,
    *,
    name: str,
    workspace: str | None = None,
    workspace_id: int | None = None,
    by: str = audit.COMMAND_LINE,
) -> dict[str, Any]:
    """Let a campaign send nothing until it is activated again; what is scheduled is kept and goes out then."""
    number = workspace_meant(app, workspace, workspace_id)
    return await become(app, number, app.directory.campaign(number, name).id, Status.PAUSED, by=by)


async def become(
    app: Installation, workspace: int, number: int, to: Status, *, by: str, daily_cap: object = KEEP
) -> dict[str, Any]:
    """Gives `{"campaign", "status", "was"}`. `daily_cap` is set at the same moment: a number, or None for no cap.

    Raises:
        NotFound: there is no such campaign.
        HeardError: its life does not lead from where it is to there.
    """
    now = app.clock.now()

    def change(connection: Connection) -> tuple[str, str, str]:
        row = next(
            (each for each in edits.rows_of(connection, tables.campaigns, workspace) if each["id"] == number), None
        )
        if row is None:
            raise NotFound("There is no such campaign in this workspace.")
        was = Status(row["status"])
        after = _next(was, to, has_been_active=row["activated_at"] is not None)
        settings = row["settings"] if daily_cap is KEEP else _capped(row["settings"], daily_cap)
        if (after, settings) != (was, row["settings"]):
            edits.keep_campaign(
                connection,
                workspace,
                row,
                survey_name=app.directory.surveys[row["survey_id"]].name,
                now=now,
                name=row["name"],
                survey_id=row["survey_id"],
                settings=settings,
                status=after.value,
            )
            if after in RUNNING:
                mail_settings.go_on(connection, workspace, number, now=now)
            detail: dict[str, Any] = {"was": was.value}
            if DONE[after] == "campaign.changed":
                detail = {"status": [was.value, after.value]}
            if settings != row["settings"]:
                detail["daily_cap"] = [row["settings"].get("daily_cap"), settings.get("daily_cap")]
            audit.note(connection, workspace, by=by, what=DONE[after], subject=row["name"], at=now, detail=detail)
        return row["name"], was.value, after.value

    name, was, status = await app.store.write(change)
    await app.reload()
    return {"campaign": name, "status": status, "was": was}


def _capped(settings: dict[str, Any], cap: object) -> dict[str, Any]:
    rest = {key: value for key, value in settings.items() if key != "daily_cap"}
    return rest if cap is None else {**rest, "daily_cap": cap}


def _next(was: Status, to: Status, *, has_been_active: bool) -> Status:
    """Where a campaign comes to; a paused one that was active goes on being active."""
    if was == to or (to == Status.READY and was in RUNNING):
        return was
    if to == Status.READY and was == Status.PAUSED and has_been_active:
        to = Status.ACTIVE
    if to not in NEXT[was]:
        raise HeardError(f"A campaign that is {was} cannot become {to}.")
    return to
