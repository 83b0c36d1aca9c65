"""Two groups: is the difference between their scores more than chance?"""

from __future__ import annotations

from collections.abc import Mapping
from math import erfc, sqrt
from statistics import NormalDist

import msgspec

from heard.scores.metric import Metric
from heard.scores.score import CONFIDENCE


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`value` is the one score less the other; `p` how often chance alone would show as much, 0 to 1."""

    value: float
    interval: tuple[float, float]
    p: float


def compare(
    metric: Metric, group: Mapping[float, int], rest: Mapping[float, int], *, confidence: float = CONFIDENCE
) -> Comparison:
    """Compare a group to the rest, both as distributions on the metric's scale with at least one answer each.

    With c the centres and e the standard errors of the two (`Metric.estimate`; reference: z test of two independent
    estimates):

        error = sqrt(e1² + e2²),   interval = c1 - c2 ± z · error,   p = 2 · (1 - Φ(|c1 - c2| / error))
    """
    one, other = metric.estimate(group), metric.estimate(rest)
    centre, error = one.centre - other.centre, sqrt(one.error**2 + other.error**2)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    widest = metric.widest_difference
    return Comparison(
        value=metric.score(group) - metric.score(rest),
        interval=(max(-widest, centre - reach), min(widest, centre + reach)),
        p=erfc(abs(centre) / error / sqrt(2)) if error else 1.0,
    )
