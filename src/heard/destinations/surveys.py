"""Our own engine as a destination: a message becomes a contact, a decision, a delivery.

`consider` handles one message with what is known and returns nothing to look up: the step around it
(`heard.pipeline.route`) has loaded a whole batch before, and keeps the whole outcome after.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from heard.campaigns.campaign import Campaign
from heard.contacts import address as addresses
from heard.contacts import zone as zones
from heard.contacts.contact import Contact, identified
from heard.contacts.identity import Link, unchanged_by
from heard.deliveries.case import Trigger
from heard.deliveries.decision import Decision, Outcome, revised
from heard.deliveries.eligibility import Decline, Invite, decide
from heard.deliveries.reasons import Objection, Reason
from heard.destinations.considered import Considered
from heard.destinations.decided import answered, undecided
from heard.destinations.destination import CONSENT, EVERYTHING, Field
from heard.destinations.groups import grouped
from heard.destinations.identity import awaited, is_a_sync, may_link
from heard.destinations.known import Known
from heard.messages.events import canonical
from heard.messages.message import Message

type = "surveys"
title = "Surveys"
help = "Keeps contacts, decides whom to ask after which event, and sends the surveys."
fields = (
    Field(
        name="daily_limit",
        title="Daily limit",
        help="Messages taken a day, counted in UTC; what is over it waits in its order for the next day. "
        "Absent = no limit.",
        kind="number",
        example="50000",
    ),
    Field(
        name="late_identify",
        title="Late identify",
        help="How long an event waits for the identify that it overtook. 0 = an event of somebody unknown leads to "
        "nothing.",
        kind="length",
        default="10m",
    ),
    Field(
        name="max_event_age",
        title="Oldest event",
        help="An event that happened longer ago when it arrives asks nobody, so that sending last year's events again "
        "surveys nobody.",
        kind="length",
        default="24h",
    ),
    Field(
        name="list",
        title="List",
        help="Everybody who is identified is put on this list.",
    ),
    CONSENT,
)
methods = EVERYTHING  # of a page or a screen nothing comes yet, but it is no mistake to send one

_document = msgspec.json.Decoder(dict[str, Any])
_email = msgspec.json.Decoder(dict[str, msgspec.Raw])


def consider(message: Message, known: Known, outcome: Considered, *, now: datetime) -> tuple[str, str | None]:
    """What one message means for contacts and campaigns: (verdict, reason) for the debugger.

    `accepted` or `held`; the reason says what came of it where that is not plain.
    """
    if message.type == "identify":
        return _identify(message, known, outcome, now=now)
    if message.type == "track" and message.event:
        campaigns = known.directory.triggered.get((known.workspace, canonical(message.event)), ())
        if campaigns:
            return _trigger(message, campaigns, known, outcome, now=now)
    if message.type == "group":
        return "accepted", grouped(message, known.groups, known.workspace)
    if message.type == "alias":
        return "accepted", _alias(message, known, outcome, now=now)
    return "accepted", None


def email_in(message: Message) -> str | None:
    """The address an identify brings, if it brings a usable one."""
    if b'"email"' not in message.traits:
        return None
    said = _email.decode(message.traits).get("email")
    return addresses.read(msgspec.json.decode(said)) if said is not None else None


def trigger_key(message: Message) -> str:
    return key_of(message.source, message.id)


def key_of(source: int, message_id: str) -> str:
    return f"{source}:{message_id}"


def hold_until(trigger: Trigger, late_identify: timedelta) -> datetime:
    return trigger.received_at + late_identify


def _identify(message: Message, known: Known, outcome: Considered, *, now: datetime) -> tuple[str, str | None]:
    if message.user_id is None:
        return "accepted", "no_user_id"  # the userId is how an event finds its contact; without one there is none
    contact = known.contacts.get(message.user_id)
    if contact is None:
        if is_a_sync(message):
            return "accepted", "sync_of_unknown_contact"
        contact = _met(message, known)
    else:
        updated = identified(contact, message.traits, zones.said_in(message.context))
        if updated is not contact:
            known.learn_contact(updated)
        contact = updated
    if known.everybodys_list:
        outcome.listed.append((known.everybodys_list, contact.id))
    if message.anonymous_id is not None and may_link(message, message.anonymous_id):
        _link(message.anonymous_id, message.user_id, message, known, outcome)
    if message.user_id in known.held:
        _settle_what_waited(message, contact, known, outcome, cause="identified", now=now)
    return "accepted", None


def _alias(message: Message, known: Known, outcome: Considered, *, now: datetime) -> str | None:
    """An alias says whose an anonymous id is. It merges no contacts; gives the reason where it changes nothing."""
    user_id, previous_id = message.user_id, message.previous_id
    assert user_id is not None  # such a call was rejected
    assert previous_id is not None
    if (reason := unchanged_by(user_id, previous_id, known.contacts)) is not None:
        return reason.value
    _link(previous_id, user_id, message, known, outcome)
    if (contact := known.contacts.get(user_id)) is not None:
        _settle_what_waited(message, contact, known, outcome, cause="known by an alias", now=now)
    return None


def _link(anonymous_id: str, user_id: str, message: Message, known: Known, outcome: Considered) -> None:
    """It is known whose an anonymous id is: what waited under it waits for that user, who may be a contact already."""
    if known.links.learn(Link(anonymous_id=anonymous_id, user_id=user_id, at=message.received_at)):
        known.consents.join(anonymous_id, user_id, message.received_at)
    for decision, trigger in known.held_anonymous.pop(anonymous_id, ()):
        if _in_time(message, decision):
            moved = msgspec.structs.replace(decision, user_id=user_id)
            outcome.move(moved)
            known.held[user_id].append((moved, trigger))
        else:
            known.held_anonymous[anonymous_id].append((decision, trigger))


def _settle_what_waited(
    message: Message, contact: Contact, known: Known, outcome: Considered, *, cause: str, now: datetime
) -> None:
    """Everything that waits for this contact, in the order in which it came."""
    assert contact.user_id is not None
    for decision, trigger in sorted(known.held.pop(contact.user_id, ()), key=lambda each: each[0].id):
        if _in_time(message, decision):
            _settle(decision, trigger, contact, known, outcome, cause=cause, now=now)
        else:
            known.held[contact.user_id].append((decision, trigger))


def _in_time(message: Message, decision: Decision) -> bool:
    return decision.held_until is None or message.received_at <= decision.held_until


def _met(message: Message, known: Known) -> Contact:
    """Somebody new, or somebody known by address alone who now has a userId."""
    seen = min(message.at, message.received_at)
    adopted = known.adoptable(email_in(message))
    if adopted is not None:
        known.adopt(adopted)
        before = msgspec.structs.replace(adopted, user_id=message.user_id)
    else:
        before = Contact(
            id=known.number_for(message.user_id), workspace=known.workspace, user_id=message.user_id, first_seen=seen
        )
    contact = identified(before, message.traits, zones.said_in(message.context))
    known.learn_contact(contact)
    return contact


def _trigger(
    message: Message, campaigns: tuple[Campaign, ...], known: Known, outcome: Considered, *, now: datetime
) -> tuple[str, str | None]:
    trigger = _trigger_of(message, known)
    contact = known.contacts.get(trigger.user_id) if trigger.user_id else None
    held = False
    for campaign in campaigns:
        waited = known.waiting.pop((campaign.id, trigger.key), None)
        if waited is None and (campaign.id, trigger.key) in known.decided:
            continue  # decided before, for ever
        known.decided.add((campaign.id, trigger.key))
        held |= _first_decision(campaign, trigger, contact, known, outcome, now=now, waited=waited)
    return ("held", Reason.NOT_IDENTIFIED.value) if held else ("accepted", None)


def _first_decision(
    campaign: Campaign,
    trigger: Trigger,
    contact: Contact | None,
    known: Known,
    outcome: Considered,
    *,
    now: datetime,
    waited: Decision | None = None,
) -> bool:
    """Decide and keep; True when the track waits for its identify.

    `waited`: the row that says since when it waited for the next day's allowance; it becomes the answer.
    """
    case = known.case(campaign, trigger, contact, now=now)
    if waited is None:
        decision = undecided(campaign, trigger, contact, known, now=now)
        outcome.decisions[decision.id] = (decision, None)
    else:
        decision = revised(waited, at=now, cause="the day's allowance", contact=contact.id if contact else None)
    answer = decide(case)
    can_be_named = awaited(trigger.user_id, trigger.anonymous_id)
    if _only_waits_for_an_identify(answer) and can_be_named and known.policy.late_identify > timedelta(0):
        until = hold_until(trigger, known.policy.late_identify) if waited is None else now + known.policy.late_identify
        which = "userId" if trigger.user_id else "anonymousId and a userId"
        objection = Objection(Reason.NOT_IDENTIFIED, until, f"Waits for an identify with this {which}.")
        held = msgspec.structs.replace(decision, outcome=Outcome.HELD, objections=(objection,), held_until=until)
        outcome.decision(held, msgspec.json.encode(trigger))
        known.wait(held, trigger)
        return True
    outcome.decision(answered(decision, answer, case, known, outcome))
    return False


def wait(message: Message, known: Known, outcome: Considered, *, now: datetime, until: datetime) -> None:
    """The day's allowance is used up: whoever asks why finds the campaigns' decisions waiting for the next day."""
    trigger = _trigger_of(message, known)
    for campaign in known.directory.triggered.get((known.workspace, canonical(trigger.event)), ()):
        if (campaign.id, trigger.key) in known.decided:
            continue
        known.decided.add((campaign.id, trigger.key))
        contact = known.contacts.get(trigger.user_id) if trigger.user_id else None
        decision = undecided(campaign, trigger, contact, known, now=now)
        full = Objection(Reason.INTAKE_LIMIT, until, "More came in today than is taken in one day; it waits its turn.")
        held = msgspec.structs.replace(decision, outcome=Outcome.HELD, objections=(full,))
        outcome.decisions[decision.id] = (held, None)


def let_go(known: Known, outcome: Considered, *, now: datetime) -> None:
    """What waited for its day and has come to no answer now: nothing waits for it any more."""
    for waited in known.waiting.values():
        detail = "When its day came, the campaign did not wait for this event any more, or a filter kept it away."
        gone = Objection(Reason.CAMPAIGN_NOT_RUNNING, detail=detail)
        told = revised(waited, at=now, cause="the day's allowance", outcome=Outcome.DECLINED, objections=(gone,))
        outcome.decision(told)


def _settle(
    decision: Decision,
    trigger: Trigger,
    contact: Contact,
    known: Known,
    outcome: Considered,
    *,
    cause: str,
    now: datetime,
) -> None:
    """The identify a track waited for has come: the same row becomes invited, or declined for another reason."""
    campaign = known.directory.campaigns.get(decision.campaign)
    if campaign is None:
        return
    if trigger.user_id is None:  # it came under an anonymous id
        named = {**trigger.document, "userId": contact.user_id}
        trigger = msgspec.structs.replace(trigger, user_id=contact.user_id, document=named)
    case = known.case(campaign, trigger, contact, now=now)
    told = revised(decision, at=now, cause=cause, contact=contact.id, held_until=None)
    outcome.decision(answered(told, decide(case), case, known, outcome))
    outcome.settled.append(trigger)


def _only_waits_for_an_identify(answer: Invite | Decline) -> bool:
    return isinstance(answer, Decline) and all(no.reason == Reason.NOT_IDENTIFIED for no in answer.objections)


def _trigger_of(message: Message, known: Known) -> Trigger:
    """Where the message carries no userId, it may be known whose its anonymous id is; conditions see that one."""
    anonymous_id = message.anonymous_id if message.user_id is None else None
    user_id = message.user_id or known.links.of(anonymous_id)
    context = _document.decode(message.context)
    consent = context.get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    return Trigger(
        key=trigger_key(message),
        message_id=message.id,
        event=message.event or "",
        at=message.at,
        received_at=message.received_at,
        user_id=user_id,
        anonymous_id=anonymous_id,
        document={
            "type": message.type,
            "event": message.event,
            "userId": user_id,
            "anonymousId": message.anonymous_id,
            "messageId": message.id,
            "properties": _document.decode(message.properties),
            "context": context,
        },
        consent=preferences if isinstance(preferences, dict) else None,
    )
