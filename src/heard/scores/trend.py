"""A score over time, in weeks, months or quarters of UTC. A week begins on Monday."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from heard.errors import Invalid
from heard.scores.metric import Metric
from heard.scores.score import CONFIDENCE, score

PERIODS = ("week", "month", "quarter")


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One period, by the day on which it begins ("2026-01-01"), answered or not."""

    period: str
    n: int
    score: float | None
    interval: tuple[float, float] | None


def trend(
    metric: Metric, every: str, periods: Mapping[date, Mapping[float, int]], *, confidence: float = CONFIDENCE
) -> list[Point]:
    """One point for every period from the first to the last of `periods` (its first day: the distribution in it).

    A period nobody answered in has n = 0 and no score; it is there, so that a gap is seen as one.
    """
    points: list[Point] = []
    for day in starts(min(periods), max(periods), every) if periods else ():
        found = score(metric, periods.get(day, {}), confidence=confidence)
        points.append(Point(period=day.isoformat(), n=found.n, score=found.score, interval=found.interval))
    return points


def start(moment: datetime, every: str) -> datetime:
    """When the period that `moment` lies in begins: midnight UTC of its first day.

    Raises:
        Invalid: when `every` is no period.
    """
    return datetime.combine(first_day(moment.astimezone(UTC).date(), every), time(), tzinfo=UTC)


def starts(first: date, last: date, every: str) -> Iterator[date]:
    """The first days of all periods from the one that holds `first` to the one that holds `last`."""
    day = first_day(first, every)
    while day <= last:
        yield day
        day = first_day(day + timedelta(days={"week": 7, "month": 31, "quarter": 93}[every]), every)


def first_day(day: date, every: str) -> date:
    match every:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case _:
            raise Invalid(f"every must be one of {', '.join(PERIODS)}, not {every!r}", field="every")
