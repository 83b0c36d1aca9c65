"""Everything that changes only when somebody edits it, in memory: workspaces, sources, surveys, campaigns.

The heart reads it once and again after each edit, so that a batch of messages needs no query for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from heard import durations
from heard.accounts.mail_settings import MailSettings
from heard.accounts.workspace import UnconfirmedClicks, Workspace
from heard.audiences import read as definitions
from heard.audiences.audience import Audience, ComputedTrait, Form, Phase
from heard.audiences.order import NOTHING, Book, book
from heard.campaigns import settings
from heard.campaigns.campaign import Campaign, Status
from heard.contacts.suppression import Suppressed
from heard.deliveries.case import Policy
from heard.errors import NotFound
from heard.messages.events import canonical
from heard.routing.destination import SURVEYS, Destination
from heard.routing.plan import Plan
from heard.schema import read as tracking
from heard.schema.tracking_plan import TrackingPlan, Unplanned
from heard.sources.source import Source
from heard.store import introductions, links, mail_settings, tables
from heard.surveys import send_back
from heard.surveys.survey import Survey


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """The surveys destination of a workspace, as our own engine needs to know it."""

    destination: int
    names: tuple[str, ...]
    policy: Policy
    daily_limit: int | None = None  # messages a UTC day that it takes; what is over it waits
    list: str | None = None  # where everybody who is identified is put


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    workspaces: Mapping[int, Workspace]
    sources: Mapping[int, Source]
    surveys: Mapping[int, Survey]
    campaigns: Mapping[int, Campaign]
    intakes: Mapping[int, Intake]  # by workspace
    triggered: Mapping[tuple[int, str], tuple[Campaign, ...]]  # by workspace and canonical event name
    destinations: Mapping[int, Destination] = msgspec.field(default_factory=dict)
    tracking: Mapping[int, TrackingPlan] = msgspec.field(default_factory=dict)  # by source
    tracking_plans: Mapping[int, TrackingPlan] = msgspec.field(default_factory=dict)
    books: Mapping[int, Book] = msgspec.field(default_factory=dict)  # by workspace, where something is computed
    plans: dict[int, Plan] = msgspec.field(default_factory=dict)
    """By workspace, made when they are first asked for: `heard.steps.plans`."""
    mail: Mapping[int, MailSettings] = msgspec.field(default_factory=dict)  # by workspace, where something is set
    suppressed: Mapping[int, Suppressed] = msgspec.field(default_factory=dict)
    """By workspace, of those that are not to hear of somebody."""
    wishes: Mapping[int, bytes] = msgspec.field(default_factory=dict)
    """The key of marks, by workspace, where wishes of erased people wait for somebody to have their mailbox."""

    def workspace(self, name: str | None) -> Workspace:
        """The workspace of that name or slug; without a name, the only one there is.

        Raises:
            NotFound: none of that name, or several and no name.
        """
        if name is None and len(self.workspaces) == 1:
            return next(iter(self.workspaces.values()))
        for workspace in self.workspaces.values():
            if name in (workspace.name, workspace.slug):
                return workspace
        names = ", ".join(sorted(workspace.name for workspace in self.workspaces.values()))
        if not names:
            raise NotFound("There is no workspace yet. Run `heard init` or `heard apply FILE` first.")
        if name is not None:
            raise NotFound(f"There is no workspace {name!r}. Workspaces: {names}.")
        raise NotFound(f"Name the workspace with `--workspace NAME`: one of {names}.")

    def survey(self, workspace: int, name: str) -> Survey:
        for survey in self.surveys.values():
            if survey.workspace == workspace and survey.name == name:
                return survey
        names = ", ".join(sorted(each.name for each in self.surveys.values() if each.workspace == workspace))
        raise NotFound(f"There is no survey {name!r}. Surveys: {names or 'none yet'}.")

    def campaign(self, workspace: int, name: str) -> Campaign:
        for campaign in self.campaigns_of(workspace):
            if campaign.name == name:
                return campaign
        names = ", ".join(campaign.name for campaign in self.campaigns_of(workspace))
        raise NotFound(f"There is no campaign {name!r}. Campaigns: {names or 'none yet'}.")

    def campaigns_of(self, workspace: int) -> list[Campaign]:
        return [campaign for campaign in self.campaigns.values() if campaign.workspace == workspace]

    def destinations_of(self, workspace: int) -> list[Destination]:
        """In the order they were made."""
        return [each for each in self.destinations.values() if each.workspace == workspace]

    def destination(self, workspace: int, name: str) -> Destination:
        """By its exact name; else by a name that senders may use for it.

        Raises:
            NotFound: there is none.
        """
        ours = self.destinations_of(workspace)
        for destination in ours:
            if destination.name == name:
                return destination
        for destination in ours:
            if name in destination.names:
                return destination
        names = ", ".join(each.name for each in ours)
        raise NotFound(f"There is no destination {name!r}. Destinations: {names or 'none yet'}.")

    def book(self, workspace: int) -> Book:
        """What is computed there."""
        return self.books.get(workspace, NOTHING)

    def paused(self) -> list[int]:
        """The campaigns whose deliveries wait."""
        return [campaign.id for campaign in self.campaigns.values() if campaign.status == Status.PAUSED]


def load(connection: Connection) -> Directory:
    rows = connection.execute
    workspaces = {row.id: _workspace(row) for row in rows(select(tables.workspaces))}
    sources = {
        row.id: Source(
            id=row.id,
            workspace=row.workspace_id,
            name=row.name,
            write_key=row.write_key,
            webhook_secret=row.webhook_secret,
        )
        for row in rows(select(tables.sources))
    }
    surveys = {row.id: _survey(row) for row in rows(select(tables.surveys))}
    in_order = select(tables.campaigns).order_by(tables.campaigns.c.id)
    turns = links.turns(connection)
    campaigns = {row.id: _campaign(row, surveys, turns.get(row.id, 0)) for row in rows(in_order)}
    made = rows(select(tables.destinations).order_by(tables.destinations.c.id))
    destinations = {row.id: destination_of(row) for row in made}
    intakes = {
        each.workspace: _intake(each, workspaces[each.workspace])
        for each in destinations.values()
        if each.type == SURVEYS
    }
    triggered: dict[tuple[int, str], list[Campaign]] = {}
    for campaign in campaigns.values():
        if campaign.event:
            triggered.setdefault((campaign.workspace, canonical(campaign.event)), []).append(campaign)
    in_order = select(tables.tracking_plans).order_by(tables.tracking_plans.c.id)
    tracking_plans = {row.id: tracking_plan_of(row) for row in rows(in_order)}
    return Directory(
        workspaces=workspaces,
        sources=sources,
        surveys=surveys,
        campaigns=campaigns,
        intakes=intakes,
        destinations=destinations,
        plans={},
        tracking_plans=tracking_plans,
        tracking={source: plan for plan in tracking_plans.values() for source in plan.sources},
        books=_books(connection, destinations),
        mail=mail_settings.all_(connection),
        triggered={key: tuple(asked) for key, asked in triggered.items()},
    )


def _books(connection: Connection, destinations: Mapping[int, Destination]) -> dict[int, Book]:
    found: dict[int, list[Audience | ComputedTrait]] = defaultdict(list)
    table, newest = tables.audiences, introductions.newest(connection)
    for row in connection.execute(select(table).where(table.c.phase != Phase.LEAVING.value).order_by(table.c.id)):
        found[row.workspace_id].append(_computed(row, destinations, newest.get(row.id, 0)))
    return {workspace: book(computed) for workspace, computed in found.items()}


def computed_of(connection: Connection, workspace: int) -> list[Audience | ComputedTrait]:
    """Audiences and computed traits as they are kept, whatever they rest on."""
    table = tables.audiences
    there = table.c.workspace_id == workspace, table.c.phase != Phase.LEAVING.value
    rows = connection.execute(select(table).where(*there).order_by(table.c.id))
    return [_computed(row, {}, 0) for row in rows]


def _computed(row: Any, destinations: Mapping[int, Destination], introduced: int) -> Audience | ComputedTrait:
    wanted = row.settings.get("to")
    known = [number for number in wanted or () if number in destinations]
    told: dict[str, Any] = {
        "id": row.id,
        "workspace": row.workspace_id,
        "name": row.name,
        "key": row.key,
        "version": row.version,
        "phase": Phase(row.phase),
        "to": tuple(number for number in known if destinations[number].type != SURVEYS),
        "on_contact": wanted is None or any(destinations[number].type == SURVEYS for number in known),
        "form": Form(row.settings.get("as", Form.TRAITS)),
        "introduced": introduced,
    }
    if row.kind == AUDIENCE:
        return Audience(**told, condition=definitions.condition(row.settings["where"], row.name))
    return ComputedTrait(**told, aggregate=definitions.aggregate(row.settings, row.name))


AUDIENCE, TRAIT = "audience", "trait"  # kinds of what is computed


def _workspace(row: Any) -> Workspace:
    return Workspace(
        id=row.id,
        name=row.name,
        slug=row.slug,
        brand=row.brand,
        quiet_period=_length(row.quiet_period),
        exclude=row.exclude,
        unconfirmed_clicks=UnconfirmedClicks(row.unconfirmed_clicks),
    )


def _survey(row: Any) -> Survey:
    return Survey(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        kind=row.kind,
        languages=tuple(row.settings.get("languages") or ("en",)),
        quiet_period=durations.parse(row.settings["quiet_period"]) if row.settings.get("quiet_period") else None,
        send_back=send_back.of_settings(row.settings["send_back"]) if row.settings.get("send_back") else None,
        version=row.version,
    )


def _campaign(row: Any, surveys: Mapping[int, Survey], turn: int = 0) -> Campaign:
    return Campaign(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        survey=row.survey_id,
        metric=surveys[row.survey_id].kind,
        version=row.version,
        link_turn=turn,
        **{**settings.read(row.settings), "status": Status(row.status)},
    )


def destination_of(row: Any) -> Destination:
    return Destination(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        type=row.type,
        settings=row.settings,
        sources=None if row.source_ids is None else frozenset(row.source_ids),
        enabled=bool(row.enabled),
        switches=row.switches,
        filters=row.filters,
        consent_categories=tuple(row.settings.get("consent_categories") or ()),
    )


def tracking_plan_of(row: Any) -> TrackingPlan:
    wanted, place = row.settings, row.name
    rules = tracking.rules(wanted, place)
    return TrackingPlan(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        sources=frozenset(row.source_ids),
        told=tuple(row.told),
        events=rules.events,
        identify=rules.identify,
        group=rules.group,
        **{key: Unplanned(wanted[key]) for key in tracking.CHOICES if key in wanted},
    )


def _intake(destination: Destination, workspace: Workspace) -> Intake:
    wanted = destination.settings
    lengths = {
        key: durations.parse(wanted[key]) for key in ("late_identify", "max_event_age") if wanted.get(key) is not None
    }
    return Intake(
        destination=destination.id,
        names=destination.names,
        daily_limit=wanted.get("daily_limit"),
        list=wanted.get("list"),
        policy=Policy(
            quiet_period=workspace.quiet_period,
            consent_categories=tuple(wanted.get("consent_categories") or ()),
            **lengths,
        ),
    )


def _length(stored: int | None) -> timedelta | None:
    return None if stored is None else timedelta(microseconds=stored)
