"""What a page says of a campaign in numbers, each by an index that ends where the answer does."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from heard.deliveries.delivery import State
from heard.store import dialects
from heard.store.types import micros, moment

HANDED_OVER = (State.SENT, State.UNKNOWN, State.ANSWERED, State.EXPIRED)


def in_states(
    connection: Connection, workspace: int, campaign: int, states: Collection[State], since: datetime | None = None
) -> dict[State, int]:
    """How many of its invitations are in which state, of those due since then; states without any are left out."""
    marks = ", ".join("?" for _ in states)
    rows = dialects.fetch(
        connection,
        "SELECT state, count(*) FROM deliveries WHERE workspace_id = ? AND campaign_id = ?"
        f" AND state IN ({marks}) AND due_at >= ? GROUP BY state",
        workspace,
        campaign,
        *(state.value for state in states),
        micros(since) if since else 0,
    )
    return {State(state): count for state, count in rows}


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
