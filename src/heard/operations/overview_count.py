"""What the analytics say about one question: everything that is counted over answers."""

from __future__ import annotations

from datetime import date

import msgspec

from heard.fql.tree import Expression
from heard.scores.change import Against, compared_window
from heard.scores.window import Window
from heard.store.analytics import Analytics
from heard.store.analytics_question import by_group, by_metric, by_period, of_everybody

AS_OF = 20.0  # seconds: how old today's traits may be on a page


class Narrowed(msgspec.Struct, frozen=True, kw_only=True):
    """Which answers, read and ready. `metric` None: that of most answers."""

    workspace: int
    window: Window
    against: Against
    metric: str | None
    survey: str | None
    where: Expression | None
    by: Expression | None
    every: str
    newest: int


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    metric: str
    metrics: dict[str, dict[float, int]]  # the distribution of every metric, whatever the survey
    periods: dict[date | None, dict[float, int]]
    before: dict[float, int]
    groups: dict[str, dict[float, int]]
    values: int  # of `by`, shown or not
    answered: int  # by everybody, whatever `where` says
    commented: int  # of those, with words
    newest: list[int]  # ids of responses


def counted(analytics: Analytics, asked: Narrowed, known: tuple[str, ...]) -> Counted:
    """Count. `known` are the metrics that have a score, the one to show first when nobody answered.

    Raises:
        Invalid: with the `field` that cannot be used: where, by.
    """
    # `by` is named here too: what is looked up of today's traits then serves every question below.
    with analytics.asking(asked.workspace, asked.window, where=asked.where, by=asked.by, as_of=AS_OF) as (question, _):
        metrics = {kind: found for kind, found in by_metric(question).items() if kind in known}
    metric = asked.metric or max(metrics, key=lambda kind: sum(metrics[kind].values()), default=known[0])
    with analytics.asking(
        asked.workspace,
        asked.window,
        metric=metric,
        survey=asked.survey,
        where=asked.where,
        by=asked.by,
        as_of=AS_OF,
    ) as (question, group):
        periods = by_period(question, asked.every)
        groups, values = by_group(question, group) if group else ({}, 0)
    with analytics.asking(asked.workspace, asked.window, metric=metric, survey=asked.survey) as (question, _):
        answered, with_words = of_everybody(question)
    before: dict[float, int] = {}
    if earlier := compared_window(asked.window, asked.against):
        with analytics.asking(
            asked.workspace, earlier, metric=metric, survey=asked.survey, where=asked.where, as_of=AS_OF
        ) as (question, _):
            before = by_period(question, None).get(None, {})
    page = analytics.matching(
        asked.workspace,
        survey=asked.survey,
        metric=metric,
        from_=asked.window.begins,
        to=asked.window.ends,
        where=asked.where,
        verdicts=["human"],
        limit=asked.newest,
        as_of=AS_OF,
    )
    return Counted(
        metric=metric,
        metrics=metrics,
        periods=periods,
        before=before,
        groups=groups,
        values=values,
        answered=answered,
        commented=with_words,
        newest=page.ids,
    )
