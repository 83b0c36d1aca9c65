"""Answers: one response per invitation, every version of it kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from heard.responses.response import Response, Verdict
from heard.store import cursors, dialects
from heard.store.tables import response_revisions, responses
from heard.store.types import moment


def of_delivery(connection: Connection, workspace: int, delivery: str) -> Response | None:
    row = connection.execute(
        select(responses).where(responses.c.workspace_id == workspace, responses.c.delivery_id == delivery)
    ).first()
    return _response(row) if row else None


def somebody_answered(connection: Connection, workspace: int) -> bool:
    """Whether a person has answered anything there."""
    theirs = (responses.c.workspace_id == workspace) & (responses.c.verdict == Verdict.HUMAN.value)
    return connection.execute(select(responses.c.id).where(theirs).limit(1)).first() is not None


def was_counted(connection: Connection, response: Response) -> bool:
    """Whether any version of it ever counted as a person's."""
    versions = response_revisions.c
    theirs = (versions.workspace_id == response.workspace) & (versions.response_id == response.id)
    human = select(versions.at).where(theirs, versions.verdict == Verdict.HUMAN.value)
    return connection.execute(human.limit(1)).first() is not None


def keep(connection: Connection, response: Response, *, agent: str = "", client: str = "") -> None:
    """Insert, or make it the latest version; the revision goes to the append-only table in either case."""
    row = {**_row(response), "revision": cursors.take(connection, "revisions")}
    known = of_delivery(connection, response.workspace, response.delivery)
    if known is None:
        connection.execute(responses.insert(), [row])
    else:
        connection.execute(
            update(responses)
            .where(responses.c.workspace_id == response.workspace, responses.c.id == response.id)
            .values(**row)
        )
    said = {
        "answers": response.answers,
        "verdict": response.verdict.value,
        "agent": agent[:300],
        "client": client[:64],
        "by": response.judged_by,
    }
    version = {"workspace_id": response.workspace, "response_id": response.id, "at": response.updated_at}
    connection.execute(
        dialects.insert(response_revisions, connection)
        .values(**version, **said)
        .on_conflict_do_update(index_elements=list(version), set_=said)  # of one instant, the last one
    )


def to_complete(connection: Connection, now: datetime, limit: int) -> list[Response]:
    """Those whose moment has come."""
    query = select(responses).where(responses.c.completes_at <= now).order_by(responses.c.completes_at).limit(limit)
    return [_response(row) for row in connection.execute(query)]


def next_to_complete(connection: Connection) -> datetime | None:
    query = "SELECT min(completes_at) FROM responses WHERE completes_at IS NOT NULL"
    ((earliest,),) = dialects.fetch(connection, query)
    return None if earliest is None else moment(earliest)


def completed(connection: Connection, some: Iterable[Response]) -> None:
    dialects.many(
        connection,
        "UPDATE responses SET completes_at = NULL WHERE workspace_id = ? AND id = ?",
        [(each.workspace, each.id) for each in some],
    )


def to_settle(connection: Connection, now: datetime, limit: int) -> list[Response]:
    """What was only opened, and whose moment has come."""
    query = select(responses).where(responses.c.settles_at <= now).order_by(responses.c.settles_at).limit(limit)
    return [_response(row) for row in connection.execute(query)]


def next_to_settle(connection: Connection) -> datetime | None:
    query = "SELECT min(settles_at) FROM responses WHERE settles_at IS NOT NULL"
    ((earliest,),) = dialects.fetch(connection, query)
    return None if earliest is None else moment(earliest)


def never_settle(connection: Connection, some: Iterable[Response]) -> None:
    """They stay what they are."""
    dialects.many(
        connection,
        "UPDATE responses SET settles_at = NULL WHERE workspace_id = ? AND id = ?",
        [(each.workspace, each.id) for each in some],
    )


def changed_since(connection: Connection, revision: int, limit: int) -> list[tuple[Response, int]]:
    """Responses whose revision is above, in its order: what analytics has not read yet."""
    query = select(responses).where(responses.c.revision > revision).order_by(responses.c.revision).limit(limit)
    return [(_response(row), row.revision) for row in connection.execute(query)]


def by_ids(connection: Connection, workspace: int, ids: list[int]) -> list[Response]:
    """In the order of `ids`."""
    query = select(responses).where(
        responses.c.workspace_id == workspace, dialects.among(responses.c.id, ids, connection)
    )
    found = {row.id: _response(row) for row in connection.execute(query)}
    return [found[number] for number in ids if number in found]


def _row(response: Response) -> dict[str, Any]:
    return {
        "workspace_id": response.workspace,
        "id": response.id,
        "delivery_id": response.delivery,
        "survey_id": response.survey,
        "campaign_id": response.campaign,
        "contact_id": response.contact,
        "user_id": response.user_id,
        "channel": response.channel,
        "metric": response.metric,
        "value": response.value,
        "category": response.category,
        "comment": response.comment,
        "answers": response.answers,
        "traits": response.traits,
        "properties": response.properties,
        "answered_at": response.answered_at,
        "updated_at": response.updated_at,
        "verdict": response.verdict.value,
        "completes_at": response.completes_at,
        "campaign_version": response.campaign_version,
        "survey_version": response.survey_version,
        "confirmed": int(response.confirmed),
        "evidence": response.evidence,
        "judged_by": response.judged_by,
        "settles_at": response.settles_at,
    }


def _response(row: Any) -> Response:
    return Response(
        id=row.id,
        workspace=row.workspace_id,
        delivery=row.delivery_id,
        survey=row.survey_id,
        campaign=row.campaign_id,
        contact=row.contact_id,
        user_id=row.user_id,
        channel=row.channel,
        metric=row.metric,
        value=None if row.value is None else int(row.value),
        category=row.category,
        comment=row.comment,
        answers=row.answers,
        traits=row.traits,
        properties=row.properties,
        answered_at=row.answered_at,
        updated_at=row.updated_at,
        verdict=Verdict(row.verdict),
        completes_at=row.completes_at,
        campaign_version=row.campaign_version,
        survey_version=row.survey_version,
        confirmed=bool(row.confirmed),
        evidence=row.evidence,
        judged_by=row.judged_by,
        settles_at=row.settles_at,
    )
