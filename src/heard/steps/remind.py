"""One reminder for whoever was asked and has not answered.

It is planned in the transaction that keeps what came of the first mail, and its id is computed, so there is one of it
however often that is repeated. It asks for the same answer: its links are those of the first mail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from heard import ids
from heard.deliveries import reminder, schedule
from heard.deliveries.decision import Decision
from heard.deliveries.delivery import Delivery, State
from heard.deliveries.ledger import Postponed, Touch, Touches, TouchKind, TouchState, Why
from heard.store import contacts, decisions, deliveries, touches
from heard.store.directory import Directory


def plan(connection: Connection, first: Delivery, *, directory: Directory, now: datetime) -> None:
    """Plan the reminder of an invitation that was handed over, or may have been, where its campaign has one.

    Where it is planned already, nothing happens, except that it waits on when the invitation went out once more. Where
    its time has passed (a backup was restored) it may have been sent, and is not planned.
    """
    campaign = directory.campaigns[first.campaign]
    if campaign.reminder is None or first.sent_at is None or first.kind != TouchKind.FIRST:
        return
    contact = contacts.by_id(connection, first.workspace, [first.contact]).get(first.contact)
    decision = decisions.by_id(connection, first.workspace, [first.decision]).get(first.decision)
    if contact is None or decision is None or first.sent_at + campaign.reminder <= now:
        return
    name = ids.delivery_id(first.campaign, first.contact, decision.trigger, TouchKind.REMINDER.value)
    keys = [contact.email_key] if contact.email_key else []
    due = reminder.due(
        campaign,
        campaign.reminder,
        sent_at=first.sent_at,
        touches=Touches(touches.of(connection, first.workspace, [contact.id], keys)).without(name),
        zone=schedule.zone_of(campaign, contact),
    )
    if (planned := deliveries.by_id(connection, first.workspace, name)) is not None:
        if planned.state == State.SCHEDULED and planned.due_at < due:
            deliveries.change(connection, msgspec.structs.replace(planned, due_at=due), was=planned.state)
            postponed = Postponed(at=now, was=planned.due_at, until=due, why=Why.ASKED_AGAIN)
            touches.put_off(connection, planned.workspace, name, postponed)
        return
    touch = Touch(
        contact=contact.id,
        email_key=contact.email_key,
        campaign=campaign.id,
        metric=campaign.metric,
        channel=first.channel,
        kind=TouchKind.REMINDER,
        at=due,
        state=TouchState.RESERVED,
        delivery=name,
    )
    asked_again = {"id": name, "kind": touch.kind, "state": State.SCHEDULED, "due_at": due}
    never_tried = {"sent_at": None, "attempts": 0, "error": None}
    deliveries.keep(connection, [msgspec.structs.replace(first, **asked_again, **never_tried)])
    touches.keep(connection, first.workspace, [touch])


def invitations(
    connection: Connection, workspace: int, batch: Iterable[Delivery], told: Mapping[int, Decision]
) -> dict[str, Delivery]:
    """Of the reminders among these, by their ids: the invitations they remind of. `told`: the decisions of all."""
    firsts = {
        each.id: told[each.decision].delivery
        for each in batch
        if each.kind == TouchKind.REMINDER and each.decision in told
    }
    found = deliveries.by_ids(connection, workspace, {first for first in firsts.values() if first})
    return {name: found[first] for name, first in firsts.items() if first in found}
