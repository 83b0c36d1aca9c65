"""Answers flow back out: by messages on record, which couriers carry to the destinations that the survey names."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from heard import ids
from heard.responses import sent_back
from heard.responses.response import Response, Verdict
from heard.responses.sent_back import About
from heard.steps import told
from heard.steps.on_record import telling
from heard.store import deliveries, responses
from heard.store.directory import Directory
from heard.surveys.send_back import Moment

UNTIL_COMPLETE = timedelta(minutes=30)  # after the last answer
MOST_AT_ONCE = 500


def of_answer(
    connection: Connection,
    response: Response,
    before: Response | None,
    address: str,
    directory: Directory,
    now: datetime,
) -> Response:
    """Tell what this answer is; gives it with the moment at which it is complete, where somebody waits for that.

    Only what a person answered is told, and only once; traits again whenever an answer changes.
    """
    wanted = directory.surveys[response.survey].send_back
    if wanted is None or response.verdict is not Verdict.HUMAN:
        return response
    moments: tuple[Moment, ...] = (Moment.VIEWED, Moment.ANSWERED) if before is None else ()
    completes = None
    if Moment.COMPLETED in wanted.events and (before is None or before.completes_at is not None):
        if response.comment is not None:
            moments = (*moments, Moment.COMPLETED)
        else:
            completes = now + UNTIL_COMPLETE
    changed = before is None or (before.value, before.comment) != (response.value, response.comment)
    _tell(connection, response, moments, address, directory, now, traits=changed)
    return msgspec.structs.replace(response, completes_at=completes)


def complete(connection: Connection, *, directory: Directory, now: datetime) -> int:
    """Answers after which nothing more came for half an hour; gives how many."""
    found = responses.to_complete(connection, now, MOST_AT_ONCE)
    for response in found:
        delivery = deliveries.by_id(connection, response.workspace, response.delivery)
        address = delivery.address if delivery is not None else ""
        _tell(connection, response, (Moment.COMPLETED,), address, directory, now, traits=False)
    responses.completed(connection, found)
    return len(found)


def _tell(
    connection: Connection,
    response: Response,
    moments: tuple[Moment, ...],
    address: str,
    directory: Directory,
    now: datetime,
    *,
    traits: bool,
) -> None:
    survey, campaign = directory.surveys[response.survey], directory.campaigns[response.campaign]
    wanted = survey.send_back
    if wanted is None:
        return
    known = [directory.destinations[number] for number in wanted.to if number in directory.destinations]
    about = About(survey=survey.name, campaign=campaign.name, address=address)
    rows = [
        telling(response.workspace, ids.sent_back_id(response.delivery, what), said, known, now=now)
        for what, said in sent_back.told(response, wanted, moments, traits=traits, about=about, now=now)
    ]
    told.keep(connection, rows, now)
