"""What the page of a campaign shows beside its fields: events seen, real dates, how texts read, whom it could ask."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import GATHERED, Campaign
from heard.contacts.contact import Contact
from heard.errors import NotFound
from heard.installation import Installation
from heard.operations import campaigns_edit, campaigns_preview, campaigns_results, lists
from heard.operations.campaigns_preview import SPAN, Preview
from heard.store import edits, recent, tables
from heard.store.lists import List
from heard.store.recent import Look, Seen
from heard.surveys.survey import Survey
from heard.web.dashboard import events_seen
from heard.web.dashboard.campaigns import form as campaign_form
from heard.web.dashboard.campaigns import words as campaign_words
from heard.web.dashboard.campaigns.form import Form
from heard.web.dashboard.door import Visit
from heard.web.dashboard.events_seen import EventsSeen

NO_CAMPAIGN = "There is no such campaign in this workspace."
ZONES = (
    *("contact", "UTC", "Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Istanbul"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo"),
    *("Africa/Johannesburg", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney"),
)
DAYS = tuple(zip(campaign_form.DAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The page of one campaign, without its head."""

    form: Form
    number: int | None
    surveys: list[Survey]
    audiences: list[str]
    lists: list[List]
    complaints: dict[str, str]  # all there are; the page shows them once somebody has written
    fixes: dict[str, str]
    events: dict[str, Seen]
    look: Look
    explained: campaign_words.Explained | None
    reads: campaign_words.Reads
    preview: Preview | None
    to_come: campaign_words.Yield | None
    unsaved: bool

    @property
    def list_meant(self) -> List | None:
        return next((each for each in self.lists if each.name == self.form["list"]), None)

    @property
    def seen(self) -> Seen | None:
        """How often the event that is written was received, in all its spellings."""
        return events_seen.seen(self.events, self.form["event"])

    @property
    def meant(self) -> str | None:
        """The event that was seen and is spelled nearly like the one that is written, when that one was not."""
        return events_seen.meant(self.events, self.form["event"])


def mine(app: Installation, visit: Visit, number: int) -> Campaign:
    """Raises NotFound for a campaign that is not in the workspace being looked at."""
    campaign = app.directory.campaigns.get(number)
    if campaign is None or campaign.workspace != visit.workspace.id:
        raise NotFound(NO_CAMPAIGN)
    return campaign


def survey_mine(app: Installation, visit: Visit, number: int) -> Survey:
    """Raises NotFound for a survey that is not in the workspace being looked at."""
    survey = app.directory.surveys.get(number)
    if survey is None or survey.workspace != visit.workspace.id:
        raise NotFound("There is no such survey in this workspace.")
    return survey


async def kept_form(app: Installation, campaign: Campaign) -> Form:
    """The form as it was last saved."""

    def look(connection: Connection) -> dict[str, Any]:
        rows = edits.rows_of(connection, tables.campaigns, campaign.workspace)
        return next((row for row in rows if row["id"] == campaign.id), {})

    row = await app.store.read(look)
    if not row:
        raise NotFound(NO_CAMPAIGN)
    survey = app.directory.surveys[row["survey_id"]].name
    return campaign_form.of_settings(row["name"], survey, row["settings"], row["version"])


def surveys_of(app: Installation, workspace: int) -> list[Survey]:
    found = (each for each in app.directory.surveys.values() if each.workspace == workspace)
    return sorted(found, key=lambda each: each.name.lower())


async def shown(
    app: Installation,
    visit: Visit,
    form: Form,
    *,
    campaign: Campaign | None,
    saved: Form | None,
    with_preview: bool,
    kept_events: EventsSeen,
) -> Shown:
    """Everything the page needs; `campaign` None for one that is not made yet."""
    workspace, now = visit.workspace, app.clock.now()
    read = campaigns_edit.read(campaign_form.written(form))
    surveys = surveys_of(app, workspace.id)
    survey = next((each for each in surveys if each.name == form.survey), surveys[0] if surveys else None)
    unsaved = None
    if survey is not None:
        number = campaign.id if campaign else 0
        unsaved = campaigns_edit.unsaved(
            read, app=app, workspace=workspace.id, number=number, survey=survey.id, name=form.name
        )
    wants_preview = (
        with_preview
        and unsaved is not None
        and (bool(unsaved.event) or unsaved.recipients in GATHERED)
        and not read.complaints.keys() - {"name"}
    )

    def gather(connection: Connection) -> tuple[dict[str, Seen], Look, Contact | None, Preview | None, float | None]:
        events, reach = kept_events.of(connection, workspace.id, now - SPAN)
        preview = campaigns_preview.look(connection, app, unsaved, now) if unsaved and wants_preview else None
        someone = _somebody(preview) or recent.newest_contact(connection, workspace.id)
        return events, reach, someone, preview, _rate(connection, campaign, now)

    events, reach, someone, preview, rate = await app.store.read(gather)
    quiet = campaign_words.quiet_of(app.directory.surveys, survey) if survey else None
    return Shown(
        form=form,
        number=campaign.id if campaign else None,
        surveys=surveys,
        audiences=sorted(app.directory.book(workspace.id).by_name),
        lists=await lists.every(app, workspace.id),
        complaints=read.complaints,
        fixes=campaign_form.fixes(form, read.complaints),
        events=events,
        look=reach,
        explained=campaign_words.explained(unsaved, workspace=workspace, quiet=quiet, now=now)
        if unsaved and not any(key.startswith(("delay", "throttle", "window")) for key in read.complaints)
        else None,
        reads=campaign_words.reads(form.subject, form.intro, brand=workspace.brand.name, contact=someone),
        preview=preview,
        to_come=campaign_words.to_come(preview.could, rate=rate) if preview and preview.look.whole else None,
        unsaved=saved is not None and form != saved,
    )


def _somebody(preview: Preview | None) -> Contact | None:
    """Who would be asked, else anybody of those it is about."""
    known = [each for each in preview.sample if each.contact] if preview else []
    return next((each.contact for each in sorted(known, key=lambda each: each.due is None)), None)


def _rate(connection: Connection, campaign: Campaign | None, now: datetime) -> float | None:
    """The campaign's own response rate once it says something."""
    if campaign is None:
        return None
    found = campaigns_results.answered(connection, campaign, now - 3 * SPAN)
    return found.share if found.of >= 100 else None
