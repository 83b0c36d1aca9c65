"""Everybody on a list, or in an audience, is asked: a chunk of them in one transaction, so that a crash repeats nobody.

A wave begins when its campaign starts to run, or when somebody sends it again. Each contact gets a decision like any
other; nobody is decided about twice in one wave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

import msgspec
from sqlalchemy import Connection, update

from heard.campaigns.campaign import GATHERED, RUNNING, Campaign, Recipients, Status, is_running
from heard.contacts.contact import Contact
from heard.deliveries import gathered, schedule
from heard.deliveries.case import Trigger
from heard.deliveries.delivery import State
from heard.deliveries.eligibility import Invite
from heard.destinations.considered import Considered
from heard.destinations.decided import answered, undecided
from heard.destinations.identity import Claims
from heard.destinations.known import Known
from heard.steps import keep, told
from heard.store import audiences, audit, campaign_counts, funnel, lists, tables, tallies, waves
from heard.store.directory import Directory
from heard.store.waves import Wave

PEOPLE = 500  # decided about in one go
BY = "Heard"


class Asked(msgspec.Struct, kw_only=True):
    """What a chunk came to. `changed`: a campaign has another status, and the directory is old."""

    worked: bool = False
    changed: bool = False
    due: bool = False
    told: bool = False


def go_on(connection: Connection, *, directory: Directory, now: datetime) -> Asked:
    """One chunk of a wave whose campaign runs; or the end of a campaign that has asked everybody.

    While nobody at all is on the list, or in the audience, the wave waits.
    """
    for wave, campaign in _running(connection, directory, now):
        people = members(connection, campaign, directory, after=wave.position, limit=PEOPLE)
        if people or wave.people:
            return _chunk(connection, wave, campaign, people, directory, now)
    ended = [each for each in directory.campaigns.values() if _has_ended(connection, each)]
    for campaign in ended:
        _complete(connection, campaign, now)
    return Asked(worked=bool(ended), changed=bool(ended))


def anything(connection: Connection, *, directory: Directory, now: datetime) -> bool:
    """Whether `go_on` would do something; a look that writes nothing."""
    if not any(each.recipients in GATHERED and each.status in RUNNING for each in directory.campaigns.values()):
        return False
    for wave, campaign in _running(connection, directory, now):
        if wave.people or members(connection, campaign, directory, after=0, limit=1):
            return True
    return any(_has_ended(connection, each) for each in directory.campaigns.values())


def next_start(connection: Connection, *, directory: Directory, now: datetime) -> datetime | None:
    """When a wave begins that waits for the date of its campaign."""
    waiting = (directory.campaigns.get(wave.campaign) for wave in waves.under_way(connection))
    starts = [each.starts for each in waiting if each is not None and each.status in RUNNING and each.starts]
    return min((each for each in starts if each > now), default=None)


def members(
    connection: Connection, campaign: Campaign, directory: Directory, *, after: int, limit: int
) -> list[Contact]:
    """Whom the campaign asks, those whose ids follow `after`, in their order."""
    workspace = campaign.workspace
    if campaign.recipients is Recipients.LIST:
        number = lists.number_of(connection, workspace, campaign.list or "")
        found = None if number is None else partial(lists.members, connection, workspace, number)
    else:
        audience = directory.book(workspace).by_name.get(campaign.audience or "")
        found = None if audience is None else partial(lists.members_of_audience, connection, workspace, audience.id)
    return [] if found is None else found(after=after, limit=limit)


def size(connection: Connection, campaign: Campaign, directory: Directory) -> int:
    """How many it asks."""
    if campaign.recipients is Recipients.LIST:
        on = {each.name: each.members for each in lists.all_of(connection, campaign.workspace)}
        return on.get(campaign.list or "", 0)
    audience = directory.book(campaign.workspace).by_name.get(campaign.audience or "")
    return 0 if audience is None else audiences.counts(connection, campaign.workspace).get(audience.id, 0)


def prepare(connection: Connection, workspace: int, people: Sequence[Contact], directory: Directory) -> Known:
    """Everything that decides about these people, one query a table."""
    known = Known(connection, directory, workspace)
    known.load_people([each.id for each in people], [each.email_key for each in people if each.email_key])
    users = [each.user_id for each in people if each.user_id]
    known.audiences.load(users)
    known.load_consents(Claims(), users)
    known.load_lists(each.id for each in people)
    return known


def trigger_of(contact: Contact, key: str, now: datetime) -> Trigger:
    """Nothing happened: the campaign itself is what leads to the ask. Conditions can speak of traits."""
    document = {"type": "track", "userId": contact.user_id, "properties": {}, "context": {}}
    return Trigger(
        key=key, message_id="", event="", at=now, received_at=now, user_id=contact.user_id, document=document
    )


def days_of(campaign: Campaign, start: datetime) -> tuple[datetime, ...]:
    """The moments of a wave that began at `start`."""
    return schedule.slices(campaign, start + campaign.delay, schedule.campaigns_zone(campaign))


def opens_for(campaign: Campaign, contact: Contact) -> Callable[[datetime], datetime]:
    """Moves a moment into the send window, on the contact's clock."""
    zone = schedule.zone_of(campaign, contact)
    return lambda moment: schedule.in_window(campaign, moment, zone)


