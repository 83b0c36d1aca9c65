"""A score by the values of one trait, and which of the groups really differ.

Looking at twenty groups finds one that differs at p < 0.05 by chance alone. So every group shown is compared to all
other answers, and the p values are adjusted after Benjamini and Hochberg: q is the share of false findings to expect
among the groups called different when this one is the last of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from heard.scores.comparison import Comparison, compare
from heard.scores.metric import Metric
from heard.scores.score import CONFIDENCE, on_scale, rounded, score, together

Q_BELOW = 0.05
FEWEST_ANSWERS = 10  # on both sides: below it intervals are no longer what they promise


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A group's score less that of all other answers, with its interval.

    `distinguishable` when q < 0.05 and both the group and the rest have at least 10 answers.
    """

    value: float
    interval: tuple[float, float]
    q: float
    distinguishable: bool


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The score of those who share a value of a trait; None for those without. No `difference` without a rest."""

    value: Any
    n: int
    score: float | None
    interval: tuple[float, float] | None
    difference: Difference | None


def breakdown(
    metric: Metric,
    groups: Mapping[str, Mapping[float, int]],
    *,
    whole: Mapping[float, int] | None = None,
    confidence: float = CONFIDENCE,
) -> list[Group]:
    """Every group with its score and its difference to the rest, the largest first.

    `groups` maps a value, as JSON text ('"Premium"', '5', 'true', 'null'), to its distribution; groups without an
    answer are left out. `whole` is the distribution of all answers, when `groups` are not all of them.
    """
    answers = {value: found for value, one in groups.items() if (found := on_scale(metric, one))}
    everyone = on_scale(metric, whole) if whole is not None else together(answers.values())
    rests = {value: _less(everyone, one) for value, one in answers.items()}
    comparisons = {
        value: compare(metric, one, rests[value], confidence=confidence)
        for value, one in answers.items()
        if rests[value]
    }
    qs = dict(zip(comparisons, adjusted([one.p for one in comparisons.values()]), strict=True))

    def group(value: str, one: Mapping[float, int]) -> Group:
        found = score(metric, one, confidence=confidence)
        fewest = min(found.n, sum(rests[value].values()))
        difference = _difference(comparisons[value], qs[value], fewest) if value in comparisons else None
        return Group(
            value=msgspec.json.decode(value),
            n=found.n,
            score=found.score,
            interval=found.interval,
            difference=difference,
        )

    return sorted((group(value, one) for value, one in answers.items()), key=lambda one: -one.n)


def adjusted(ps: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q for each p, in the order given: the least of p · m / rank over it and all larger p.

    Example: 0.01, 0.04, 0.03 give 0.03, 0.04, 0.04.
    """
    by_size = sorted(range(len(ps)), key=lambda index: ps[index], reverse=True)
    qs, least = [1.0] * len(ps), 1.0
    for rank, index in zip(range(len(ps), 0, -1), by_size, strict=True):
        qs[index] = least = min(least, ps[index] * (len(ps) / rank))
    return qs


def _difference(comparison: Comparison, q: float, fewest: int) -> Difference:
    low, high = comparison.interval
    return Difference(
        value=rounded(comparison.value),
        interval=(rounded(low), rounded(high)),
        q=rounded(q),
        distinguishable=q < Q_BELOW and fewest >= FEWEST_ANSWERS,
    )


def _less(whole: Mapping[float, int], one: Mapping[float, int]) -> dict[float, int]:
    return {value: left for value, n in whole.items() if (left := n - one.get(value, 0)) > 0}
