"""Somebody follows a campaign's public link, from a mail or a page that others made.

Opening it is kept as what it is, and decides nothing: machines open links too. What a person sends is decided by the
rules, with the ask and its answer made in the same moment; a later visit changes that answer, or learns that it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign
from heard.channels.link.who import Named
from heard.contacts import address as addresses
from heard.contacts.contact import Contact
from heard.contacts.written import Person
from heard.deliveries.case import Case, Trigger
from heard.deliveries.decision import Decision, Outcome, revised
from heard.deliveries.delivery import Delivery, State
from heard.deliveries.eligibility import decide
from heard.deliveries.ledger import Touch, TouchState
from heard.deliveries.reasons import Objection, Reason
from heard.destinations.considered import Considered
from heard.destinations.decided import answered, undecided
from heard.destinations.known import Known
from heard.errors import NotFound
from heard.ids import visit_id
from heard.responses.clicks import Click
from heard.responses.verdict import MOST_READ, Visits, findings
from heard.steps import answer as answers
from heard.steps import enlist, keep, told
from heard.steps.waves import Asked, prepare
from heard.store import clicks, contacts, decisions, deliveries, funnel, links, responses, tallies
from heard.store.days import day_of
from heard.store.directory import Directory
from heard.store.types import micros

MOST_STRANGERS = 200  # a day and campaign, of whom a decision is kept; the others are counted


class Became(StrEnum):
    """What came of what somebody sent."""

    KEPT = "kept"
    ANSWERED = "answered"  # they have answered before, and it can be changed no longer
    CLOSED = "closed"  # the campaign asks nobody now
    UNKNOWN = "unknown"  # nobody here is called so
    REFUSED = "refused"  # what was promised of their data says no


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    became: Became
    delivery: str | None = None  # of the answer that is kept
    asked: Asked = msgspec.field(default_factory=Asked)


def opened(connection: Connection, campaign: Campaign, named: Named, click: Click, *, directory: Directory) -> None:
    """Keep that the link was opened in somebody's name. Of whoever is no contact, or suppressed, nothing is kept."""
    contact = _find(connection, campaign.workspace, named)
    if contact is None or _is_suppressed(directory, campaign, named, contact):
        return
    visit = visit_id(campaign.id, contact.id)
    before = clicks.of_deliveries(connection, campaign.workspace, [visit]).get(visit, [])
    if len(before) >= MOST_READ:
        return
    clicks.keep(connection, campaign.workspace, visit, click)
    change = _by_a_person([*before, click]) - _by_a_person(before)
    links.count(connection, campaign.workspace, campaign.id, "opened", click.at, change)


def follow(
    connection: Connection,
    campaign: Campaign,
    named: Named,
    *,
    value: int,
    comment: str,
    agent: str,
    client: str,
    directory: Directory,
    now: datetime,
) -> Followed:
    """Decide about what somebody sent, and keep it. Sent twice it is one answer, the later one.

    Raises:
        Invalid: the value is off the scale (field `score`).
    """
    workspace = campaign.workspace
    contact = _find(connection, workspace, named)
    if _is_suppressed(directory, campaign, named, contact):
        return Followed(became=Became.REFUSED)
    if contact is None and named.signed:
        person = Person(user_id=named.user_id, email=named.email)
        contact = enlist.enlist(connection, workspace, [person], name=None, directory=directory, now=now).people[0]
    known = prepare(connection, workspace, [contact] if contact else [], directory)
    last = _last(known, campaign, contact)
    open_one = _open(connection, campaign, last, now=now)
    said = {"value": value, "agent": agent, "client": client, "directory": directory, "now": now}
    if open_one is not None and contact is not None:
        if not comment and not named.signed:  # they were not shown what they wrote, so they did not take it away
            before = responses.of_delivery(connection, workspace, open_one.id)
            comment = before.comment or "" if before is not None else ""
        _keep_answer(connection, campaign, contact, open_one.id, comment=comment, **said)
        return Followed(became=Became.KEPT, delivery=open_one.id, asked=Asked(worked=True, told=True))
    decision, did = _decide(connection, campaign, contact, named, known, last, now=now)
    if decision is not None and decision.delivery is not None and contact is not None:
        _keep_answer(connection, campaign, contact, decision.delivery, comment=comment, **said)
        return Followed(became=Became.KEPT, delivery=decision.delivery, asked=did)
    if contact is None:
        links.count(connection, workspace, campaign.id, "unknown", now)
        return Followed(became=Became.UNKNOWN, asked=did)
    assert decision is not None
    return Followed(became=_became(decision.objections), asked=did)


def _find(connection: Connection, workspace: int, named: Named) -> Contact | None:
    """The contact of the userId; by the address where there is no userId, or where it is nobody's and the contact has
    none. Several contacts behind one address are one mailbox, and the oldest stands for it."""
    if named.user_id is not None:
        found = contacts.by_user_id(connection, workspace, [named.user_id]).get(named.user_id)
        if found is not None:
            return found
    if named.email is None:
        return None
    key = addresses.key(named.email)
    people = contacts.by_email_key(connection, workspace, [key]).get(key, [])
    if named.user_id is not None:
        people = [each for each in people if each.user_id is None]
    return people[0] if people else None


def _is_suppressed(directory: Directory, campaign: Campaign, named: Named, contact: Contact | None) -> bool:
    """A privacy request stands against one of their names: not even a reason is kept."""
    suppressed = directory.suppressed.get(campaign.workspace)
    if suppressed is None:
        return False
    user_ids, mailboxes = [named.user_id], [named.email]
    if contact is not None:
        user_ids.append(contact.user_id)
        mailboxes.append(contact.email)
    return suppressed.holds(user_ids, mailboxes)


