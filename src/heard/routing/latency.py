"""How long messages take, counted in classes, so that a percentile needs no list of all of them.

Classes grow by 2^(1/4): what is read off them is at most 19 % above the truth, and never below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log2

STEPS = 4  # classes per doubling


def latency_class(seconds: float) -> int:
    """The class of a latency: 0 up to 1 ms, then `STEPS` for each doubling."""
    milliseconds = seconds * 1000
    return 0 if milliseconds <= 1 else ceil(STEPS * log2(milliseconds))


def upper_end(number: int) -> float:
    """Where a class ends, in seconds."""
    return 2 ** (number / STEPS) / 1000


def percentile(counts: Mapping[int, int], share: float = 0.95) -> float | None:
    """The latency in seconds that `share` of all stayed within; None when nothing was counted.

    >>> percentile({0: 95, 40: 5})
    0.001
    """
    total, so_far = sum(counts.values()), 0
    for number in sorted(counts):
        so_far += counts[number]
        if so_far >= share * total:
            return upper_end(number)
    return None
