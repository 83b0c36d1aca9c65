"""Keeping what a batch led to. Everything here runs inside the batch's one transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

from sqlalchemy import Connection, update

from heard.campaigns.campaign import Status
from heard.destinations.considered import Considered
from heard.destinations.known import Known
from heard.steps import told
from heard.store import (
    anonymous,
    consents,
    contacts,
    decisions,
    deliveries,
    dialects,
    funnel,
    groups,
    lists,
    suppressed,
    tables,
    touches,
)
from heard.store.types import micros


def considered(
    connection: Connection,
    workspace: int,
    known: Known,
    outcome: Considered,
    counts: Counter[funnel.Key],
    now: datetime,
) -> list[told.Row]:
    """Everything but the tallies: what is decided is added to `counts`, which the batch keeps at its end.

    Gives what destinations outside are to be told of audiences, as messages that are kept after it.
    """
    telling = told.settle(connection, workspace, known, now)
    contacts.keep(connection, known.changed.values())
    if (key := known.directory.wishes.get(workspace)) is not None:
        mailboxes = {each.email_key for each in known.changed.values() if each.email_key}
        suppressed.take_up_wishes(connection, workspace, key, mailboxes)
    anonymous.keep(connection, workspace, known.links.changed.values())
    consents.keep(connection, workspace, known.consents.added)
    groups.keep(connection, workspace, known.groups.changed.values(), known.groups.joined)
    decisions.keep(connection, outcome.decisions.values())
    counts.update(funnel.counted(decision) for decision, _ in outcome.decisions.values())
    for decision, waiting in outcome.revised.values():
        decisions.revise(connection, decision, waiting)
        counts.update(funnel.moved(decision))
    decisions.wait_for(connection, (each for each in outcome.moved.values() if each.id not in outcome.revised))
    deliveries.keep(connection, outcome.deliveries)
    touches.keep(connection, workspace, outcome.touches)
    listed: dict[str, list[int]] = defaultdict(list)
    for name, contact in outcome.listed:
        listed[name].append(contact)
    for name, people in listed.items():
        lists.put_on(connection, workspace, name, people, micros(now))
    for campaign in outcome.activated:
        activate(connection, workspace, campaign, now)
    return telling


def activate(connection: Connection, workspace: int, campaign: int, now: datetime) -> None:
    """Ready turns active, once."""
    connection.execute(
        update(tables.campaigns)
        .where(
            tables.campaigns.c.workspace_id == workspace,
            tables.campaigns.c.id == campaign,
            tables.campaigns.c.status == Status.READY.value,
        )
        .values(status=Status.ACTIVE.value, activated_at=now)
    )


def aside(connection: Connection, offset: int, now: datetime, reason: str, data: bytes) -> None:
    """What could not be read, whole. A second reading of the same offset changes nothing."""
    connection.execute(
        dialects.insert(tables.set_aside, connection)
        .values(offset=offset, at=now, reason=reason[:1000], data=data)
        .on_conflict_do_nothing()
    )
