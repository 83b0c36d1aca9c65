"""When in the week a survey may arrive. A window moves the moment; it never says no."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

import msgspec


class Day(IntEnum):
    MON, TUE, WED, THU, FRI, SAT, SUN = range(7)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    days: tuple[Day, ...] = tuple(Day)
    start: time = time(0)
    end: time = time(23, 59, 59)
    zone: str = "contact"  # "contact" = the recipient's own zone when known, else UTC; or a name like Europe/Berlin


def first_moment(window: Window, after: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at or after `after` that lies inside the window, as the clock on the recipient's wall reads.

    Days with a daylight-saving change are judged by the wall clock: 09:00 is 09:00 on both sides of it.
    """
    here = after.astimezone(zone)
    for ahead in range(9):
        day = here.date() + timedelta(days=ahead)
        if Day(day.weekday()) not in window.days:
            continue
        opens = datetime.combine(day, window.start, tzinfo=zone)
        closes = datetime.combine(day, window.end, tzinfo=zone)
        if after < closes:
            return max(after, opens.astimezone(after.tzinfo))
    raise ValueError("a window without days never opens")
