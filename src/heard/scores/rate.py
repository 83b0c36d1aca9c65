"""A share of those who were asked, with its interval."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import msgspec

from heard.scores.score import CONFIDENCE


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """`n` of `of`, as a share from 0 to 1 with its interval; both None when nobody was asked."""

    n: int
    of: int
    share: float | None
    interval: tuple[float, float] | None


def rate(n: int, of: int, *, confidence: float = CONFIDENCE) -> Rate:
    """Wilson's interval, which keeps its promise for small numbers and for shares near 0 and 1.

    Example: 2 of 10 is a share of 0.2, between 0.057 and 0.510.

    Raises:
        ValueError: when `n` is not within 0 and `of`.
    """
    if not 0 <= n <= of:
        raise ValueError(f"{n} of {of} is no share")
    if not of:
        return Rate(n=0, of=0, share=None, interval=None)
    z, p = NormalDist().inv_cdf((1 + confidence) / 2), n / of
    centre = (p + z * z / (2 * of)) / (1 + z * z / of)
    reach = z / (1 + z * z / of) * sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return Rate(n=n, of=of, share=p, interval=(max(0.0, min(p, centre - reach)), min(1.0, max(p, centre + reach))))
