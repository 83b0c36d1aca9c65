"""How many mails may go out now, and when the next one may.

Hours and days are those of the clock, in UTC: what went out is then a number a day and an hour, not a list of moments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

import msgspec

from heard.accounts.mail_settings import Rates
from heard.contacts import address as addresses

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)

RAMP: tuple[int, ...] = (50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400)
"""Mails of each day of a warm-up; after the last one it limits nothing any more.

Mail providers know nothing of a new sender, and a sudden thousand looks like a stolen account. So it begins with what a
small business sends anyway, and doubles: about what the large providers advise, and whoever sends 10,000 a day is
there after nine days. A day on which less went out counts as well.
"""


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """What went out so far, and what waits: `waiting` by the hour that it was put off to."""

    hour: int = 0
    day: int = 0
    to: Mapping[str, int] = {}  # this hour, by `recipients_of`
    waiting: Mapping[datetime, int] = {}


class Pace:
    """What one workspace may still hand over at a moment. `taken`, `taken_to` and `put_off` are what it was asked."""

    def __init__(self, rates: Rates, so_far: HandedOver, now: datetime) -> None:
        self.rates, self.now = rates, now
        self._so_far, self._of_day = so_far, of_day(rates, now.date())
        self.taken = 0
        self.taken_to: Counter[str] = Counter()
        self.put_off: Counter[datetime] = Counter()  # by the hour it waits for

    def turn_of(self, address: str) -> datetime | None:
        """None: it may go out, and counts. Otherwise when it may be asked for again, behind all that waited before."""
        opens = self._opens(to := recipients_of(address))
        if opens is None:
            self.taken += 1
            if self.rates.domain is not None:
                self.taken_to[to] += 1
            return None
        self.put_off[opens] += 1
        return opens + MICROSECOND * (self._so_far.waiting.get(opens, 0) + self.put_off[opens])

    def _opens(self, to: str) -> datetime | None:
        """The beginning of the first hour, or day, with room; None = there is room now."""
        if self._of_day is not None and self._so_far.day + self.taken >= self._of_day:
            return day_of(self.now) + DAY
        hourly, domain = self.rates.hour, self.rates.domain
        is_full = hourly is not None and self._so_far.hour + self.taken >= hourly
        if is_full or (domain is not None and self._so_far.to.get(to, 0) + self.taken_to[to] >= domain):
            return hour_of(self.now) + HOUR
        return None


def of_day(rates: Rates, day: date) -> int | None:
    """The most mails of a day: its rate, or less while it warms up; None = no limit."""
    return min((n for n in (rates.day, of_warm_up(rates, day)) if n is not None), default=None)


def of_warm_up(rates: Rates, day: date) -> int | None:
    """What the warm-up lets out on a day; None = it has not begun, is over, or there is none."""
    number = warm_up_day(rates, day)
    return RAMP[number - 1] if number is not None else None


def warm_up_day(rates: Rates, day: date) -> int | None:
    """1 on its first day; None where it limits nothing, as when the daily rate is reached."""
    if rates.warm_up is None:
        return None
    past = (day - rates.warm_up).days
    if not 0 <= past < len(RAMP) or (rates.day is not None and RAMP[past] >= rates.day):
        return None
    return past + 1


def hour_of(moment: datetime) -> datetime:
    """Its beginning."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> datetime:
    """Its beginning, in UTC."""
    return datetime.combine(moment.astimezone(UTC).date(), time(), tzinfo=UTC)


def recipients_of(address: str) -> str:
    """Stands for the domain of an address: 16 hex digits. The name itself may be that of a person who is forgotten."""
    return sha256(addresses.key(address).rpartition("@")[2].encode()).hexdigest()[:16]
