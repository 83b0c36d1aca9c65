"""Decisions: kept for ever, refusals too, one per campaign and trigger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from heard.deliveries.decision import Decision, Outcome
from heard.store import dialects
from heard.store.tables import decisions


def triggers_decided(connection: Connection, workspace: int, triggers: Iterable[str]) -> set[tuple[int, str]]:
    """Which (campaign, trigger) have their decision already."""
    within = dialects.within(connection)
    rows = dialects.fetch(
        connection,
        f"SELECT campaign_id, trigger FROM {dialects.by('decisions_by_trigger', 'decisions', connection)}"
        f" WHERE workspace_id = ? AND campaign_id {within} AND trigger {within}",
        workspace,
        dialects.listed(connection, _campaigns(connection, workspace)),
        dialects.listed(connection, triggers),
    )
    return {(row[0], row[1]) for row in rows}


def held_for(connection: Connection, workspace: int, user_ids: Iterable[str]) -> list[tuple[Decision, bytes]]:
    """What waits for these users to be identified, oldest first, each with the message that waits."""
    query = (
        select(decisions)
        .where(
            decisions.c.workspace_id == workspace,
            decisions.c.held_until.is_not(None),
            dialects.among(decisions.c.user_id, user_ids, connection),
        )
        .with_hint(decisions, "INDEXED BY decisions_by_user", "sqlite")
        .order_by(decisions.c.id)
    )
    return [(_decision(row), row.held_body) for row in connection.execute(query)]


def held_past(connection: Connection, now: datetime, limit: int) -> list[Decision]:
    """What has waited long enough, over all workspaces."""
    query = (
        select(decisions)
        .where(decisions.c.held_until.is_not(None), decisions.c.held_until <= now)
        .order_by(decisions.c.held_until)
        .limit(limit)
    )
    return [_decision(row) for row in connection.execute(query)]


def next_held(connection: Connection) -> int | None:
    """When the next one has waited long enough, in microseconds."""
    return dialects.fetch(connection, "SELECT min(held_until) FROM decisions WHERE held_until IS NOT NULL")[0][0]


def keep(connection: Connection, new: Iterable[tuple[Decision, bytes | None]]) -> None:
    rows = [{**_row(decision), "held_body": body} for decision, body in new]
    if rows:
        connection.execute(decisions.insert(), rows)


def revise(connection: Connection, decision: Decision) -> None:
    """Write a decision that changed; the message it held is let go when it is held no longer."""
    values = _row(decision)
    if decision.outcome != Outcome.HELD:
        values["held_body"] = None
    connection.execute(
        update(decisions)
        .where(decisions.c.workspace_id == decision.workspace, decisions.c.id == decision.id)
        .values(**values)
    )


def by_id(connection: Connection, workspace: int, ids: Iterable[int]) -> dict[int, Decision]:
    query = select(decisions).where(
        decisions.c.workspace_id == workspace, dialects.among(decisions.c.id, ids, connection)
    )
    return {row.id: _decision(row) for row in connection.execute(query)}


def about(
    connection: Connection, workspace: int, *, user_id: str | None, contact: int | None, limit: int = 500
) -> list[Decision]:
    """Every kept decision about one person, newest first."""
    # Each name by its own index: asked with OR, SQLite reads the workspace from its newest decision down.
    by = {decisions.c.user_id: user_id, decisions.c.contact_id: contact}
    index = {decisions.c.user_id: "decisions_by_user", decisions.c.contact_id: "decisions_by_contact"}
    found: dict[int, Decision] = {}
    for column, value in by.items():
        if value is not None:
            query = (
                select(decisions)
                .where(decisions.c.workspace_id == workspace, column == value)
                .with_hint(decisions, f"INDEXED BY {index[column]}", "sqlite")
                .order_by(decisions.c.id.desc())
                .limit(limit)
            )
            found |= {row.id: _decision(row) for row in connection.execute(query)}
    return sorted(found.values(), key=lambda decision: decision.id, reverse=True)[:limit]


def led_to(connection: Connection, workspace: int, triggers: Iterable[str]) -> dict[str, list[Decision]]:
    """What messages led to, by trigger, in the order of decisions."""
    query = (
        select(decisions)
        .where(
            decisions.c.workspace_id == workspace,
            dialects.among(decisions.c.campaign_id, _campaigns(connection, workspace), connection),
            dialects.among(decisions.c.trigger, triggers, connection),
        )
        .with_hint(decisions, "INDEXED BY decisions_by_trigger", "sqlite")
    )
    found: dict[str, list[Decision]] = {}
    for row in connection.execute(query):
        found.setdefault(row.trigger, []).append(_decision(row))
    return {trigger: sorted(made, key=lambda each: each.id) for trigger, made in found.items()}


def _campaigns(connection: Connection, workspace: int) -> list[int]:
    return [row[0] for row in dialects.fetch(connection, "SELECT id FROM campaigns WHERE workspace_id = ?", workspace)]


def _row(decision: Decision) -> dict[str, Any]:
    return {
        "workspace_id": decision.workspace,
        "id": decision.id,
        "campaign_id": decision.campaign,
        "trigger": decision.trigger,
        "message_id": decision.message_id,
        "event": decision.event,
        "event_at": decision.event_at,
        "user_id": decision.user_id,
        "contact_id": decision.contact,
        "at": decision.at,
        "outcome": decision.outcome.value,
        "objections": decision.objections,
        "revisions": decision.revisions,
        "delivery_id": decision.delivery,
        "held_until": decision.held_until,
    }


def _decision(row: Any) -> Decision:
    return Decision(
        id=row.id,
        workspace=row.workspace_id,
        campaign=row.campaign_id,
        trigger=row.trigger,
        message_id=row.message_id,
        event=row.event,
        event_at=row.event_at,
        user_id=row.user_id,
        contact=row.contact_id,
        at=row.at,
        outcome=Outcome(row.outcome),
        objections=row.objections,
        revisions=row.revisions,
        delivery=row.delivery_id,
        held_until=row.held_until,
    )
