"""Waves: each time that a campaign asks everybody on its list, or in its audience."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from heard.deliveries.delivery import State
from heard.store import dialects
from heard.store.tables import REMINDERS, waves
from heard.store.types import micros

_STAND = ", ".join(f"'{state}'" for state in State if state not in (State.CANCELLED, State.FAILED))
_QUARTER = 900_000_000  # of an hour, in microseconds


class Wave(msgspec.Struct, frozen=True, kw_only=True):
    """`position`: the last contact that was decided about; `people` were, and `invited` of them."""

    workspace: int
    campaign: int
    number: int
    everyone: bool  # also whoever the campaign has asked before
    asked_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    position: int = 0
    people: int = 0
    invited: int = 0


def begin(connection: Connection, workspace: int, campaign: int, *, everyone: bool, now: datetime) -> bool:
    """One more wave, unless the last one has not come to its end yet; gives whether it was begun."""
    last = latest(connection, workspace, campaign)
    if last is not None and last.finished_at is None:
        return False
    row = {
        "workspace_id": workspace,
        "campaign_id": campaign,
        "number": last.number + 1 if last else 1,
        "everyone": int(everyone),
        "asked_at": now,
        "position": 0,
        "people": 0,
        "invited": 0,
    }
    connection.execute(insert(waves), [row])
    return True


def latest(connection: Connection, workspace: int, campaign: int) -> Wave | None:
    query = select(waves).where(waves.c.workspace_id == workspace, waves.c.campaign_id == campaign)
    row = connection.execute(query.order_by(waves.c.number.desc()).limit(1)).first()
    return _wave(row) if row else None


def under_way(connection: Connection) -> list[Wave]:
    """Those that have not come to their end, over all workspaces, the ones begun first in front."""
    query = select(waves).where(waves.c.finished_at.is_(None)).order_by(waves.c.started_at.is_(None), waves.c.asked_at)
    return [_wave(row) for row in connection.execute(query)]


def numbers(connection: Connection, workspace: int) -> dict[int, int]:
    """How many waves each campaign had."""
    query = select(waves.c.campaign_id, func.max(waves.c.number)).where(waves.c.workspace_id == workspace)
    return {row[0]: row[1] for row in connection.execute(query.group_by(waves.c.campaign_id))}


def given(connection: Connection, wave: Wave, days: Sequence[datetime]) -> dict[datetime, int]:
    """How many of a wave are due when, from the first of its days on, by quarters of an hour from that.

    A day begins at the same hour of some clock as the others; clocks are put forward and back by quarters at the least.
    """
    if wave.started_at is None or len(days) == 1:
        return {}
    begun = micros(days[0])
    there = (begun, wave.workspace, wave.campaign, begun)
    if wave.number == 1:  # nothing was asked before it, so two indexes know it without a look at the rows
        of_them = _by_quarter(connection, "deliveries_by_campaign", "", *there)
        of_them.subtract(_by_quarter(connection, "deliveries_reminders", f" AND {REMINDERS}", *there))
    else:
        own = " AND kind = 'first' AND event_at >= ?"
        of_them = _by_quarter(connection, "deliveries_by_campaign", own, *there, micros(wave.started_at))
    return {days[0] + quarter * timedelta(minutes=15): count for quarter, count in of_them.items() if count}


def _by_quarter(connection: Connection, index: str, those: str, *values: int) -> Counter[int]:
    rows = dialects.fetch(
        connection,
        f"SELECT (due_at - ?) / {_QUARTER}, count(*) FROM {dialects.by(index, 'deliveries', connection)}"
        f" WHERE workspace_id = ? AND campaign_id = ? AND state IN ({_STAND}) AND due_at >= ?{those} GROUP BY 1",
        *values,
    )
    return Counter(dict(rows))


def keep(connection: Connection, wave: Wave) -> None:
    there = (
        waves.c.workspace_id == wave.workspace,
        waves.c.campaign_id == wave.campaign,
        waves.c.number == wave.number,
    )
    names = ("started_at", "finished_at", "position", "people", "invited")
    connection.execute(update(waves).where(*there).values(**{name: getattr(wave, name) for name in names}))


def _wave(row: Any) -> Wave:
    return Wave(
        workspace=row.workspace_id,
        campaign=row.campaign_id,
        number=row.number,
        everyone=bool(row.everyone),
        asked_at=row.asked_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        position=row.position,
        people=row.people,
        invited=row.invited,
    )
