"""Somebody does not want to be asked any more, or again: at once, for what is queued too."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from heard.contacts.standing import Kind, Suppression
from heard.deliveries.reasons import Objection, Reason
from heard.steps.send import cancel
from heard.store import contacts, decisions, deliveries


def subscribe(
    connection: Connection, workspace: int, contact: int, email_key: str | None, *, on: bool, cause: str, now: datetime
) -> None:
    """Switch `unsubscribed` on or off for a person and their mailbox. Switched on, it cancels what is scheduled."""
    row = Suppression(kind=Kind.UNSUBSCRIBED, on=on, at=now, contact=contact, email_key=email_key)
    contacts.suppress(connection, workspace, row, cause)
    if not on:
        return
    waiting = deliveries.waiting_for(connection, workspace, contact, email_key)
    told = decisions.by_id(connection, workspace, {delivery.decision for delivery in waiting})
    left = (Objection(Reason.UNSUBSCRIBED, detail="They unsubscribed."),)
    for delivery in waiting:
        cancel(connection, delivery, told.get(delivery.decision), left, now)
