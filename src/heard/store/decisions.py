"""Decisions: kept for ever, refusals too, one per campaign and trigger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, select, update

from heard.deliveries.decision import Decision, Outcome
from heard.deliveries.reasons import Reason
from heard.store import dialects
from heard.store.tables import decisions
from heard.store.types import micros

LARGEST = 1 << 62


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
    return _held(connection, workspace, decisions.c.user_id, user_ids, by="decisions_held_by_user")


def held_for_anonymous(
    connection: Connection, workspace: int, anonymous_ids: Iterable[str]
) -> list[tuple[Decision, bytes]]:
    """What waits until it is known whose these anonymous ids are, oldest first, each with the message that waits."""
    found = _held(connection, workspace, decisions.c.anonymous_id, anonymous_ids, by="decisions_held_by_anonymous")
    return [each for each in found if each[0].user_id is None]


def wait_for(connection: Connection, moved: Iterable[Decision]) -> None:
    """What waited under an anonymous id waits for a user from now on."""
    dialects.many(
        connection,
        "UPDATE decisions SET user_id = ? WHERE workspace_id = ? AND id = ?",
        [(each.user_id, each.workspace, each.id) for each in moved],
    )


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


def revise(connection: Connection, decision: Decision, waiting: bytes | None = None) -> None:
    """Write a decision that changed. `waiting` is the message that it holds from now on; one that it held is let go
    when it is held no longer."""
    values = _row(decision)
    if decision.outcome != Outcome.HELD or waiting is not None:
        values["held_body"] = waiting
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
    ids: set[int] = set()
    for index, column, value in (("user", "user_id", user_id), ("contact", "contact_id", contact)):
        if value is not None:
            rows = dialects.fetch(
                connection,
                f"SELECT id FROM {dialects.by(f'decisions_by_{index}', 'decisions', connection)}"
                f" WHERE workspace_id = ? AND {column} = ? ORDER BY id DESC LIMIT ?",
                workspace,
                value,
                limit,
            )
            ids |= {row[0] for row in rows}
    found = by_id(connection, workspace, sorted(ids, reverse=True)[:limit])
    return sorted(found.values(), key=lambda decision: decision.id, reverse=True)


def led_to(connection: Connection, workspace: int, triggers: Iterable[str]) -> dict[str, list[Decision]]:
    """What messages led to, by trigger, in the order of decisions."""
    within = dialects.within(connection)
    rows = dialects.fetch(
        connection,
        f"SELECT id FROM {dialects.by('decisions_by_trigger', 'decisions', connection)}"
        f" WHERE workspace_id = ? AND campaign_id {within} AND trigger {within}",
        workspace,
        dialects.listed(connection, _campaigns(connection, workspace)),
        dialects.listed(connection, triggers),
    )
    made = by_id(connection, workspace, [row[0] for row in rows])
    found: dict[str, list[Decision]] = {}
    for number in sorted(made):
        found.setdefault(made[number].trigger, []).append(made[number])
    return found


def newest(
    connection: Connection,
    workspace: int,
    *,
    campaigns: Iterable[int],
    outcome: Outcome | None = None,
    reason: Reason | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    below: int | None = None,
    examined: int,
    limit: int,
) -> tuple[list[Decision], int | None]:
    """Decisions of these campaigns, newest first: those among the newest `examined` of each, at most `limit`.

    `reason` is the first that objected, as the funnel counts. Both moments bound when it was decided, `until` left out.
    With them the id to go on below; None where none are left.
    """
    bottom = _first_from(connection, workspace, since) if since else 0
    top = _first_from(connection, workspace, until) if until else LARGEST
    top = top if below is None else min(top, below)
    ids: list[int] = []
    edges: list[int] = []
    for campaign in campaigns:
        for each in (outcome,) if outcome else Outcome:
            some, edge = _newest(connection, (workspace, campaign, each.value), (bottom, top), reason, examined, limit)
            ids += some
            edges += [] if edge is None else [edge]
    edge = max(edges, default=0)  # below it not everything was looked at
    shown = sorted((each for each in ids if each >= edge), reverse=True)[:limit]
    further = shown[-1] if len(shown) == limit else edge or None
    found = by_id(connection, workspace, shown)
    return [found[each] for each in shown], further


def _newest(
    connection: Connection,
    which: tuple[int, int, str],
    between: tuple[int, int],
    reason: Reason | None,
    examined: int,
    limit: int,
) -> tuple[list[int], int | None]:
    """Ids of one campaign and outcome down its index, and the last one looked at; None where that was the last."""
    down = (
        f"SELECT id FROM {dialects.by('decisions_by_campaign', 'decisions', connection)}"
        " WHERE workspace_id = ? AND campaign_id = ? AND outcome = ? AND id >= ? AND id < ? ORDER BY id DESC LIMIT ?"
    )
    most = limit if reason is None else examined
    ids = [row[0] for row in dialects.fetch(connection, down, *which, *between, most)]
    edge = ids[-1] if len(ids) == most else None
    if reason is None or not ids:
        return ids, edge
    begins = f'[{{"reason":"{reason.value}"'
    rows = dialects.fetch(
        connection,
        "SELECT id FROM decisions WHERE workspace_id = ? AND id >= ? AND id <= ? AND campaign_id = ? AND outcome = ?"
        f" AND substr(objections, 1, {len(begins)}) = ? ORDER BY id DESC LIMIT ?",
        which[0],
        ids[-1],
        ids[0],
        which[1],
        which[2],
        begins,
        limit,
    )
    found = [row[0] for row in rows]
    return found, found[-1] if len(found) == limit else edge


def _first_from(connection: Connection, workspace: int, moment: datetime) -> int:
    """The id of the first decision from a moment on; ids follow the time they were made, so twenty looks find it."""
    low = 0
    rows = dialects.fetch(connection, "SELECT max(id) FROM decisions WHERE workspace_id = ?", workspace)
    high = (rows[0][0] or 0) + 1
    wanted = micros(moment)
    while low < high:
        middle = (low + high) // 2
        row = dialects.fetch(
            connection,
            "SELECT id, at FROM decisions WHERE workspace_id = ? AND id >= ? ORDER BY id LIMIT 1",
            workspace,
            middle,
        )
        if not row or row[0][1] >= wanted:
            high = middle
        else:
            low = row[0][0] + 1
    return low


def _held(
    connection: Connection, workspace: int, column: Column[Any], values: Iterable[str], *, by: str
) -> list[tuple[Decision, bytes]]:
    query = (
        select(decisions)
        .where(
            decisions.c.workspace_id == workspace,
            decisions.c.held_until.is_not(None),
            dialects.among(column, values, connection),
        )
        .with_hint(decisions, f"INDEXED BY {by}", "sqlite")
        .order_by(decisions.c.id)
    )
    return [(_decision(row), row.held_body) for row in connection.execute(query)]


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
        "anonymous_id": decision.anonymous_id,
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
        anonymous_id=row.anonymous_id,
        contact=row.contact_id,
        at=row.at,
        outcome=Outcome(row.outcome),
        objections=row.objections,
        revisions=row.revisions,
        delivery=row.delivery_id,
        held_until=row.held_until,
    )
