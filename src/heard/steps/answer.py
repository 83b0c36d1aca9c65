"""An answer comes in: it is kept whole, with who the person was at that moment, and every version of it stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from heard import fql
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.deliveries.delivery import NEXT, Delivery, State, move
from heard.deliveries.reasons import Objection, Reason
from heard.errors import Invalid, NotFound
from heard.responses.response import Answer, Response, Verdict
from heard.scores import nps
from heard.steps import tell_back
from heard.steps.send import cancel
from heard.store import contacts, cursors, deliveries, responses
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
    said = (comment or "").strip()[:LONGEST_COMMENT] or None
    answers = (Answer(question_id="score", value=value),)
    if said:
        answers = (*answers, Answer(question_id="comment", value=said))
    survey, campaign = directory.surveys[delivery.survey], directory.campaigns[delivery.campaign]
    response = Response(
        id=known.id if known else cursors.take(connection, "responses"),
        workspace=workspace,
        delivery=delivery.id,
        survey=survey.id,
        campaign=campaign.id,
        contact=delivery.contact,
        user_id=delivery.user_id,
        channel=delivery.channel,
        metric=survey.kind,
        value=value,
        category=nps.category(value),
        comment=said,
        answers=answers,
        traits=known.traits if known else (person.traits if person else traits.EMPTY),
        properties=delivery.properties,
        answered_at=known.answered_at if known else now,
        updated_at=now,
        campaign_version=delivery.campaign_version,
        survey_version=delivery.survey_version,
        verdict=_verdict(person, delivery, directory.workspaces[workspace].exclude),
    )
    response = tell_back.of_answer(connection, response, known, delivery.address, directory, now)
    responses.keep(connection, response, agent=agent, client=client)
    if State.ANSWERED in NEXT[delivery.state]:
        answered = move(delivery, State.ANSWERED, sent_at=delivery.sent_at or now)
        deliveries.change(connection, answered, was=delivery.state)
    _remind_no_more(connection, delivery, now)
    return response


def _remind_no_more(connection: Connection, first: Delivery, now: datetime) -> None:
    """Whoever has answered is not reminded, from this very moment on."""
    reminder = deliveries.reminder_of(connection, first)
    if reminder is not None and reminder.state == State.SCHEDULED:
        cancel(connection, reminder, None, [Objection(Reason.ALREADY_ANSWERED, detail="They have answered.")], now)


def _verdict(person: Contact | None, delivery: Delivery, exclude: str | None) -> Verdict:
    """`human`, unless the workspace leaves this person's answers out of its scores."""
    if exclude is None:
        return Verdict.HUMAN
    document = {
        "userId": delivery.user_id,
        "email": delivery.address,
        "traits": traits.decode(person.traits) if person else {},
    }
    return Verdict.TEST if fql.predicate(exclude)(document) else Verdict.HUMAN
