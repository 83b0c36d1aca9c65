"""A response is kept, and what it sets off: where it counts, others are told, and nobody is reminded any more.

What was only opened sets nothing off. It does so when it counts: when a person sends the form, when the workspace's
policy lets a tap count, or when a member says that it was a person.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from heard import fql
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.deliveries.delivery import NEXT, Delivery, State, move
from heard.deliveries.reasons import Objection, Reason
from heard.responses.response import OF_PEOPLE, Answer, Response, Verdict
from heard.scores import nps
from heard.steps import tell_back
from heard.steps.send import cancel
from heard.store import clicks, cursors, deliveries, funnel, responses
from heard.store.directory import Directory


def made(
    connection: Connection,
    delivery: Delivery,
    person: Contact | None,
    known: Response | None,
    *,
    value: int,
    comment: str | None,
    directory: Directory,
    now: datetime,
    verdict: Verdict,
) -> Response:
    """The response to an invitation with this answer. One that counts already keeps its moment, and who they were."""
    answers = (Answer(question_id="score", value=value),)
    if comment:
        answers = (*answers, Answer(question_id="comment", value=comment))
    survey, campaign = directory.surveys[delivery.survey], directory.campaigns[delivery.campaign]
    first = known if known is not None and known.is_said else None
    return Response(
        id=known.id if known else cursors.take(connection, "responses"),
        workspace=delivery.workspace,
        delivery=delivery.id,
        survey=survey.id,
        campaign=campaign.id,
        contact=delivery.contact,
        user_id=delivery.user_id,
        channel=delivery.channel,
        metric=survey.kind,
        value=value,
        category=nps.category(value),
        comment=comment,
        answers=answers,
        traits=first.traits if first else (person.traits if person else traits.EMPTY),
        properties=delivery.properties,
        answered_at=first.answered_at if first else now,
        updated_at=now,
        verdict=verdict,
        campaign_version=delivery.campaign_version,
        survey_version=delivery.survey_version,
    )


def keep(
    connection: Connection,
    response: Response,
    known: Response | None,
    delivery: Delivery,
    *,
    directory: Directory,
    now: datetime,
    agent: str = "",
    client: str = "",
) -> Response:
    """Keep it as the latest version of `known`; gives it as it was kept."""
    counts = response.verdict in OF_PEOPLE
    if counts:
        told = known if known is not None and responses.was_counted(connection, known) else None
        response = tell_back.of_answer(connection, response, told, delivery.address, directory, now)
    responses.keep(connection, response, agent=agent, client=client)
    _count_clicks(connection, delivery, known.verdict if known is not None else None, response.verdict)
    if counts:
        if State.ANSWERED in NEXT[delivery.state]:
            answered = move(delivery, State.ANSWERED, sent_at=delivery.sent_at or now)
            deliveries.change(connection, answered, was=delivery.state)
        _remind_no_more(connection, delivery, now)
    return response


def of_people(person: Contact | None, delivery: Delivery, directory: Directory) -> Verdict:
    """`human`, unless the workspace leaves this person's answers out of its scores."""
    exclude = directory.workspaces[delivery.workspace].exclude
    if exclude is None:
        return Verdict.HUMAN
    document = {
        "userId": delivery.user_id,
        "email": delivery.address,
        "traits": traits.decode(person.traits) if person else {},
    }
    return Verdict.TEST if fql.predicate(exclude)(document) else Verdict.HUMAN


def _count_clicks(connection: Connection, delivery: Delivery, was: Verdict | None, becomes: Verdict) -> None:
    """The invitations of a campaign that were clicked are those that no machine clicked."""
    n = (was is Verdict.BOT) - (becomes is Verdict.BOT)
    first = clicks.first_opened(connection, delivery.workspace, delivery.id) if n else None
    if first is not None:
        funnel.clicked(connection, delivery, first, n)


def _remind_no_more(connection: Connection, first: Delivery, now: datetime) -> None:
    """Whoever has answered is not reminded, from this very moment on."""
    reminder = deliveries.reminder_of(connection, first)
    if reminder is not None and reminder.state == State.SCHEDULED:
        cancel(connection, reminder, None, [Objection(Reason.ALREADY_ANSWERED, detail="They have answered.")], now)
