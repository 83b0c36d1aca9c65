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
        _cancel(connection, workspace, deliveries.waiting_for(connection, workspace, contact, email_key), row, now)


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
        _cancel(connection, workspace, waiting, row, now, survey.name)


def less_often(
    connection: Connection, workspace: int, contact: int, email_key: str | None, *, on: bool, cause: str, now: datetime
) -> None:
    """At most one survey in 180 days, or as often as the workspace asks. What is scheduled meets the rule when it is
    due; reminders are cancelled at once, since whoever is reminded was asked just now."""
    row = Suppression(kind=Kind.LESS_OFTEN, on=on, at=now, contact=contact, email_key=email_key)
    contacts.suppress(connection, workspace, row, cause)
    if on:
        _cancel(connection, workspace, deliveries.waiting_for(connection, workspace, contact, email_key), row, now)


def objection(wish: Suppression, delivery: Delivery, survey: str) -> Objection | None:
    """What a wish has against a mail that waits; None where it goes out all the same. `survey`: its name."""
    match wish.kind:
        case Kind.UNSUBSCRIBED:
            return Objection(Reason.UNSUBSCRIBED, detail="They unsubscribed.")
        case Kind.NOT_THIS_ONE if wish.survey == delivery.survey:
            return Objection(Reason.UNSUBSCRIBED, detail=f"They asked not to get {survey} again.")
        case Kind.LESS_OFTEN if delivery.kind is TouchKind.REMINDER:
            return Objection(Reason.WORKSPACE_QUIET_PERIOD, detail="They asked to be asked less often.")
        case _:
            return None


def _cancel(
    connection: Connection,
    workspace: int,
    waiting: Iterable[Delivery],
    wish: Suppression,
    now: datetime,
    survey: str = "",
) -> None:
    against = [(each, why) for each in waiting if (why := objection(wish, each, survey)) is not None]
    told = decisions.by_id(connection, workspace, {delivery.decision for delivery, _ in against})
    for delivery, why in against:
        cancel(connection, delivery, told.get(delivery.decision), (why,), now)
