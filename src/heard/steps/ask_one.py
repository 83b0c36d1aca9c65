"""A program asks for one person to be asked: the same rules, the same kept decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign
from heard.contacts.contact import Contact
from heard.deliveries.case import Trigger
from heard.deliveries.decision import Decision
from heard.deliveries.eligibility import decide
from heard.destinations.considered import Considered
from heard.destinations.decided import answered, undecided
from heard.steps import keep, told
from heard.steps.waves import Asked, prepare
from heard.store import decisions, funnel, tallies
from heard.store.directory import Directory


def ask_one(
    connection: Connection,
    campaign: Campaign,
    contact: Contact | None,
    *,
    key: str,
    user_id: str | None,
    properties: Mapping[str, Any],
    directory: Directory,
    now: datetime,
) -> tuple[Decision, Asked]:
    """What was decided. The same `key` for the same campaign gives what was decided the first time."""
    workspace, trigger_key = campaign.workspace, f"api:{key}"
    for made in decisions.led_to(connection, workspace, [trigger_key]).get(trigger_key, ()):
        if made.campaign == campaign.id:
            return made, Asked()
    known, outcome = prepare(connection, workspace, [contact] if contact else [], directory), Considered()
    known.reserve(contacts=0, decisions=1)
    document = {"type": "track", "userId": user_id, "properties": dict(properties), "context": {}}
    trigger = Trigger(
        key=trigger_key, message_id="", event="", at=now, received_at=now, user_id=user_id, document=document
    )
    case = known.case(campaign, trigger, contact, now=now)
    decision = answered(undecided(campaign, trigger, contact, known, now=now), decide(case), case, known, outcome)
    outcome.decisions[decision.id] = (decision, None)
    counts: Counter[funnel.Key] = Counter()
    telling = keep.considered(connection, workspace, known, outcome, counts, now)
    told.keep(connection, telling, now)
    tallies.add(connection, counts)
    return decision, Asked(
        worked=True, changed=bool(outcome.activated), due=bool(outcome.deliveries), told=bool(telling)
    )
