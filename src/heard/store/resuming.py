"""A campaign that was paused goes on: what fell due meanwhile does not all go out at once."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign
from heard.deliveries import schedule
from heard.deliveries.capping import Room
from heard.deliveries.ledger import TouchKind, Why
from heard.deliveries.pacing import HOUR, day_of
from heard.store import dialects, touches
from heard.store.types import MICROSECOND, micros, moment

MOST = timedelta(days=7)  # over which what fell due is spread
BETWEEN = timedelta(minutes=1)  # one mail and the next; less where there are more than the time takes
A_WEEK = 7  # days in which every window opens
SCHEDULED = " WHERE workspace_id = ? AND campaign_id = ? AND state = 'scheduled'"


def spread(connection: Connection, campaign: Campaign, *, paused_at: datetime, now: datetime) -> None:
    """Give what is scheduled new moments, and its touches with it.

    A drip of which a slice fell due goes on where it stopped: its slices follow each other from now on, one each day on
    which its window opens. Of other campaigns, what fell due goes out in its order, the first at once and then one a
    minute; closer together where there is so much that it would take longer than the pause was, or than `MOST`. Where
    there is a daily cap, a UTC day gets no more of it than that; what is due later stays where it is.
    """
    workspace, number = campaign.workspace, campaign.id
    room = min(max(now - paused_at, timedelta()), MOST)
    if campaign.drip is None or not _slice_by_slice(connection, campaign, now):
        _one_by_one(connection, campaign, now, room)
    dialects.many(
        connection,
        "INSERT INTO postponements (workspace_id, delivery_id, at, was, until, why)"
        " SELECT t.workspace_id, t.delivery_id, ?, t.at, d.due_at, ? FROM touches t"
        " JOIN deliveries d ON d.workspace_id = t.workspace_id AND d.id = t.delivery_id"
        " WHERE t.workspace_id = ? AND t.campaign_id = ? AND t.state = 'reserved' AND d.state = 'scheduled'"
        f" AND t.at <> d.due_at {touches.AGAIN}",
        [(micros(now), Why.RESUMED.value, workspace, number)],
    )
    dialects.many(
        connection,
        "UPDATE touches SET at = (SELECT d.due_at FROM deliveries d WHERE d.workspace_id = touches.workspace_id"
        " AND d.id = touches.delivery_id) WHERE workspace_id = ? AND campaign_id = ? AND state = 'reserved'"
        " AND EXISTS (SELECT 1 FROM deliveries d WHERE d.workspace_id = touches.workspace_id"
        " AND d.id = touches.delivery_id AND d.state = 'scheduled')",
        [(workspace, number)],
    )


def _slice_by_slice(connection: Connection, campaign: Campaign, now: datetime) -> bool:
    """False where none fell due. Days between two slices stay between them, so nobody is asked sooner than planned."""
    rows = dialects.fetch(
        connection,
        f"SELECT due_at, min(kind) FROM deliveries{SCHEDULED} GROUP BY due_at ORDER BY due_at DESC",
        campaign.workspace,
        campaign.id,
    )
    first = min((due for due, kind in rows if kind == TouchKind.FIRST.value), default=None)
    if first is None or first > micros(now):
        return False
    zone = schedule.campaigns_zone(campaign)
    days = (moment(rows[0][0]) - moment(first)).days + 2
    were = [
        each.astimezone(zone).date()
        for each in schedule.slices(_over(campaign, days), moment(first).astimezone(zone), zone)
    ]
    become = schedule.slices(_over(campaign, (days + 1) * A_WEEK), now, zone)
    moved: list[tuple[int, int, int, int]] = []
    for due, _ in rows:  # the latest first, so that none meets one that was moved
        place = max(bisect_right(were, moment(due).astimezone(zone).date()) - 1, 0)
        later = schedule.in_window(campaign, max(become[place], moment(due)), zone)
        moved.append((micros(later), campaign.workspace, campaign.id, due))
    dialects.many(connection, f"UPDATE deliveries SET due_at = ?{SCHEDULED} AND due_at = ?", moved)
    return True


def _over(campaign: Campaign, days: int) -> Campaign:
    return msgspec.structs.replace(campaign, drip=timedelta(days=days))


def _one_by_one(connection: Connection, campaign: Campaign, now: datetime, room: timedelta) -> None:
    overdue = f"{SCHEDULED} AND due_at <= ?"
    which = (campaign.workspace, campaign.id, micros(now))
    ((n,),) = dialects.fetch(connection, f"SELECT count(*) FROM deliveries{overdue}", *which)
    if not n:
        return
    between = min(BETWEEN, room // n)
    if campaign.daily_cap is not None:
        _day_by_day(connection, campaign, campaign.daily_cap, now, between)
        return
    dialects.many(
        connection,
        "UPDATE deliveries SET due_at = ? + ? * placed.place FROM"
        f" (SELECT id, row_number() OVER (ORDER BY due_at, id) - 1 AS place FROM deliveries{overdue}) AS placed"
        " WHERE deliveries.workspace_id = ? AND deliveries.id = placed.id",
        [(micros(now), between // MICROSECOND, *which, campaign.workspace)],
    )


def _day_by_day(connection: Connection, campaign: Campaign, cap: int, now: datetime, between: timedelta) -> None:
    """No day gets more first mails than the cap, what went out on it and what is planned counted."""
    workspace, number = campaign.workspace, campaign.id
    rows = dialects.fetch(
        connection,
        f"SELECT id, kind, due_at FROM deliveries{SCHEDULED} AND due_at <= ? ORDER BY due_at, id",
        workspace,
        number,
        micros(now),
    )
    taken = Counter(touches.invited(connection, workspace, number, now).by_day)
    today = micros(day_of(now))
    taken[now.date()] -= sum(kind == TouchKind.FIRST.value and due >= today for _, kind, due in rows)
    days, zone = Room(cap, taken), schedule.campaigns_zone(campaign)
    opens = partial(schedule.in_window, campaign, zone=zone)
    place, moved = 0, []
    for name, kind, _ in rows:
        at = opens(now + place * between)
        if kind == TouchKind.FIRST.value and not days.take(at):
            at = days.after(at, opens, between=min(between, HOUR // cap))
        else:
            place += 1
        moved.append((micros(at), workspace, name))
    dialects.many(connection, "UPDATE deliveries SET due_at = ? WHERE workspace_id = ? AND id = ?", moved)
