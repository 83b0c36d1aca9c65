"""Whom a campaign could ask: the real rules over the contacts who lately did what it waits for, or who are on its list.

It is asked as if each of them did it again now, newest first, one after the other; nothing is kept. The campaign is
taken to be running, and its cap and quota count only what has really been invited. So it says what would happen, caps
apart, if all of them did it now. It is no replay of the past: that would need the clock of then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import RUNNING, Campaign, Recipients, Status
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.deliveries.case import Invited, Trigger
from heard.deliveries.eligibility import Decline, Invite, decide
from heard.deliveries.ledger import Touch, TouchKind, TouchState
from heard.destinations.identity import Claims
from heard.destinations.known import Known, conditions_met
from heard.installation import Installation
from heard.messages.events import ALIASES, canonical
from heard.operations import campaigns_eligible
from heard.operations.campaigns_judged import Judged, Preview, sample
from heard.store import contacts, recent
from heard.store.recent import Happened

SPAN = timedelta(days=30)
MOST_MESSAGES = 2_000


async def preview(app: Installation, campaign: Campaign) -> Preview:
    """Works for a draft, and for settings that are not saved."""
    now = app.clock.now()
    return await app.store.read(lambda connection: look(connection, app, campaign, now))


def look(connection: Connection, app: Installation, campaign: Campaign, now: datetime) -> Preview:
    if campaign.recipients is not Recipients.EVENT:
        return campaigns_eligible.preview(connection, app.directory, campaign, now)
    event = canonical(campaign.event or "")
    names = [event, *(old for old, new in ALIASES.items() if new == event)]
    found, reach = recent.of_event(connection, campaign.workspace, names, now - SPAN, MOST_MESSAGES)
    known = Known(connection, app.directory, campaign.workspace)
    known.contacts = contacts.by_user_id(
        connection, campaign.workspace, {each.user_id for each in found if each.user_id}
    )
    matching = _matching(campaign, found, known)
    newest = list({_who(each): (each, trigger) for each, trigger in reversed(matching)}.values())[::-1]
    people = [known.contacts[each.user_id] for each, _ in newest if each.user_id in known.contacts]
    known.load_people([each.id for each in people], [each.email_key for each in people if each.email_key])
    users = [each.user_id for each in people if each.user_id]
    known.audiences.load(users)
    known.load_consents(Claims(), users)
    before = [
        other
        for other in app.directory.triggered.get((campaign.workspace, event), ())
        if other.status in RUNNING and other.id != campaign.id and (campaign.id == 0 or other.id < campaign.id)
    ]
    running = msgspec.structs.replace(campaign, status=Status.ACTIVE, starts=None, ends=None)
    invited = known.invited(running, now)
    judged = [_judge(running, invited, before, each, trigger, known, now) for each, trigger in newest]
    held = Counter(each.objections[0].reason for each in judged if each.objections)
    asked = [each for each in judged if each.due]
    return Preview(
        events=len(found),
        matched=len(matching),
        look=reach,
        people=len(judged),
        could=len(asked),
        held=dict(held.most_common()),
        sample=sample(judged, held),
        named=sum(1 for each in asked if each.contact and traits.first_name(traits.decode(each.contact.traits))),
    )


def _matching(campaign: Campaign, found: Sequence[Happened], known: Known) -> list[tuple[Happened, Trigger]]:
    """Those that meet the campaign's conditions, about somebody or about nobody we know."""
    matching: list[tuple[Happened, Trigger]] = []
    for each in found:
        trigger = _trigger(each)
        contact = known.contacts.get(each.user_id) if each.user_id else None
        person = traits.decode(contact.traits) if contact and campaign.where else {} if contact else None
        if conditions_met(campaign, trigger, person):
            matching.append((each, trigger))
    return matching


def _judge(
    campaign: Campaign,
    invited: Invited,
    before: Sequence[Campaign],
    each: Happened,
    trigger: Trigger,
    known: Known,
    now: datetime,
) -> Judged:
    again = msgspec.structs.replace(trigger, at=now, received_at=now)
    contact = known.contacts.get(each.user_id) if each.user_id else None
    for other in before:  # it would ask them first
        _take_note(decide(known.case(other, again, contact, now=now)), other, contact, known)
    uncounted = msgspec.structs.replace(campaign, daily_cap=None, quota=None, where=None)  # where: it is met
    case = known.case(uncounted, again, contact, now=now)
    answer = decide(msgspec.structs.replace(case, campaign=campaign, invited=invited))
    _take_note(answer, campaign, contact, known)
    return Judged(
        contact=contact,
        user_id=each.user_id,
        happened_at=each.at,
        due=answer.at if isinstance(answer, Invite) else None,
        objections=answer.objections if isinstance(answer, Decline) else (),
    )


def _take_note(answer: Invite | Decline, campaign: Campaign, contact: Contact | None, known: Known) -> None:
    """Whoever shares the mailbox would not be asked as well."""
    if contact is None or isinstance(answer, Decline):
        return
    known.learn_touch(
        Touch(
            contact=contact.id,
            email_key=contact.email_key,
            campaign=campaign.id,
            metric=campaign.metric,
            channel=campaign.channel.value,
            kind=TouchKind.FIRST,
            at=answer.at,
            state=TouchState.RESERVED,
            delivery=f"preview of {campaign.id} for {contact.id}",
        )
    )


def _who(each: Happened) -> tuple[str, str | None]:
    return ("user", each.user_id) if each.user_id else ("anonymous", each.anonymous_id)


def _trigger(each: Happened) -> Trigger:
    """As the surveys destination reads it; of a batch's own context a kept message knows nothing."""
    said = _object(each.body)
    context = _inner(said, "context")
    consent = _inner(_inner(context, "consent"), "categoryPreferences") or None
    return Trigger(
        key=f"{each.source}:{each.message_id}",
        message_id=each.message_id,
        event=each.event,
        at=each.at,
        received_at=each.received_at,
        user_id=each.user_id,
        document={
            "type": "track",
            "event": each.event,
            "userId": each.user_id,
            "anonymousId": each.anonymous_id,
            "messageId": each.message_id,
            "properties": _inner(said, "properties"),
            "context": context,
        },
        consent=consent,
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):  # it was mended when it came; what is kept may not read
        return {}


def _inner(found: dict[str, Any], key: str) -> dict[str, Any]:
    inner = found.get(key)
    return inner if isinstance(inner, dict) else {}