def _running(connection: Connection, directory: Directory, now: datetime) -> Iterator[tuple[Wave, Campaign]]:
    for wave in waves.under_way(connection):
        campaign = directory.campaigns.get(wave.campaign)
        if campaign is not None and campaign.recipients in GATHERED and is_running(campaign, now):
            yield wave, campaign


def _chunk(
    connection: Connection,
    wave: Wave,
    campaign: Campaign,
    people: Sequence[Contact],
    directory: Directory,
    now: datetime,
) -> Asked:
    start = wave.started_at or now
    known, outcome = prepare(connection, wave.workspace, people, directory), Considered()
    known.reserve(contacts=0, decisions=len(people))
    slices = gathered.Slices(days := days_of(campaign, start), waves.given(connection, wave, days))
    invited = wave.invited
    for contact in people:
        trigger = trigger_of(contact, f"wave:{wave.number}:{contact.id}", now)
        decision = undecided(campaign, trigger, contact, known, now=now)
        case = known.case(campaign, trigger, contact, now=now)
        if not wave.everyone and case.touches.live().first_asks().of_campaign(campaign.id):
            case = msgspec.structs.replace(case, already_invited=True)
        placed, answer = gathered.place(case, slices, opens_for(campaign, contact))
        outcome.decisions[decision.id] = (answered(decision, answer, placed, known, outcome), None)
        invited += isinstance(answer, Invite)
    counts: Counter[funnel.Key] = Counter()
    telling = keep.considered(connection, wave.workspace, known, outcome, counts, now)
    told.keep(connection, telling, now)
    tallies.add(connection, counts)
    is_over = len(people) < PEOPLE
    gone_on = msgspec.structs.replace(
        wave,
        started_at=start,
        finished_at=now if is_over else None,
        position=people[-1].id if people else wave.position,
        people=wave.people + len(people),
        invited=invited,
    )
    waves.keep(connection, gone_on)
    return Asked(worked=True, changed=bool(outcome.activated), due=bool(outcome.deliveries), told=bool(telling))


def _has_ended(connection: Connection, campaign: Campaign) -> bool:
    """Its waves are over, nothing of it is scheduled any more, and it asks nobody again by itself."""
    if campaign.recipients not in GATHERED or campaign.status not in RUNNING or campaign.recurring:
        return False
    last = waves.latest(connection, campaign.workspace, campaign.id)
    if last is None or last.finished_at is None:
        return False
    open_ = [State.SCHEDULED, State.SENDING]
    return not campaign_counts.any_in_states(connection, campaign.workspace, campaign.id, open_)


def _complete(connection: Connection, campaign: Campaign, now: datetime) -> None:
    table = tables.campaigns
    connection.execute(
        update(table)
        .where(table.c.workspace_id == campaign.workspace, table.c.id == campaign.id)
        .values(status=Status.COMPLETE.value)
    )
    detail = {"status": [campaign.status.value, Status.COMPLETE.value]}
    audit.note(
        connection, campaign.workspace, by=BY, what="campaign.changed", subject=campaign.name, at=now, detail=detail
    )
