"""How many first mails of one campaign may still go out on a UTC day, and on which day the others may.

A cap is asked for when an invitation is decided, and again when it is handed over: a pause, a closed window or a sender
that was away can bring the invitations of many days to one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from heard.deliveries.pacing import DAY, MICROSECOND, day_of

Opens = Callable[[datetime], datetime]
"""Moves a moment into the send window."""


class Room:
    """The days of a campaign and how many of its first asks each has, counted as they are placed."""

    def __init__(self, most: int, on: Mapping[date, int]) -> None:
        self.most = most
        self.on = Counter(on)

    def take(self, moment: datetime) -> bool:
        """One more on its day, where that is not full."""
        day = day_of(moment).date()
        if self.on[day] >= self.most:
            return False
        self.on[day] += 1
        return True

    def after(self, moment: datetime, opens: Opens, *, between: timedelta = MICROSECOND) -> datetime:
        """On the first later day that has room, in the window, `between` behind whatever was placed there before."""
        day = day_of(moment)
        while True:
            opening = opens(day + DAY)
            day = day_of(opening)
            if self.take(opening):
                return opening + between * self.on[day.date()]


class Cap:
    """What one campaign may still hand over now: `sent` did go out today, or is under way; `planned` is by UTC day."""

    def __init__(self, most: int, sent: int, planned: Mapping[date, int], now: datetime) -> None:
        self._most, self._sent, self._now = most, sent, now
        self._room = Room(most, planned)

    def turn_of(self, opens: Opens) -> datetime | None:
        """None: it may go out, and counts once it is taken. Otherwise when it may be asked for again."""
        return None if self._sent < self._most else self._room.after(self._now, opens)

    def take(self) -> None:
        self._sent += 1
