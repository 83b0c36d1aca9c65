"""Bring a workspace to what its file says, and say what changed. Runs inside one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection

from heard import durations
from heard.accounts import logo
from heard.accounts.keys import fingerprint
from heard.accounts.workspace import Brand, Workspace
from heard.campaigns.campaign import Status
from heard.destinations import kinds
from heard.destinations.veiled import host_alone
from heard.errors import Invalid
from heard.operations import secrets_made
from heard.operations.file_audience import check_audience, keep_computed, names_of_audiences
from heard.operations.file_changes import Change, compare
from heard.operations.file_destination import DestinationLine, with_names, with_numbers
from heard.operations.file_mail import keep_mail
from heard.operations.file_plan import keep_plans
from heard.operations.file_read import (
    CampaignLine,
    SourceLine,
    WorkspaceFile,
)
from heard.operations.file_survey import keep_surveys
from heard.operations.first_run import DEFAULT_NAME, DESTINATION
from heard.routing.destination import SURVEYS
from heard.routing.lines import written as written_filter
from heard.store import accounts, directory, edits, tables
from heard.store.edits import Row
from heard.store.types import MICROSECOND

RUNNING = (Status.READY.value, Status.ACTIVE.value)


def keep(connection: Connection, wanted: WorkspaceFile, *, now: datetime) -> tuple[int, list[Change]]:
    """The workspace, and every change that was needed, in the order of the file; none when all is so already.

    Raises:
        Invalid: the file contradicts itself or another workspace: an unknown source or survey, a write key in use.
    """
    changes: list[Change] = []
    workspace = _workspace(connection, wanted, changes, now)
    if wanted.mail is not UNSET:
        keep_mail(connection, workspace.id, wanted.mail, changes)
    sources = _sources(connection, workspace.id, wanted.sources, changes, now)
    _destinations(connection, workspace.id, wanted.destinations, sources, changes)
    keep_plans(connection, workspace.id, wanted.tracking_plans, sources, changes)
    keep_computed(connection, workspace.id, wanted.audiences, wanted.computed_traits, changes, now)
    surveys = keep_surveys(connection, workspace.id, wanted.surveys, changes, now)
    _campaigns(connection, workspace.id, wanted.campaigns, surveys, changes, now)
    return workspace.id, changes


def _workspace(connection: Connection, wanted: WorkspaceFile, changes: list[Change], now: datetime) -> Workspace:
    known = directory.load(connection)
    found = next((each for each in known.workspaces.values() if each.name == wanted.workspace), None)
    if found is None and (first := untouched(known)) is not None:
        _rename(connection, first, wanted.workspace, changes)
        found = directory.load(connection).workspaces[first.id]
    if found is None:
        number = accounts.add_workspace(connection, wanted.workspace, now=now)
        changes.append(Change(place=f"workspace {wanted.workspace}", added=True))
        found = directory.load(connection).workspaces[number]
    values: dict[str, Any] = {}
    if wanted.brand is not UNSET and wanted.brand != found.brand:
        compare(changes, "brand", _brand_in_words(found.brand), _brand_in_words(wanted.brand))
        values["brand"] = wanted.brand
    if wanted.quiet_period is not UNSET and wanted.quiet_period != found.quiet_period:
        before, after = (length and durations.write(length) for length in (found.quiet_period, wanted.quiet_period))
        changes.append(Change(place="quiet_period", before=before, after=after))
        values["quiet_period"] = None if wanted.quiet_period is None else wanted.quiet_period // MICROSECOND
    if wanted.exclude is not UNSET and wanted.exclude != found.exclude:
        changes.append(Change(place="exclude", before=found.exclude, after=wanted.exclude))
        values["exclude"] = wanted.exclude
    if wanted.unconfirmed_clicks is not UNSET and wanted.unconfirmed_clicks != found.unconfirmed_clicks:
        before, after = found.unconfirmed_clicks.value, wanted.unconfirmed_clicks.value
        changes.append(Change(place="unconfirmed_clicks", before=before, after=after))
        values["unconfirmed_clicks"] = after
    if values:
        edits.change_workspace(connection, found.id, **values)
    return found


def untouched(known: directory.Directory) -> Workspace | None:
    """The workspace that the first run made under its own name, while nothing asks anybody there: it takes the name."""
    only = next(iter(known.workspaces.values())) if len(known.workspaces) == 1 else None
    return only if only is not None and only.name == DEFAULT_NAME and not known.surveys else None


def _rename(connection: Connection, workspace: Workspace, name: str, changes: list[Change]) -> None:
    brand = workspace.brand
    if brand.name == workspace.name:
        brand = msgspec.structs.replace(brand, name=name)
    slug = accounts.free_slug(connection, name)
    edits.change_workspace(connection, workspace.id, name=name, slug=slug, brand=brand)
    changes.append(Change(place="workspace", before=workspace.name, after=name))


def _sources(
    connection: Connection, workspace: int, wanted: tuple[SourceLine, ...], changes: list[Change], now: datetime
) -> dict[str, int]:
    """Ids of all sources of the workspace, by name."""
    known = {row["name"]: row for row in edits.rows_of(connection, tables.sources, workspace)}
    numbers: dict[str, int] = {name: row["id"] for name, row in known.items()}
    for place, line in _places("sources", wanted):
        row = known.get(line.name)
        _check_key_is_free(connection, workspace, line, row, place)
        if row is None:
            key = line.write_key or secrets_made.write_key()
            numbers[line.name] = accounts.add_source(connection, workspace, line.name, key, now=now)
            changes.append(Change(place=place, added=True, after=key))
        elif line.write_key is not None and line.write_key != row["write_key"]:
            edits.change_source(connection, workspace, row["id"], write_key=line.write_key)
            changes.append(Change(place=f"{place}.write_key", before=row["write_key"], after=line.write_key))
        secret = line.webhook_secret
        if secret is not UNSET and secret != (row["webhook_secret"] if row else None):
            edits.change_source(connection, workspace, numbers[line.name], webhook_secret=secret)
            changes.append(Change(place=f"{place}.webhook_secret", after="(secret)" if secret else None))
    return numbers


def _check_key_is_free(connection: Connection, workspace: int, line: SourceLine, row: Row | None, place: str) -> None:
    user = edits.source_by_key(connection, line.write_key) if line.write_key else None
    if user is not None and (row is None or user["id"] != row["id"]):
        ours = user["workspace_id"] == workspace  # nobody learns what another workspace calls its sources
        whose = f"is the key of the source {user['name']!r}" if ours else "is in use on this server"
        raise Invalid(
            f"{place}.write_key: {line.write_key} {whose}; choose another.",
            field=f"{place}.write_key",
        )


def _destinations(
    connection: Connection,
    workspace: int,
    wanted: tuple[DestinationLine, ...],
    sources: Mapping[str, int],
    changes: list[Change],
) -> None:
    """Those of the file. One surveys destination is always there: without a word, named Heard and fed by all."""
    rows = edits.rows_of(connection, tables.destinations, workspace)
    ours = next((row for row in rows if row["type"] == SURVEYS), None)
    if ours is None and not any(line.type == SURVEYS for line in wanted):
        accounts.add_surveys_destination(connection, workspace, DESTINATION)
        changes.append(Change(place=f"destinations[{DESTINATION}]", added=True))
    known = {row["name"]: row for row in rows if row["type"] != SURVEYS}
    for place, line in _places("destinations", wanted):
        row = ours if line.type == SURVEYS else known.get(line.name)
        taken = next((each for each in rows if each["name"] == line.name and each is not row), None)
        if taken is not None or (row is not None and row["type"] != line.type):
            raise Invalid(
                f"{place}.name: a destination of type {(taken or row or {})['type']} is called so; choose another.",
                field=f"{place}.name",
            )
        keep_destination(connection, workspace, row, line, place, sources, changes)


def keep_destination(
    connection: Connection,
    workspace: int,
    row: Row | None,
    line: DestinationLine,
    place: str,
    sources: Mapping[str, int],
    changes: list[Change],
) -> int:
    """Bring one destination to what its line says; gives its number."""
    for name in line.sources or ():
        if name not in sources:
            raise Invalid(
                f"{place}.sources: there is no source {name!r}. Sources: {', '.join(sources) or 'none'}.",
                field=f"{place}.sources",
            )
    values: dict[str, Any] = {
        "name": line.name,
        "type": line.type,
        "settings": line.settings,
        "source_ids": None if line.sources is None else sorted(sources[name] for name in line.sources),
        "enabled": int(line.enabled),
        "switches": row["switches"] if row else {},
        "filters": row["filters"] if row else (),
    }
    if line.switches is not UNSET:
        values["switches"] = with_numbers(line.switches, sources, place)
    if line.filters is not UNSET:
        values["filters"] = line.filters
    if row is None:
        changes.append(Change(place=place, added=True))
        return edits.keep_destination(connection, workspace, None, **values)
    names = {number: name for name, number in sources.items()}
    before, after = destination_as_written(row, names), destination_as_written(values, names)
    if before != after:
        every = {"sources": "every source"}
        compare(changes, f"destinations[{row['name']}]", every | _veiled(before), every | _veiled(after))
        edits.keep_destination(connection, workspace, row["id"], **values)
    return row["id"]


def _veiled(written: Mapping[str, Any]) -> dict[str, Any]:
    """What changed is printed and kept in the audit log; a secret is there as a few letters of its fingerprint.

    So is what follows an address's host: whoever knows the path of a webhook can write there.
    """
    secret, urls = kinds.secrets_of(written["type"]), kinds.urls_of(written["type"])

    def shown_as(name: str, value: Any) -> Any:
        if name in secret:
            return f"(secret {fingerprint(str(value))[:8]})"
        return f"{host_alone(value)} ({fingerprint(value)[:8]})" if name in urls else value

    shown = {name: shown_as(name, value) for name, value in written.get("settings", {}).items()}
    return {**written, **({"settings": shown} if shown else {})}


def _campaigns(
    connection: Connection,
    workspace: int,
    wanted: tuple[CampaignLine, ...],
    surveys: Mapping[str, int],
    changes: list[Change],
    now: datetime,
) -> None:
    known = {row["name"]: row for row in edits.rows_of(connection, tables.campaigns, workspace)}
    names = {number: name for name, number in surveys.items()}
    audiences = names_of_audiences(connection, workspace)
    for place, line in _places("campaigns", wanted):
        if line.survey not in surveys:
            raise Invalid(
                f"{place}.survey: there is no survey {line.survey!r}. Surveys: {', '.join(surveys) or 'none'}.",
                field=f"{place}.survey",
            )
        check_audience(audiences, line.settings.get("audience"), f"{place}.audience")
        row = known.get(line.name)
        status = _status(line.status, row)
        if row is None:
            changes.append(Change(place=place, added=True, after=status))
        else:
            before = {"survey": names[row["survey_id"]], **row["settings"], "status": row["status"]}
            after = {"survey": line.survey, **line.settings, "status": status}
            if not compare(changes, place, before, after):
                continue
        edits.keep_campaign(
            connection,
            workspace,
            row,
            survey_name=line.survey,
            now=now,
            name=line.name,
            survey_id=surveys[line.survey],
            settings=line.settings,
            status=status,
        )


def _status(written: str | None, row: Row | None) -> str:
    """What the status is to be. `ready` means running: a campaign that is active already stays active."""
    if row is None:
        return written or Status.DRAFT.value
    if written is None or (written == Status.READY.value and row["status"] in RUNNING):
        return row["status"]
    return written


def _places(section: str, lines: tuple[Any, ...]) -> list[tuple[str, Any]]:
    return [(f"{section}[{line.name}]", line) for line in lines]


# ── as the file writes it ──


def brand_as_written(brand: Brand) -> dict[str, Any]:
    written = msgspec.to_builtins(brand)
    return {key: value for key, value in written.items() if value not in (None, "")}


def _brand_in_words(brand: Brand) -> dict[str, Any]:
    """As written, but a picture is named: nobody reads its octets in a list of changes."""
    picture = logo.read(brand.logo)
    return brand_as_written(brand) | ({"logo": picture.name} if picture else {})


def source_as_written(row: Mapping[str, Any]) -> dict[str, Any]:
    written = {"name": row["name"], "write_key": row["write_key"]}
    return written | ({"webhook_secret": row["webhook_secret"]} if row["webhook_secret"] else {})


def destination_as_written(row: Mapping[str, Any], sources: Mapping[int, str]) -> dict[str, Any]:
    written: dict[str, Any] = {"name": row["name"], "type": row["type"]}
    if not row["enabled"]:
        written["enabled"] = False
    if row["source_ids"] is not None:
        written["sources"] = [sources[number] for number in row["source_ids"] if number in sources]
    more = {
        "settings": row["settings"],
        "events": with_names(row["switches"], sources),
        "filters": [written_filter(each) for each in row["filters"]],
    }
    return written | {key: value for key, value in more.items() if value}
