"""Where values lie on a scale, and which of them are worth a line."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, log10

import msgspec


class Axis(msgspec.Struct, frozen=True):
    """A scale from `low` to `high`, with the values that get a line."""

    low: float
    high: float
    ticks: tuple[float, ...] = ()

    def share(self, value: float) -> float:
        """How far along the scale a value lies: 0 at `low`, 1 at `high`; what lies beyond is on the edge."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def between(low: float, high: float, *, parts: int = 4) -> Axis:
    """The scale as it is, in equal parts: -100, -50, 0, 50, 100."""
    return Axis(low, high, tuple(low + (high - low) * part / parts for part in range(parts + 1)))


def around(values: Iterable[float], bounds: tuple[float, float], *, most: int = 7) -> Axis:
    """A scale that holds all values and ends on round numbers, within `bounds`; of no values, all of `bounds`."""
    found = list(values) or list(bounds)
    least, largest = bounds
    low, high = max(least, min(found)), min(largest, max(found))
    if high - low < (largest - least) / 10:  # all on one spot: some room around it
        low, high = max(least, low - (largest - least) / 20), min(largest, high + (largest - least) / 20)
    step = _step((high - low) / (most - 1))
    while (first := floor(low / step)) + most - 1 < (last := ceil(high / step)):
        step = _step(step * 1.01)
    ticks = tuple(min(largest, max(least, step * number)) for number in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def thinned(count: int, *, most: int) -> range:
    """Which of `count` things in a row get a label, the first always, at most about `most`."""
    return range(0, count, max(1, ceil((count - 1) / max(1, most - 1)))) if count else range(0)


def _step(least: float) -> float:
    """The next round step: 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(least))
    return next(nice * power for nice in (1, 2, 2.5, 5, 10) if nice * power >= least * (1 - 1e-9))
