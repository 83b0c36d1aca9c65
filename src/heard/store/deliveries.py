"""Deliveries: claimed when due, moved through their life by whole rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from heard.deliveries.delivery import Delivery, HandedTo, ImpossibleMove, State
from heard.deliveries.ledger import TouchKind
from heard.store import dialects
from heard.store.tables import deliveries
from heard.store.types import micros


def keep(connection: Connection, new: Iterable[Delivery]) -> None:
    rows = [_row(delivery) for delivery in new]
    if rows:
        connection.execute(deliveries.insert(), rows)


IN_TURN = (deliveries.c.due_at, deliveries.c.workspace_id, deliveries.c.id)


def due(
    connection: Connection, now: datetime, limit: int, paused: Iterable[int] = (), without: Iterable[int] = ()
) -> list[Delivery]:
    """What should go out now, in the order it fell due, of one moment by their ids; the campaigns in `paused` wait, as
    do the workspaces in `without`."""
    query = select(deliveries).where(deliveries.c.state == State.SCHEDULED.value, deliveries.c.due_at <= now)
    if waiting := list(paused):
        query = query.where(~dialects.among(deliveries.c.campaign_id, waiting, connection))
    if others := list(without):
        query = query.where(~dialects.among(deliveries.c.workspace_id, others, connection))
    return [delivery_of(row) for row in connection.execute(query.order_by(*IN_TURN).limit(limit))]


def due_of(
    connection: Connection, workspace: int, campaigns: Iterable[int], now: datetime, limit: int
) -> list[Delivery]:
    """As `due`, of these campaigns of one workspace, whatever waits of others."""
    rows = dialects.fetch(
        connection,
        f"SELECT id FROM {dialects.by('deliveries_by_campaign', 'deliveries', connection)} WHERE workspace_id = ?"
        f" AND campaign_id {dialects.within(connection)} AND state = 'scheduled' AND due_at <= ?"
        " ORDER BY due_at, id LIMIT ?",
        workspace,
        dialects.listed(connection, list(campaigns)),
        micros(now),
        limit,
    )
    found = by_ids(connection, workspace, [row[0] for row in rows])
    return [found[row[0]] for row in rows if row[0] in found]


def any_tried(connection: Connection, *, workspace: int | None = None, without: Iterable[int] = ()) -> bool:
    """Whether a delivery waits for another try: of one workspace, or of any but those in `without`."""
    query = select(deliveries.c.id).where(deliveries.c.state == State.SCHEDULED.value, deliveries.c.attempts > 0)
    if workspace is not None:
        query = query.where(deliveries.c.workspace_id == workspace)
    if others := list(without):
        query = query.where(~dialects.among(deliveries.c.workspace_id, others, connection))
    return connection.execute(query.limit(1)).first() is not None


def next_due(connection: Connection, paused: Iterable[int] = ()) -> datetime | None:
    query = select(deliveries.c.due_at).where(deliveries.c.state == State.SCHEDULED.value)
    if waiting := list(paused):
        query = query.where(~dialects.among(deliveries.c.campaign_id, waiting, connection))
    return connection.execute(query.order_by(deliveries.c.due_at).limit(1)).scalar()


def in_state(connection: Connection, state: State) -> list[Delivery]:
    query = select(deliveries).where(deliveries.c.state == state.value)
    return [delivery_of(row) for row in connection.execute(query)]


def change(connection: Connection, delivery: Delivery, *, was: State) -> None:
    """Write what can change in a delivery's life, provided it is still in the state the caller saw.

    Raises:
        ImpossibleMove: somebody else moved it meanwhile; whatever the caller had in mind must not happen twice.
    """
    changes = {"state": delivery.state.value, "attempts": delivery.attempts, "error": delivery.error}
    if delivery.sent_at is not None:
        changes["sent_at"] = micros(delivery.sent_at)
    if delivery.state == State.SENDING:
        changes |= {"handed_to": delivery.handed_to, "counts_opens": int(delivery.counts_opens)}
    if delivery.state == State.SCHEDULED:  # only what waits can be put off; the index by due_at is left alone else
        changes["due_at"] = micros(delivery.due_at)
    columns = ", ".join(f"{name} = ?" for name in changes)
    changed = dialects.changed(
        connection,
        f"UPDATE deliveries SET {columns} WHERE workspace_id = ? AND id = ? AND state = ?",
        *changes.values(),
        delivery.workspace,
        delivery.id,
        was.value,
    )
    if changed != 1:
        raise ImpossibleMove(f"Delivery {delivery.id} is no longer {was}.")


def readdress(connection: Connection, delivery: Delivery, address: str) -> None:
    """The person has another address now."""
    dialects.many(
        connection,
        "UPDATE deliveries SET address = ? WHERE workspace_id = ? AND id = ?",
        [(address, delivery.workspace, delivery.id)],
    )


def waiting_for(connection: Connection, workspace: int, contact: int, email_key: str | None) -> list[Delivery]:
    """What is scheduled for a person, or for anybody behind their mailbox."""
    rows = dialects.fetch(
        connection,
        "SELECT delivery_id FROM touches WHERE workspace_id = ? AND contact_id = ? AND state = 'reserved'"
        " UNION SELECT delivery_id FROM touches WHERE workspace_id = ? AND email_key = ? AND state = 'reserved'",
        workspace,
        contact,
        workspace,
        email_key,
    )
    query = select(deliveries).where(
        deliveries.c.workspace_id == workspace,
        dialects.among(deliveries.c.id, [row[0] for row in rows], connection),
        deliveries.c.state == State.SCHEDULED.value,
    )
    return [delivery_of(row) for row in connection.execute(query)]


def by_id(connection: Connection, workspace: int, delivery_id: str) -> Delivery | None:
    row = connection.execute(
        select(deliveries).where(deliveries.c.workspace_id == workspace, deliveries.c.id == delivery_id)
    ).first()
    return delivery_of(row) if row else None


def by_ids(connection: Connection, workspace: int, ids: Iterable[str]) -> dict[str, Delivery]:
    query = select(deliveries).where(
        deliveries.c.workspace_id == workspace, dialects.among(deliveries.c.id, ids, connection)
    )
    return {row.id: delivery_of(row) for row in connection.execute(query)}


def of_workspaces(connection: Connection, workspaces: Iterable[int], ids: Iterable[str]) -> frozenset[str]:
    """Which of these deliveries belong to these workspaces."""
    query = select(deliveries.c.id).where(
        dialects.among(deliveries.c.workspace_id, workspaces, connection),
        dialects.among(deliveries.c.id, ids, connection),
    )
    return frozenset(connection.execute(query).scalars())


def of_contact(connection: Connection, workspace: int, contact: int, *, limit: int) -> list[Delivery]:
    """What was, or is to be, sent to a contact, latest due first."""
    rows = dialects.fetch(
        connection,
        f"SELECT id FROM {dialects.by('deliveries_by_contact', 'deliveries', connection)}"
        " WHERE workspace_id = ? AND contact_id = ? ORDER BY due_at DESC, id DESC LIMIT ?",
        workspace,
        contact,
        limit,
    )
    found = by_ids(connection, workspace, [row[0] for row in rows])
    return [found[row[0]] for row in rows if row[0] in found]


def reminder_of(connection: Connection, first: Delivery) -> Delivery | None:
    """What reminds of an invitation, whatever became of it; None where nothing does."""
    theirs = (
        f"{dialects.by('deliveries_by_contact', 'deliveries', connection)} WHERE workspace_id = ? AND contact_id = ?"
    )
    rows = dialects.fetch(
        connection,
        f"SELECT id FROM {theirs} AND decision_id = ? AND kind = 'reminder'",
        first.workspace,
        first.contact,
        first.decision,
    )
    return by_id(connection, first.workspace, rows[0][0]) if rows else None


def newest(
    connection: Connection,
    workspace: int,
    *,
    user_id: str | None = None,
    campaign: int | None = None,
    state: str | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """Latest due first; `before` is (due_at, id) of the last one seen."""
    query = select(deliveries).where(deliveries.c.workspace_id == workspace)
    if user_id is not None:
        query = query.where(deliveries.c.user_id == user_id)
    if campaign is not None:
        query = query.where(deliveries.c.campaign_id == campaign)
    if state is not None:
        query = query.where(deliveries.c.state == state)
    if before is not None:
        at, last = before
        query = query.where((deliveries.c.due_at < at) | ((deliveries.c.due_at == at) & (deliveries.c.id < last)))
    query = query.order_by(deliveries.c.due_at.desc(), deliveries.c.id.desc()).limit(limit)
    return [delivery_of(row) for row in connection.execute(query)]


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "workspace_id": delivery.workspace,
        "id": delivery.id,
        "decision_id": delivery.decision,
        "campaign_id": delivery.campaign,
        "survey_id": delivery.survey,
        "contact_id": delivery.contact,
        "user_id": delivery.user_id,
        "address": delivery.address,
        "channel": delivery.channel,
        "kind": delivery.kind.value,
        "state": delivery.state.value,
        "due_at": delivery.due_at,
        "event": delivery.event,
        "event_at": delivery.event_at,
        "properties": delivery.properties,
        "sent_at": delivery.sent_at,
        "attempts": delivery.attempts,
        "error": delivery.error,
        "campaign_version": delivery.campaign_version,
        "survey_version": delivery.survey_version,
        "handed_to": delivery.handed_to,
        "counts_opens": int(delivery.counts_opens),
    }


def delivery_of(row: Any) -> Delivery:
    return Delivery(
        id=row.id,
        workspace=row.workspace_id,
        decision=row.decision_id,
        campaign=row.campaign_id,
        survey=row.survey_id,
        contact=row.contact_id,
        user_id=row.user_id,
        address=row.address,
        channel=row.channel,
        kind=TouchKind(row.kind),
        state=State(row.state),
        due_at=row.due_at,
        event=row.event,
        event_at=row.event_at,
        properties=row.properties,
        sent_at=row.sent_at,
        attempts=row.attempts,
        error=row.error,
        campaign_version=row.campaign_version,
        survey_version=row.survey_version,
        handed_to=HandedTo(row.handed_to) if row.handed_to else None,
        counts_opens=bool(row.counts_opens),
    )
