"""A campaign that was paused goes on: what fell due meanwhile does not all go out at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from heard.deliveries.ledger import Why
from heard.store import dialects, touches
from heard.store.types import MICROSECOND, micros

MOST = timedelta(days=7)  # over which what fell due is spread
BETWEEN = timedelta(minutes=1)  # one mail and the next; less where there are more than the time takes
SCHEDULED = " WHERE workspace_id = ? AND campaign_id = ? AND state = 'scheduled'"


def spread(
    connection: Connection, workspace: int, campaign: int, *, paused_at: datetime, now: datetime, drips: bool
) -> None:
    """Give what is scheduled new moments, and its touches with it.

    A drip goes on where it stopped: every day of it moves by the length of the pause. Of other campaigns, what fell due
    goes out in its order, the first at once and then one a minute; closer together where there is so much that it would
    take longer than the pause was, or than `MOST`. What is due later stays where it is.
    """
    length = max(micros(now) - micros(paused_at), 0)
    if drips:
        change, values = f"UPDATE deliveries SET due_at = due_at + ?{SCHEDULED}", (length, workspace, campaign)
        dialects.many(connection, change, [values])
    else:
        _one_by_one(connection, workspace, campaign, now, min(length, MOST // MICROSECOND))
    dialects.many(
        connection,
        "INSERT INTO postponements (workspace_id, delivery_id, at, was, until, why)"
        " SELECT t.workspace_id, t.delivery_id, ?, t.at, d.due_at, ? FROM touches t"
        " JOIN deliveries d ON d.workspace_id = t.workspace_id AND d.id = t.delivery_id"
        " WHERE t.workspace_id = ? AND t.campaign_id = ? AND t.state = 'reserved' AND d.state = 'scheduled'"
        f" AND t.at <> d.due_at {touches.AGAIN}",
        [(micros(now), Why.RESUMED.value, workspace, campaign)],
    )
    dialects.many(
        connection,
        "UPDATE touches SET at = (SELECT d.due_at FROM deliveries d WHERE d.workspace_id = touches.workspace_id"
        " AND d.id = touches.delivery_id) WHERE workspace_id = ? AND campaign_id = ? AND state = 'reserved'"
        " AND EXISTS (SELECT 1 FROM deliveries d WHERE d.workspace_id = touches.workspace_id"
        " AND d.id = touches.delivery_id AND d.state = 'scheduled')",
        [(workspace, campaign)],
    )


def _one_by_one(connection: Connection, workspace: int, campaign: int, now: datetime, room: int) -> None:
    overdue = f"{SCHEDULED} AND due_at <= ?"
    which = (workspace, campaign, micros(now))
    ((n,),) = dialects.fetch(connection, f"SELECT count(*) FROM deliveries{overdue}", *which)
    if not n:
        return
    between = min(BETWEEN // MICROSECOND, room // n)
    dialects.many(
        connection,
        "UPDATE deliveries SET due_at = ? + ? * placed.place FROM"
        f" (SELECT id, row_number() OVER (ORDER BY due_at, id) - 1 AS place FROM deliveries{overdue}) AS placed"
        " WHERE deliveries.workspace_id = ? AND deliveries.id = placed.id",
        [(micros(now), between, *which, workspace)],
    )
