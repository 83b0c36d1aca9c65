"""Make a campaign, or change one: what a page was given is read as the workspace file is, and kept as a version."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.campaigns import settings as campaign_settings
from heard.campaigns.campaign import Campaign, Status
from heard.errors import HeardError, Invalid, NotFound
from heard.installation import Installation
from heard.operations.file_audience import check_audience, names_of_audiences
from heard.operations.file_read import CampaignLine, campaign_line
from heard.store import audit, edits, tables
from heard.store.edits import Row

FORM = "campaign"


class ChangedMeanwhile(HeardError):
    """Somebody else saved it since the form was opened. `row` is what they saved, `changes` their keys."""

    def __init__(self, row: Row) -> None:
        super().__init__(f"Somebody saved version {row['version']} while you edited.")
        self.row = row


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A form, read: every field that cannot be obeyed with its sentence, and what the others say."""

    line: CampaignLine | None  # None as long as there are complaints
    complaints: dict[str, str]
    obeyed: dict[str, Any]  # as keyword arguments of a `Campaign`


def read(written: Mapping[str, Any]) -> Read:
    """`written` is a campaign of the workspace file. Complaints are by its keys: `throttle`, `template.subject`."""
    line, complaints = dict(written), dict[str, str]()
    while True:
        try:
            whole = campaign_line(line, FORM)
        except Invalid as problem:
            field, said = _without_place(problem)
            if field in complaints:  # taking it out did not help
                raise
            complaints[field] = said
            _forget(line, field)
        else:
            obeyed = campaign_settings.read(line, field=FORM)
            for missing in complaints.keys() & {"event", "list", "audience"}:
                obeyed.pop(missing, None)
            return Read(line=None if complaints else whole, complaints=complaints, obeyed=obeyed)


def unsaved(read: Read, *, app: Installation, workspace: int, number: int, survey: int, name: str) -> Campaign:
    """The campaign that the form would make, as far as its fields can be obeyed; 0 is the number of a new one."""
    return Campaign(
        id=number,
        workspace=workspace,
        name=name,
        survey=survey,
        metric=app.directory.surveys[survey].kind,
        **{**read.obeyed, "status": Status.READY},
    )


async def keep(
    app: Installation, *, workspace: int, by: str, line: CampaignLine, number: int | None = None, version: int = 0
) -> int:
    """Keep a new campaign as a draft, or a new version of one; gives its number.

    Nothing is kept when nothing changed.

    Raises:
        NotFound: there is no such campaign here.
        Invalid: with `field`: the name belongs to another campaign, or there is no such survey.
        ChangedMeanwhile: `version` is not the latest.
    """
    now = app.clock.now()

    def change(connection: Connection) -> tuple[int, bool]:
        rows = {row["id"]: row for row in edits.rows_of(connection, tables.campaigns, workspace)}
        if number is not None and number not in rows:
            raise NotFound("There is no such campaign in this workspace.")
        known = rows[number] if number is not None else None
        if known is not None and known["version"] != version:
            raise ChangedMeanwhile(known)
        if any(row["name"] == line.name and row is not known for row in rows.values()):
            raise Invalid("Another campaign has this name; choose one of its own.", field="name")
        surveys = {row["name"]: row["id"] for row in edits.rows_of(connection, tables.surveys, workspace)}
        if line.survey not in surveys:
            raise Invalid("Choose the survey to ask.", field="survey")
        check_audience(names_of_audiences(connection, workspace), line.settings.get("audience"), "audience")
        names = {survey: name for name, survey in surveys.items()}
        before = {"name": known["name"], "survey": names[known["survey_id"]], **known["settings"]} if known else {}
        after = {"name": line.name, "survey": line.survey, **line.settings}
        if known is not None and _means(before) == _means(after):
            return known["id"], False
        kept = edits.keep_campaign(
            connection,
            workspace,
            known,
            survey_name=line.survey,
            now=now,
            name=line.name,
            survey_id=surveys[line.survey],
            settings=line.settings,
            status=known["status"] if known else Status.DRAFT.value,
        )
        audit.note(
            connection,
            workspace,
            by=by,
            what="campaign.changed" if known else "campaign.made",
            subject=line.name,
            at=now,
            detail=differences(before, after) if known else {},
        )
        return kept, known is not None and known["name"] != line.name

    kept, renamed = await app.store.write(change)
    await app.reload()
    if renamed:
        # answers stand there with the campaign's name: they are read anew
        await asyncio.to_thread((await app.answers()).close)
    return kept


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The keys that differ, each with what it was and what it is; None is "not there"."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {key: [before.get(key), after.get(key)] for key in keys}


def _means(written: Mapping[str, Any]) -> tuple[Any, ...]:
    """Two ways of writing the same settings are no change."""
    return written["name"], written["survey"], campaign_settings.read(written)


def _without_place(problem: Invalid) -> tuple[str, str]:
    """(`throttle`, "Write a length of time ...") of `campaign.throttle: Write a length of time ...`."""
    place = problem.field or FORM
    said = str(problem).removeprefix(f"{place}: ")
    return place.removeprefix(f"{FORM}."), said[:1].upper() + said[1:]


def _forget(line: dict[str, Any], field: str) -> None:
    """Take out what was complained about, so that the rest can be read; what must be there gets a stand-in."""
    top, _, inner = field.partition(".")
    if top == "template" and inner:
        line["template"] = {key: text for key, text in line["template"].items() if key != inner}
    elif top in ("name", "survey", "event", "list", "audience"):
        line[top] = "..."
    else:
        line.pop(top, None)
