"""An answer comes in: it is kept whole, with who the person was at that moment, and every version of it stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from heard.deliveries.delivery import State
from heard.errors import Invalid, NotFound
from heard.responses.response import Response
from heard.steps import responded
from heard.store import contacts, deliveries, responses
from heard.store.directory import Directory

LONGEST_COMMENT = 5000


class Closed(Exception):
    """The invitation can be answered no longer."""


def answer(
    connection: Connection,
    workspace: int,
    delivery_id: str,
    *,
    value: int,
    comment: str | None,
    agent: str,
    client: str,
    directory: Directory,
    now: datetime,
) -> Response:
    """Keep what a person posted; posting again changes it until it closes.

    Raises:
        NotFound: there is no such invitation.
        Closed: it is open no longer.
        Invalid: the value is off the scale (field `score`).
    """
    delivery = deliveries.by_id(connection, workspace, delivery_id)
    if delivery is None or delivery.state in (State.CANCELLED, State.SCHEDULED):
        raise NotFound("There is no such invitation.")
    if delivery.state == State.EXPIRED or now >= delivery.closes_at:
        raise Closed
    if not 0 <= value <= 10:
        raise Invalid("Choose a number from 0 to 10.", field="score")
    person = contacts.by_id(connection, workspace, [delivery.contact]).get(delivery.contact)
    known = responses.of_delivery(connection, workspace, delivery_id)
    response = responded.made(
        connection,
        delivery,
        person,
        known,
        value=value,
        comment=(comment or "").strip()[:LONGEST_COMMENT] or None,
        directory=directory,
        now=now,
        verdict=responded.of_people(person, delivery, directory),
    )
    return responded.keep(
        connection, response, known, delivery, directory=directory, now=now, agent=agent, client=client
    )
