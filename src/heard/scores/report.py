"""A score as it is given out: by `heard score`, the API and the dashboard alike."""

from __future__ import annotations

from datetime import datetime

import msgspec

from heard.scores.breakdown import Group
from heard.scores.metric import Counts
from heard.scores.score import CONFIDENCE, Score
from heard.scores.trend import Point
from heard.scores.window import Window, rfc3339, shown


class ScoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """The score of a survey with all that was asked for; its JSON is the answer of `GET /api/scores`.

    Points are rounded to six decimals. `groups` and `trend` are empty when not asked for.
    """

    survey: str
    metric: str
    from_: str | None = msgspec.field(name="from")
    to: str | None
    where: str | None
    n: int
    score: float | None
    interval: tuple[float, float] | None
    confidence: float = CONFIDENCE
    counts: Counts
    distribution: dict[str, int]
    groups: list[Group]
    trend: list[Point]
    window_note: str


def report(
    found: Score,
    *,
    survey: str,
    metric: str,
    window: Window,
    where: str | None,
    groups: list[Group],
    trend: list[Point],
    now: datetime,
    values: int,
    by: str | None,
) -> ScoreReport:
    """Put a report together. `values` is how many values of `by` there are, shown or not."""
    return ScoreReport(
        survey=survey,
        metric=metric,
        from_=rfc3339(window.begins) if window.begins else None,
        to=rfc3339(window.ends) if window.ends else None,
        where=where,
        n=found.n,
        score=found.score,
        interval=found.interval,
        counts=found.counts,
        distribution=found.distribution,
        groups=groups,
        trend=trend,
        window_note=window_note(window, now=now, by=by, values=values, shown_values=len(groups)),
    )


def window_note(window: Window, *, now: datetime, by: str | None, values: int, shown_values: int) -> str:
    """Which answers were counted, in plain words."""
    note = (
        f"{window.told()}, as of {shown(now)}, by the moment the answer was first given. Every confirmed answer counts,"
        " also several by one person; test, machine and unconfirmed answers do not."
    )
    if values > shown_values:
        note += f" Of {values:,} values of {by} the {shown_values} with most answers are shown."
    return note
