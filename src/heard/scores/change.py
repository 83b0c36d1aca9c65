"""A score against the score of another period: by how much it changed, and whether that can be told from chance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

import msgspec

from heard.scores.breakdown import FEWEST_ANSWERS
from heard.scores.comparison import compare
from heard.scores.metric import Metric
from heard.scores.score import CONFIDENCE, Score, on_scale, rounded, score
from heard.scores.window import Window

SURPRISING_BELOW = 0.05  # the p value from which on we call a change likely
RAREST = 1000  # times; beyond it the normal approximation says nothing exact any more


class Verdict(StrEnum):
    NOISE = "Could be noise"
    REAL = "Likely a real change"
    TOO_FEW = "Too few answers to compare"


class Against(StrEnum):
    """What a period is compared with."""

    PREVIOUS = "previous"  # as many days, just before
    LAST_YEAR = "year"  # the same days, a year before
    NOTHING = "none"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """`value` points since `before`. Two periods with nothing changed would differ as much with probability `p`."""

    before: Score
    value: float
    interval: tuple[float, float]
    p: float
    verdict: Verdict


def change(
    metric: Metric, now: Mapping[float, int], then: Mapping[float, int], *, confidence: float = CONFIDENCE
) -> Change | None:
    """From the distribution `then` to the distribution `now`; None when one of them has no answer."""
    now, then = on_scale(metric, now), on_scale(metric, then)
    if not now or not then:
        return None
    found = compare(metric, now, then, confidence=confidence)
    fewest = min(sum(now.values()), sum(then.values()))
    likely = Verdict.REAL if found.p < SURPRISING_BELOW else Verdict.NOISE
    low, high = found.interval
    return Change(
        before=score(metric, then, confidence=confidence),
        value=rounded(found.value),
        interval=(rounded(low), rounded(high)),
        p=found.p,
        verdict=likely if fewest >= FEWEST_ANSWERS else Verdict.TOO_FEW,
    )


def how_often(p: float) -> str:
    """A probability as people say it: 0.25 is "about 1 time in 4", 0.8 "about 4 times in 5"."""
    if p * RAREST < 1:
        return f"less than 1 time in {RAREST:,}"
    if p > 0.95:
        return "nearly every time"
    if p > 0.6:
        of = round(1 / (1 - p))
        return f"about {of - 1} times in {of}"
    return f"about 1 time in {float(f'{1 / p:.2g}'):,.0f}"


def compared_window(counted: Window, against: Against) -> Window | None:
    """The period to compare with; None when there is none: nothing is asked for, or it has no beginning or no end."""
    begins, ends = counted.begins, counted.ends
    if begins is None or ends is None:
        return None
    match against:
        case Against.PREVIOUS:
            return Window(begins - (ends - begins), begins)
        case Against.LAST_YEAR:
            # 364 days: the same weekdays. Few people answer on Sundays, and a moved weekday would show as a change.
            return Window(begins - timedelta(days=364), ends - timedelta(days=364))
        case Against.NOTHING:
            return None
