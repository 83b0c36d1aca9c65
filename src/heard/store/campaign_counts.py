"""What a page says of a campaign in numbers, each by an index that ends where the answer does."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from heard.deliveries.delivery import State
from heard.store import dialects
from heard.store.tables import REMINDERS
from heard.store.types import between, micros, moment

HANDED_OVER = (State.SENT, State.UNKNOWN, State.ANSWERED, State.EXPIRED)


def in_states(
    connection: Connection,
    workspace: int,
    campaign: int,
    states: Collection[State],
    since: datetime | None = None,
    before: datetime | None = None,
) -> dict[State, int]:
    """How many of its invitations are in which state, of those due in between; states without any are left out.

    Reminders are no invitations. Each count is read from an index alone, so one is taken from the other.
    """
    marks = ", ".join("?" for _ in states)
    values = (workspace, campaign, *(state.value for state in states), *between(since, before))

    def count(index: str, of: str) -> dict[str, int]:
        table = dialects.by(index, "deliveries", connection)
        rows = dialects.fetch(
            connection,
            f"SELECT state, count(*) FROM {table} WHERE workspace_id = ? AND campaign_id = ?"
            f" AND state IN ({marks}) AND due_at >= ? AND due_at < ?{of} GROUP BY state",
            *values,
        )
        return dict(rows)

    reminders = count("deliveries_reminders", f" AND {REMINDERS}")
    all_of_them = count("deliveries_by_campaign", "")
    return {State(state): left for state, n in all_of_them.items() if (left := n - reminders.get(state, 0))}


def answered_by(
    connection: Connection, workspace: int, campaign: int, begins: datetime | None, ends: datetime
) -> tuple[int, int]:
    """(answered, handed over) before `ends`, of its invitations that were due from `begins` on and before `ends`.

    A state says what is so now, so what was so at a moment that is over is read from the rows of that time.
    """
    before = micros(ends)
    marks = ", ".join("?" for _ in HANDED_OVER)
    ((answered, of),) = dialects.fetch(
        connection,
        "SELECT count(r.id), count(*)"
        f" FROM {dialects.by('deliveries_by_campaign', 'deliveries AS d', connection)}"
        " LEFT JOIN responses r ON r.workspace_id = d.workspace_id AND r.delivery_id = d.id"
        " AND d.state = 'answered' AND r.answered_at < ?"
        f" WHERE d.workspace_id = ? AND d.campaign_id = ? AND d.state IN ({marks})"
        " AND d.due_at >= ? AND d.due_at < ? AND d.kind = 'first' AND coalesce(d.sent_at, d.due_at) < ?",
        before,
        workspace,
        campaign,
        *(state.value for state in HANDED_OVER),
        *between(begins, ends),
        before,
    )
    return answered, of


def any_in_states(connection: Connection, workspace: int, campaign: int, states: Collection[State]) -> bool:
    """Whether one of its deliveries, reminders too, is in one of these states."""
    for state in states:
        found = dialects.fetch(
            connection,
            f"SELECT 1 FROM {dialects.by('deliveries_by_campaign', 'deliveries', connection)}"
            " WHERE workspace_id = ? AND campaign_id = ? AND state = ? LIMIT 1",
            workspace,
            campaign,
            state.value,
        )
        if found:
            return True
    return False


def last_decided(connection: Connection, workspace: int, campaign: int) -> datetime | None:
    """When it last decided about somebody."""
    rows = dialects.fetch(
        connection,
        "SELECT at FROM decisions WHERE workspace_id = ? AND id = (SELECT max(last) FROM ("
        + " UNION ALL ".join(
            "SELECT max(id) AS last FROM decisions WHERE workspace_id = ? AND campaign_id = ? AND outcome = ?"
            for _ in range(3)
        )
        + ") AS each)",
        workspace,
        *(value for outcome in ("invited", "declined", "held") for value in (workspace, campaign, outcome)),
    )
    return moment(rows[0][0]) if rows else None
