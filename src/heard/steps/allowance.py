"""How much the surveys destination may still take today. What is over it waits its turn (`heard.steps.intake`)."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from heard.store import waiting
from heard.store.days import day_of
from heard.store.directory import Directory, Intake

UNLIMITED = 1 << 40


class Allowance(msgspec.Struct, kw_only=True):
    """How many messages may still be taken today, and when the next day's begin. `used` is counted without a limit too:
    one that is set at noon is for the whole day."""

    left: int
    until: datetime
    used: int = 0

    def take(self) -> bool:
        if self.left <= 0:
            return False
        self.left -= 1
        self.used += 1
        return True


def allowance(connection: Connection, workspace: int, intake: Intake | None, now: datetime) -> Allowance | None:
    """None where nothing is taken; nothing left while others wait, for it is their turn first."""
    if intake is None:
        return None
    others_wait = waiting.anything(connection, workspace)
    return Allowance(left=0 if others_wait else left(connection, workspace, intake, now), until=next_day(now))


def next_day(now: datetime) -> datetime:
    """Midnight in UTC."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def next_moment(connection: Connection, directory: Directory, now: datetime) -> datetime | None:
    """When waiting messages can be taken: now, or when the next day begins; None when none wait."""
    moments = []
    for workspace in waiting.workspaces(connection):
        is_room = left(connection, workspace, directory.intakes[workspace], now) > 0
        moments.append(now if is_room else next_day(now))
    return min(moments, default=None)


def left(connection: Connection, workspace: int, intake: Intake, now: datetime) -> int:
    """How many more messages of the UTC day that `now` is in are taken."""
    if intake.daily_limit is None:
        return UNLIMITED
    return max(0, intake.daily_limit - waiting.taken(connection, workspace, day_of(now)))
