"""A question that was decided, and everything that an invitation brings with it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from heard import ids
from heard.campaigns.campaign import Campaign, Channel, Recipients, Status
from heard.contacts.contact import Contact
from heard.deliveries.case import Case, Trigger
from heard.deliveries.decision import Decision, Outcome
from heard.deliveries.delivery import Delivery, State
from heard.deliveries.eligibility import Decline, Invite
from heard.deliveries.ledger import Touch, TouchKind, TouchState
from heard.destinations.considered import Considered
from heard.destinations.known import Known


def undecided(
    campaign: Campaign, trigger: Trigger, contact: Contact | None, known: Known, *, now: datetime
) -> Decision:
    return Decision(
        id=known.next_decision(),
        workspace=known.workspace,
        campaign=campaign.id,
        trigger=trigger.key,
        message_id=trigger.message_id,
        event=trigger.event,
        event_at=trigger.at,
        user_id=trigger.user_id,
        anonymous_id=trigger.anonymous_id,
        contact=contact.id if contact else None,
        at=now,
        outcome=Outcome.DECLINED,
    )


def answered(decision: Decision, answer: Invite | Decline, case: Case, known: Known, outcome: Considered) -> Decision:
    """The decision with its answer, and everything an invitation brings with it."""
    campaign, contact, trigger = case.campaign, case.contact, case.trigger
    if contact is not None and case.conditions_met and campaign.status == Status.READY:
        outcome.activated.add(campaign.id)
    if isinstance(answer, Decline):
        return msgspec.structs.replace(decision, outcome=Outcome.DECLINED, objections=answer.objections)
    assert contact is not None  # the rules saw to all three
    assert contact.email or campaign.channel is Channel.LINK
    assert trigger is not None
    delivery = Delivery(
        id=ids.delivery_id(campaign.id, contact.id, trigger.key, TouchKind.FIRST.value),
        workspace=known.workspace,
        decision=decision.id,
        campaign=campaign.id,
        survey=campaign.survey,
        contact=contact.id,
        user_id=contact.user_id,
        address=contact.email or "",
        channel=campaign.channel.value,
        kind=TouchKind.FIRST,
        state=State.SCHEDULED,
        due_at=answer.at,
        event=trigger.event,
        event_at=trigger.at,
        properties=msgspec.json.encode(trigger.document.get("properties") or {}),
        campaign_version=campaign.version,
        survey_version=known.directory.surveys[campaign.survey].version,
    )
    touch = Touch(
        contact=contact.id,
        email_key=contact.email_key,
        campaign=campaign.id,
        metric=campaign.metric,
        channel=campaign.channel.value,
        kind=TouchKind.FIRST,
        at=answer.at,
        state=TouchState.RESERVED,
        delivery=delivery.id,
    )
    known.learn_touch(touch)
    outcome.deliveries.append(delivery)
    outcome.touches.append(touch)
    if campaign.list and campaign.recipients is not Recipients.LIST:
        outcome.listed.append((campaign.list, contact.id))
    return msgspec.structs.replace(decision, outcome=Outcome.INVITED, objections=(), delivery=delivery.id)
