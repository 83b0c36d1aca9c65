"""What somebody edits, row by row: workspace, sources, destinations, surveys, campaigns.

Surveys and campaigns are versioned: each change appends what they are from then on, so that what was decided at a past
moment can be understood by what held then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select, update

from heard.campaigns import settings as campaign_settings
from heard.campaigns.campaign import GATHERED, RUNNING, Campaign, Status
from heard.errors import Invalid
from heard.store import cursors, forwards, messages, replays, resuming, waves
from heard.store.tables import campaigns, destinations, sources, surveys, tracking_plans, versions, workspaces

Row = dict[str, Any]


def rows_of(connection: Connection, table: Table, workspace: int) -> list[Row]:
    """Every row of a table of this workspace, in the order they were made."""
    query = select(table).where(table.c.workspace_id == workspace).order_by(table.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def source_by_key(connection: Connection, write_key: str) -> Row | None:
    """The source, of any workspace, that has this write key."""
    found = connection.execute(select(sources).where(sources.c.write_key == write_key)).mappings().first()
    return dict(found) if found else None


def change_workspace(connection: Connection, workspace: int, **values: Any) -> None:
    connection.execute(update(workspaces).where(workspaces.c.id == workspace).values(**values))


def change_source(connection: Connection, workspace: int, number: int, **values: str | None) -> None:
    """`values`: name, write_key, webhook_secret (None = it signs nothing any more)."""
    _change(connection, sources, workspace, number, **values)


def keep_destination(connection: Connection, workspace: int, number: int | None, **values: Any) -> int:
    """Insert, or update the one of this number; gives its number. A new one gets what comes in from now on."""
    if number is None:
        number = cursors.take(connection, "destinations")
        connection.execute(destinations.insert().values(id=number, workspace_id=workspace, **values))
        cursors.put(connection, forwards.cursor_of(number), messages.last(connection))
    else:
        _change(connection, destinations, workspace, number, **values)
    return number


def has_destination(connection: Connection, workspace: int, number: int) -> bool:
    there = destinations.c.workspace_id == workspace, destinations.c.id == number
    return connection.execute(select(destinations.c.id).where(*there)).first() is not None


def remove_destination(connection: Connection, workspace: int, number: int) -> None:
    """It gets nothing any more, and what was on its way to it is forgotten."""
    forwards.forget(connection, workspace, number)
    replays.cancel_all(connection, workspace, number)
    connection.execute(
        destinations.delete().where(destinations.c.workspace_id == workspace, destinations.c.id == number)
    )


def keep_tracking_plan(connection: Connection, workspace: int, number: int | None, **values: Any) -> int:
    """Insert, or update the one of this number; gives its number. `values`: name, source_ids, told, settings."""
    if number is None:
        number = cursors.take(connection, "tracking_plans")
        connection.execute(tracking_plans.insert().values(id=number, workspace_id=workspace, **values))
    else:
        _change(connection, tracking_plans, workspace, number, **values)
    return number


def remove_tracking_plan(connection: Connection, workspace: int, number: int) -> None:
    there = tracking_plans.c.workspace_id == workspace, tracking_plans.c.id == number
    connection.execute(tracking_plans.delete().where(*there))


def keep_survey(connection: Connection, workspace: int, known: Row | None, *, now: datetime, **values: Any) -> int:
    """Insert, or change `known`; gives the survey's id. `values`: name, kind, settings."""
    number, version = _numbered(connection, "surveys", known)
    if known is None:
        connection.execute(surveys.insert().values(workspace_id=workspace, id=number, version=version, **values))
    else:
        _change(connection, surveys, workspace, number, version=version, **values)
    _remember(connection, "survey", workspace, number, version, now, {"kind": values["kind"], **values["settings"]})
    return number


def keep_campaign(
    connection: Connection, workspace: int, known: Row | None, *, survey_name: str, now: datetime, **values: Any
) -> int:
    """Insert, or change `known`; gives the campaign's id. `values`: name, survey_id, settings, status.

    One that begins to run, and asks a list or an audience, begins a wave; one that was paused goes on where it stopped.

    Raises:
        Invalid: with the field `channel`: it has asked by another one, and what it asked would mean something else.
    """
    if known is not None and known["activated_at"] is not None:
        _keep_channel(known, values)
    number, version = _numbered(connection, "campaigns", known)
    status, was = Status(values["status"]), Status(known["status"]) if known else Status.DRAFT
    if (status is Status.PAUSED) is not (was is Status.PAUSED):
        values["paused_at"] = now if status is Status.PAUSED else None
    if values["status"] == Status.ACTIVE.value and (known is None or known["activated_at"] is None):
        values["activated_at"] = now
    if known is None:
        connection.execute(campaigns.insert().values(workspace_id=workspace, id=number, version=version, **values))
    else:
        _change(connection, campaigns, workspace, number, version=version, **values)
    wanted = campaign_settings.read(values["settings"])
    if status in RUNNING and was not in (*RUNNING, Status.PAUSED) and wanted["recipients"] in GATHERED:
        waves.begin(connection, workspace, number, everyone=False, now=now)
    if status in RUNNING and known is not None and was is Status.PAUSED and known["paused_at"] is not None:
        named = {"name": values["name"], "survey": values["survey_id"], "metric": survey_name}
        going_on = Campaign(id=number, workspace=workspace, **named, **wanted)
        resuming.spread(connection, going_on, paused_at=known["paused_at"], now=now)
    whole = {"survey": survey_name, **values["settings"], "status": values["status"]}
    _remember(connection, "campaign", workspace, number, version, now, whole)
    return number


def _keep_channel(known: Row, values: Row) -> None:
    was, becomes = known["settings"].get("channel"), values["settings"].get("channel")
    if was != becomes:
        said = f"{values['name']} has asked by {was} and cannot go on by {becomes}. Make another campaign for that."
        raise Invalid(said, field="channel")


def _numbered(connection: Connection, sequence: str, known: Row | None) -> tuple[int, int]:
    """Id and version of what is about to be kept."""
    return (known["id"], known["version"] + 1) if known else (cursors.take(connection, sequence), 1)


def _change(connection: Connection, table: Table, workspace: int, number: int, **values: Any) -> None:
    connection.execute(update(table).where(table.c.workspace_id == workspace, table.c.id == number).values(**values))


def _remember(
    connection: Connection, noun: str, workspace: int, number: int, version: int, now: datetime, settings: Row
) -> None:
    connection.execute(
        versions.insert().values(
            workspace_id=workspace, noun=noun, noun_id=number, version=version, at=now, settings=settings
        )
    )