def _by_a_person(opened: Sequence[Click]) -> bool:
    """Whether the survey was opened, and nothing speaks for a machine."""
    return any(each.opens_the_survey for each in opened) and not findings(Visits(clicks=opened))


def _last(known: Known, campaign: Campaign, contact: Contact | None) -> Touch | None:
    """When this contact answered this campaign last; another contact behind the same mailbox is another matter."""
    asked = known.touches(contact).live().first_asks().of_campaign(campaign.id) if contact else ()
    theirs = (touch for touch in asked if contact is not None and touch.contact == contact.id)
    return max(theirs, key=lambda touch: touch.at, default=None)


def _open(connection: Connection, campaign: Campaign, last: Touch | None, *, now: datetime) -> Delivery | None:
    """Their last answer, where it can still be changed and the throttle leaves no room for another."""
    if last is None or (campaign.throttle is not None and now >= last.at + campaign.throttle):
        return None
    found = deliveries.by_id(connection, campaign.workspace, last.delivery)
    is_open = found is not None and found.state is not State.EXPIRED and now < found.closes_at
    return found if is_open else None


def _decide(
    connection: Connection,
    campaign: Campaign,
    contact: Contact | None,
    named: Named,
    known: Known,
    last: Touch | None,
    *,
    now: datetime,
) -> tuple[Decision | None, Asked]:
    """The decision, which is one for each answer that somebody can give: what refused them before may let them now.

    None for a stranger without a userId, under whom nothing could be found again, and for those beyond so many a day.
    """
    workspace = campaign.workspace
    if contact is None and (named.user_id is None or _are_too_many(connection, campaign, now)):
        return None, Asked()
    user_id = contact.user_id if contact else named.user_id
    since = micros(last.at) if last else 0
    key = f"link:{contact.id}:{since}" if contact else f"link:user:{user_id}"
    made = decisions.led_to(connection, workspace, [key]).get(key, ())
    before = next((each for each in made if each.campaign == campaign.id), None)
    if before is not None and before.outcome is Outcome.INVITED:  # its touch was kept long enough, and went
        before, key = None, f"{key}:{micros(now)}"
    trigger = Trigger(
        key=key,
        message_id="",
        event="",
        at=now,
        received_at=now,
        user_id=user_id,
        document={"type": "track", "userId": user_id, "properties": {}, "context": {}},
    )
    case, outcome = known.case(campaign, trigger, contact, now=now), Considered()
    if before is None:
        known.reserve(contacts=0, decisions=1)
        decision = undecided(campaign, trigger, contact, known, now=now)
        decision = _answered(decision, case, known, outcome, now=now)
        outcome.decisions[decision.id] = (decision, None)
    else:
        decision = _answered(before, case, known, outcome, now=now)
        if (decision.outcome, _reasons(decision)) == (before.outcome, _reasons(before)):
            return before, Asked()
        decision = revised(
            before,
            at=now,
            cause="they sent an answer again",
            outcome=decision.outcome,
            objections=decision.objections,
            delivery=decision.delivery,
        )
        outcome.decision(decision)
    counts: Counter[funnel.Key] = Counter()
    telling = keep.considered(connection, workspace, known, outcome, counts, now)
    told.keep(connection, telling, now)
    tallies.add(connection, counts)
    return decision, Asked(worked=True, changed=bool(outcome.activated), told=True)


def _are_too_many(connection: Connection, campaign: Campaign, now: datetime) -> bool:
    day = day_of(now)
    return links.followed(connection, campaign.workspace, campaign.id, day, day).unknown >= MOST_STRANGERS


def _answered(decision: Decision, case: Case, known: Known, outcome: Considered, *, now: datetime) -> Decision:
    """With an invitation that was made in this very moment: nothing of it waits to be sent."""
    decision = answered(decision, decide(case), case, known, outcome)
    if decision.outcome is Outcome.INVITED:
        outcome.deliveries[-1] = msgspec.structs.replace(outcome.deliveries[-1], state=State.SENT, sent_at=now)
        outcome.touches[-1] = msgspec.structs.replace(outcome.touches[-1], state=TouchState.MADE)
    return decision


def _reasons(decision: Decision) -> tuple[Reason, ...]:
    return tuple(each.reason for each in decision.objections)


def _keep_answer(
    connection: Connection, campaign: Campaign, contact: Contact, delivery_id: str, *, comment: str, **said: object
) -> None:
    """The answer, with what was opened on the way to it as its evidence."""
    workspace = campaign.workspace
    delivery = deliveries.by_id(connection, workspace, delivery_id)
    if delivery is None:
        raise NotFound("There is no such invitation.")
    before = clicks.first_opened(connection, workspace, delivery_id)
    clicks.move(connection, workspace, visit_id(campaign.id, contact.id), delivery_id)
    first = clicks.first_opened(connection, workspace, delivery_id)
    if before is None and first is not None:
        funnel.clicked(connection, delivery, first, 1)
    answers.answer(connection, workspace, delivery_id, comment=comment, **said)  # type: ignore[arg-type]


def _became(objections: Sequence[Objection]) -> Became:
    """What to say to them: the first that is about them, else that nobody is asked."""
    reasons = {each.reason for each in objections}
    if Reason.CAMPAIGN_NOT_RUNNING in reasons:
        return Became.CLOSED
    if Reason.CAMPAIGN_THROTTLE in reasons:
        return Became.ANSWERED
    if reasons & {Reason.CONSENT_DENIED, Reason.SUPPRESSED}:
        return Became.REFUSED
    return Became.CLOSED
