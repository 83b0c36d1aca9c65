"""Somebody does not want to be asked any more, or again: at once, for what is queued too."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from heard.contacts.standing import Kind, Suppression
from heard.deliveries.delivery import Delivery
from heard.deliveries.ledger import TouchKind
from heard.deliveries.reasons import Objection, Reason
from heard.steps.send import cancel
from heard.store import contacts, decisions, deliveries
from heard.surveys.survey import Survey


def subscribe(
    connection: Connection, workspace: int, contact: int, email_key: str | None, *, on: bool, cause: str, now: datetime
) -> None:
    """Switch `unsubscribed` on or off for a person and their mailbox. Switched on, it cancels what is scheduled."""
    row = Suppression(kind=Kind.UNSUBSCRIBED, on=on, at=now, contact=contact, email_key=email_key)
    contacts.suppress(connection, workspace, row, cause)
    if on:
        waiting = deliveries.waiting_for(connection, workspace, contact, email_key)
        _cancel(connection, workspace, waiting, Objection(Reason.UNSUBSCRIBED, detail="They unsubscribed."), now)


def not_this_one(
    connection: Connection,
    workspace: int,
    contact: int,
    email_key: str | None,
    survey: Survey,
    *,
    on: bool,
    cause: str,
    now: datetime,
) -> None:
    """The same of one survey: what is scheduled of it is cancelled, whichever campaign asks."""
    row = Suppression(kind=Kind.NOT_THIS_ONE, on=on, at=now, contact=contact, email_key=email_key, survey=survey.id)
    contacts.suppress(connection, workspace, row, cause)
    if on:
        waiting = deliveries.waiting_for(connection, workspace, contact, email_key)
        theirs = [each for each in waiting if each.survey == survey.id]
        objection = Objection(Reason.UNSUBSCRIBED, detail=f"They asked not to get {survey.name} again.")
        _cancel(connection, workspace, theirs, objection, now)


def less_often(
    connection: Connection, workspace: int, contact: int, email_key: str | None, *, on: bool, cause: str, now: datetime
) -> None:
    """At most one survey in 180 days, or as often as the workspace asks. What is scheduled meets the rule when it is
    due; reminders are cancelled at once, since whoever is reminded was asked just now."""
    row = Suppression(kind=Kind.LESS_OFTEN, on=on, at=now, contact=contact, email_key=email_key)
    contacts.suppress(connection, workspace, row, cause)
    if on:
        waiting = deliveries.waiting_for(connection, workspace, contact, email_key)
        reminders = [each for each in waiting if each.kind is TouchKind.REMINDER]
        said = "They asked to be asked less often."
        _cancel(connection, workspace, reminders, Objection(Reason.WORKSPACE_QUIET_PERIOD, detail=said), now)


def _cancel(
    connection: Connection, workspace: int, some: Iterable[Delivery], objection: Objection, now: datetime
) -> None:
    waiting = list(some)
    told = decisions.by_id(connection, workspace, {delivery.decision for delivery in waiting})
    for delivery in waiting:
        cancel(connection, delivery, told.get(delivery.decision), (objection,), now)
