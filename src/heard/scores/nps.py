"""Net Promoter Score: the share of promoters (9 and 10) less the share of detractors (0 to 6), in points.

Shown is the score as counted; its interval is of the adjusted Wald kind, whose standard error also serves for comparing
two groups. What an interval means is told in docs/explanation/intervals.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from statistics import NormalDist

from heard.scores.metric import AnswerClass, Counts, Estimate, Metric, counted

PROMOTERS_FROM = 9
PASSIVES_FROM = 7
PSEUDO_ANSWERS = 1  # added to each class


def score(promoters: int, passives: int, detractors: int) -> float:
    """In points from -100 to 100.

    Raises:
        ValueError: when a count is negative or all are zero: no score is not a score of zero.
    """
    return 100 * (promoters - detractors) / _answers(promoters, passives, detractors)


def interval(promoters: int, passives: int, detractors: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a Net Promoter Score, in points from -100 to 100: (low, high).

    Adjusted Wald: one pseudo-answer is added to each class, which keeps coverage near nominal from n = 10 on, where
    plain Wald falls to 84 % (benchmarks/coverage.py; the exception is ten answers from a population without a single
    passive: 89 %, as plain Wald). With p and d the shares of promoters and detractors
    after the addition, and n their count:

        s = p - d,   error = sqrt((p + d - s²) / n),   interval = s ± z · error, cut at ±1

    Example: 6 promoters, 2 passives and 2 detractors score 40. Then p = 7/13, d = 3/13, s = 0.308, error 0.228, and the
    interval reaches from -13.9 to 75.4 points.

    Raises:
        ValueError: when a count is negative or all are zero, or `confidence` does not lie between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    near = estimate(promoters, passives, detractors)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * near.error
    return max(-100.0, near.centre - reach), min(100.0, near.centre + reach)


def estimate(promoters: int, passives: int, detractors: int) -> Estimate:
    """Centre and standard error of the interval, in points."""
    n = _answers(promoters, passives, detractors) + 3 * PSEUDO_ANSWERS
    p, d = (promoters + PSEUDO_ANSWERS) / n, (detractors + PSEUDO_ANSWERS) / n
    return Estimate(centre=100 * (p - d), error=100 * sqrt((p + d - (p - d) ** 2) / n))


def category(value: float) -> str:
    """What one answer makes of the person who gave it.

    Raises:
        ValueError: when the value is none of 0 to 10.
    """
    if value not in METRIC.scale:
        raise ValueError(f"an NPS answer is a whole number from 0 to 10, not {value}")
    return "promoter" if value >= PROMOTERS_FROM else "passive" if value >= PASSIVES_FROM else "detractor"


def _answers(promoters: int, passives: int, detractors: int) -> int:
    if min(promoters, passives, detractors) < 0:
        raise ValueError("a count of answers cannot be negative")
    if not (answers := promoters + passives + detractors):
        raise ValueError("without an answer there is no score")
    return answers


class NPS(Metric):
    kind = "nps"
    title = "Net Promoter Score"
    short = "NPS"
    scale = tuple(range(11))
    classes = (
        AnswerClass("detractors", 0, PASSIVES_FROM - 1, "low"),
        AnswerClass("passives", PASSIVES_FROM, PROMOTERS_FROM - 1, "middle"),
        AnswerClass("promoters", PROMOTERS_FROM, 10, "high"),
    )
    bounds = (-100.0, 100.0)

    def counts(self, distribution: Mapping[float, int]) -> Counts:
        by_category = counted(distribution, category)
        return {f"{name}s": by_category.get(name, 0) for name in ("promoter", "passive", "detractor")}

    def score(self, distribution: Mapping[float, int]) -> float:
        return score(**self.counts(distribution))

    def interval(self, distribution: Mapping[float, int], *, confidence: float) -> tuple[float, float]:
        return interval(**self.counts(distribution), confidence=confidence)

    def estimate(self, distribution: Mapping[float, int]) -> Estimate:
        return estimate(**self.counts(distribution))

    def written(self, points: float) -> str:
        whole = round(points)
        return f"{whole:+d}".replace("-", "−") if whole else "0"

    def reckoning(self, distribution: Mapping[float, int]) -> str:
        counts = self.counts(distribution)
        n = sum(counts.values())
        promoters, detractors = counts["promoters"] / n, counts["detractors"] / n
        return f"{self.written(self.score(distribution))} = {promoters:.1%} promoters − {detractors:.1%} detractors"


METRIC = NPS()
