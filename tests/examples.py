"""The smallest valid thing of each noun. A test varies one thing and leaves the rest to these.

The cast: Ted is a member of Acme, Marshall is asked, Robin works in another workspace and must never see either.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from heard.campaigns.campaign import Campaign, Status
from heard.contacts.contact import Contact
from heard.deliveries.case import Case, Policy, Trigger
from heard.deliveries.delivery import Delivery, State
from heard.deliveries.ledger import Touch, Touches, TouchKind, TouchState

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

MARSHALL = Contact(
    id=1,
    workspace=1,
    user_id="marshall",
    email="marshall@eriksen.example",
    traits=b'{"email":"marshall@eriksen.example","plan":"Premium"}',
    first_seen=NOON - 100 * DAY,
)


def a_campaign(**changes: Any) -> Campaign:
    smallest = Campaign(
        id=1, workspace=1, name="Post-purchase", survey=1, metric="nps", event="Order Completed", status=Status.ACTIVE
    )
    return msgspec.structs.replace(smallest, **changes)


def a_trigger(*, at: datetime = NOON, received_at: datetime | None = None, **changes: Any) -> Trigger:
    smallest = Trigger(
        key="1:m1",
        message_id="m1",
        event="Order Completed",
        at=at,
        received_at=received_at or at,
        user_id="marshall",
        document={"type": "track", "event": "Order Completed", "properties": {"total": 25}},
    )
    return msgspec.structs.replace(smallest, **changes)


def a_touch(*, at: datetime, **changes: Any) -> Touch:
    smallest = Touch(
        contact=1,
        email_key="marshall@eriksen.example",
        campaign=1,
        metric="nps",
        channel="email",
        kind=TouchKind.FIRST,
        at=at,
        state=TouchState.MADE,
        delivery=f"touch at {at}",
    )
    return msgspec.structs.replace(smallest, **changes)


def a_case(*, touches: list[Touch] | None = None, **changes: Any) -> Case:
    smallest = Case(campaign=a_campaign(), policy=Policy(), now=NOON, due=NOON, trigger=a_trigger(), contact=MARSHALL)
    return msgspec.structs.replace(smallest, touches=Touches(touches or ()), **changes)


def a_delivery(**changes: Any) -> Delivery:
    smallest = Delivery(
        id="0" * 32,
        workspace=1,
        decision=1,
        campaign=1,
        survey=1,
        contact=1,
        user_id="marshall",
        address="marshall@eriksen.example",
        channel="email",
        kind=TouchKind.FIRST,
        state=State.SCHEDULED,
        due_at=NOON,
        event="Order Completed",
        event_at=NOON,
    )
    return msgspec.structs.replace(smallest, **changes)
