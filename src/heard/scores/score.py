"""A score: never a bare number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from heard.scores.metric import Counts, Metric

CONFIDENCE = 0.95
DECIMALS = 6  # enough to be exact to the eye, few enough to be read; pages and the terminal show whole points


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A number, the `n` answers it rests on, and its interval; without an answer both are None, not zero.

    `distribution` has a key for every value of the scale, {"0": 0, ..., "10": 4}.
    """

    n: int
    score: float | None
    interval: tuple[float, float] | None
    counts: Counts
    distribution: dict[str, int]


def score(metric: Metric, distribution: Mapping[float, int], *, confidence: float = CONFIDENCE) -> Score:
    """The score of a distribution (value: how many gave it). Values off the metric's scale are no answers to it."""
    answers = on_scale(metric, distribution)
    n = sum(answers.values())
    low, high = metric.interval(answers, confidence=confidence) if n else (0.0, 0.0)
    return Score(
        n=n,
        score=rounded(metric.score(answers)) if n else None,
        interval=(rounded(low), rounded(high)) if n else None,
        counts=metric.counts(answers),
        distribution={str(value): answers.get(value, 0) for value in metric.scale},
    )


def on_scale(metric: Metric, distribution: Mapping[float, int]) -> dict[float, int]:
    """The part of a distribution that answers the metric's question."""
    return {value: n for value, n in distribution.items() if n and value in metric.scale}


def together(distributions: Iterable[Mapping[float, int]]) -> dict[float, int]:
    """Several distributions as one."""
    whole: dict[float, int] = {}
    for distribution in distributions:
        for value, n in distribution.items():
            whole[value] = whole.get(value, 0) + n
    return whole


def rounded(points: float) -> float:
    return round(points, DECIMALS) + 0.0  # + 0.0: no score is shown as -0.0
