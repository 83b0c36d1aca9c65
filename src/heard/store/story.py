"""Everything about one contact, for their page: what came in, what was decided, sent, opened, answered, wished.

All but messages is read whole, up to `MOST` of a kind: even the busiest contact is asked a few hundred times at most.
Messages are paged by when they were received, over as many days as it takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from heard.contacts.contact import Contact
from heard.contacts.standing import Kind
from heard.deliveries.decision import Decision
from heard.deliveries.delivery import Delivery
from heard.deliveries.ledger import Postponed
from heard.responses.clicks import Click, Link
from heard.responses.response import Answer, Response, Verdict
from heard.store import days, decisions, deliveries, dialects, responses, touches, whose
from heard.store.messages import Kept
from heard.store.tables import response_revisions
from heard.store.types import micros, moment
from heard.store.whose import Whose

MOST = 500
EVERYTHING = 1 << 30


class Opened(Click, frozen=True, kw_only=True):
    """A link of one of their mails was opened, by whomever."""

    delivery: str


class AnswerRevision(msgspec.Struct, frozen=True, kw_only=True):
    response: int
    at: datetime
    answers: tuple[Answer, ...]
    verdict: Verdict
    by: str | None = None  # the member who set the verdict by hand


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A suppression switched on or off, with what switched it."""

    kind: Kind
    on: bool
    at: datetime
    cause: str
    survey: int | None = None  # which one, where it is about one


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first, each of them."""

    decisions: list[Decision]
    deliveries: list[Delivery]
    postponed: Mapping[str, Sequence[Postponed]] = {}  # by delivery, in their order
    clicks: list[Opened]
    responses: list[Response]
    revisions: list[AnswerRevision]
    wishes: list[Wish]


def of(connection: Connection, contact: Contact) -> Story:
    sent = deliveries.of_contact(connection, contact.workspace, contact.id, limit=MOST)
    answered = responses_of(connection, contact.workspace, contact.id)
    return Story(
        decisions=decisions.about(
            connection, contact.workspace, user_id=contact.user_id, contact=contact.id, limit=MOST
        ),
        deliveries=sent,
        postponed=touches.postponements(connection, contact.workspace, [each.id for each in sent]),
        clicks=clicks_of(connection, contact.workspace, [each.id for each in sent]),
        responses=answered,
        revisions=revisions_of(connection, contact.workspace, [each.id for each in answered]),
        wishes=wishes_of(connection, contact),
    )


def messages_of(
    connection: Connection, workspace: int, user_id: str, *, before: datetime | None = None, limit: int = 50
) -> list[Kept]:
    """Messages of this user received before `before`, newest first; the anonymous ones known as theirs among them.

    All messages of one request were received at one moment: the oldest moment is whole, however many that makes.
    """
    theirs = whose.of_user(connection, workspace, user_id)
    last = None if before is None else days.day_of(before)
    kept = [day for day in days.kept(connection) if last is None or day <= last]
    earlier = " AND received_at < ?"
    until = micros(before) if before else 1 << 62
    found = whose.newest(connection, theirs, kept, conditions=earlier, values=[until], limit=limit)
    return found if len(found) < limit else found + _of_the_same_moment(connection, theirs, found[-1])


def _of_the_same_moment(connection: Connection, theirs: Whose, last: Kept) -> list[Kept]:
    """What came before it in the same request."""
    moment, day = micros(last.received_at), days.day_of(last.received_at)
    together = " AND received_at = ? AND id < ?"
    return whose.newest(connection, theirs, [day], conditions=together, values=[moment, last.id], limit=EVERYTHING)


def responses_of(connection: Connection, workspace: int, contact: int) -> list[Response]:
    rows = dialects.fetch(
        connection,
        f"SELECT id FROM {dialects.by('responses_by_contact', 'responses', connection)}"
        f" WHERE workspace_id = ? AND contact_id = ? ORDER BY id DESC LIMIT {MOST}",
        workspace,
        contact,
    )
    return responses.by_ids(connection, workspace, [row[0] for row in rows])


def revisions_of(connection: Connection, workspace: int, ids: Iterable[int]) -> list[AnswerRevision]:
    table = response_revisions
    query = (
        select(table)
        .where(table.c.workspace_id == workspace, dialects.among(table.c.response_id, ids, connection))
        .order_by(table.c.at.desc())
        .limit(MOST)
    )
    return [
        AnswerRevision(
            response=row.response_id, at=row.at, answers=row.answers, verdict=Verdict(row.verdict), by=row.by
        )
        for row in connection.execute(query)
    ]


def clicks_of(connection: Connection, workspace: int, ids: Sequence[str]) -> list[Opened]:
    rows = dialects.fetch(
        connection,
        "SELECT delivery_id, at, method, link, value, agent, client"
        f" FROM {dialects.by('clicks_by_delivery', 'clicks', connection)}"
        f" WHERE workspace_id = ? AND delivery_id {dialects.within(connection)} ORDER BY id DESC LIMIT {MOST}",
        workspace,
        dialects.listed(connection, ids),
    )
    return [
        Opened(
            delivery=row[0],
            at=moment(row[1]),
            method=row[2],
            link=Link(row[3]),
            value=row[4],
            agent=row[5],
            client=row[6],
        )
        for row in rows
    ]


def wishes_of(connection: Connection, contact: Contact) -> list[Wish]:
    """What this person, or anybody behind their mailbox, told us; and what the mailbox itself did."""
    rows: list[Any] = dialects.fetch(
        connection,
        'SELECT kind, "on", at, cause, survey_id, id FROM'
        f" {dialects.by('suppressions_by_contact', 'suppressions', connection)}"
        " WHERE workspace_id = ? AND contact_id = ?"
        ' UNION SELECT kind, "on", at, cause, survey_id, id FROM'
        f" {dialects.by('suppressions_by_email', 'suppressions', connection)}"
        f" WHERE workspace_id = ? AND email_key = ? ORDER BY id DESC LIMIT {MOST}",
        contact.workspace,
        contact.id,
        contact.workspace,
        contact.email_key,
    )
    return [Wish(kind=Kind(row[0]), on=bool(row[1]), at=moment(row[2]), cause=row[3], survey=row[4]) for row in rows]
