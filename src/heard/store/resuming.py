"""A campaign that was paused goes on: what fell due meanwhile does not all go out at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from heard.store import dialects
from heard.store.types import micros

MOST = timedelta(days=7)  # over which what fell due is spread


def spread(
    connection: Connection, workspace: int, campaign: int, *, paused_at: datetime, now: datetime, drips: bool
) -> None:
    """Give what is scheduled new moments, and its touches with it.

    A drip goes on where it stopped: every day of it moves by the length of the pause. Of other campaigns, what fell due
    during the pause keeps its order and its distances, from now on, pressed together where the pause was longer than
    `MOST`; what is due later stays where it is.
    """
    length = max(micros(now) - micros(paused_at), 0)
    if not length:
        return
    room = min(length, MOST // timedelta(microseconds=1))
    where = " WHERE workspace_id = ? AND campaign_id = ? AND state = 'scheduled'"
    if drips:
        change, values = f"UPDATE deliveries SET due_at = due_at + ?{where}", (length,)
        limits: tuple[int, ...] = ()
    else:
        # In thousandths of the pause: whole numbers alone, on every engine, and no product that is too large for one.
        share = "(due_at - ?) / ? * ?"
        change = f"UPDATE deliveries SET due_at = ? + {share}{where} AND due_at > ? AND due_at <= ?"
        values = (micros(now), micros(paused_at), max(length // 1000, 1), room // 1000)
        limits = (micros(paused_at), micros(now))
    dialects.many(connection, change, [(*values, workspace, campaign, *limits)])
    dialects.many(
        connection,
        "UPDATE touches SET at = (SELECT d.due_at FROM deliveries d WHERE d.workspace_id = touches.workspace_id"
        " AND d.id = touches.delivery_id) WHERE workspace_id = ? AND campaign_id = ? AND state = 'reserved'"
        " AND EXISTS (SELECT 1 FROM deliveries d WHERE d.workspace_id = touches.workspace_id"
        " AND d.id = touches.delivery_id AND d.state = 'scheduled')",
        [(workspace, campaign)],
    )
