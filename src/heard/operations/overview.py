"""The score of a workspace with all that stands around it: what the overview shows and its exports hold."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial

import msgspec
from sqlalchemy import Connection, select

from heard.campaigns.campaign import Channel
from heard.contacts.contact import Contact
from heard.errors import Invalid
from heard.fql import Field, parse
from heard.fql.errors import Invalid as Unreadable
from heard.fql.tree import Expression, Path
from heard.fql.write import renamed, text_of
from heard.installation import Installation
from heard.operations.overview_count import Counted, Narrowed, counted
from heard.operations.overview_rates import Rates, Remembered, rates
from heard.responses.response import Response
from heard.scores.breakdown import Group, breakdown
from heard.scores.change import Against, Change, change, compared_window
from heard.scores.metric import Metric, metrics
from heard.scores.metric import metric as metric_of
from heard.scores.score import Score, score, together
from heard.scores.trend import PERIODS, Point, first_day, trend
from heard.scores.window import Window
from heard.store import contacts, funnel, responses, tables
from heard.store.analytics_filters import PLAIN
from heard.store.analytics_question import Known
from heard.store.asked import everybody
from heard.store.days import day_of
from heard.store.directory import Directory
from heard.store.funnel import Funnel
from heard.store.types import between
from heard.surveys.survey import Survey

NEWEST = 5
A_FEW = range(2, 13)  # values of a trait that a page is broken down by without being asked
MOMENT = timedelta(microseconds=1)
WEEKS, MONTHS = timedelta(days=125), timedelta(days=740)
KINDS = ("nps", *(kind for kind in metrics() if kind != "nps"))  # the order of the tabs


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to see. `window` counts whole days of UTC; None on a side is without limit.

    `metric` None: that of most answers. `survey` None: all of that metric. `every` None: what suits the window.
    `by` None: a trait that parts people into a few groups; "" none. `as_of_now`: traits in `where` and `by` are today's
    instead of those frozen with the answer.
    """

    window: Window
    metric: str | None = None
    survey: str | None = None
    against: Against = Against.PREVIOUS
    every: str | None = None
    where: str | None = None
    by: str | None = None
    as_of_now: bool = False


class Newest(msgspec.Struct, frozen=True, kw_only=True):
    """One of the last answers, with who gave it (None once they are forgotten)."""

    response: Response
    contact: Contact | None
    campaign: str


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the page."""

    question: Question
    metric: Metric
    tabs: dict[str, Score]  # by kind: the metric shown, and the others that have answers in the window
    surveys: list[Survey]  # of this metric
    score: Score
    distribution: dict[float, int]
    compared: Window | None
    change: Change | None
    every: str
    trend: list[Point]
    wordings: dict[datetime, str]  # from when on a survey asked in another way
    by: str | None
    groups: list[Group]
    values: int  # of `by`, shown or not
    rates: Rates | None
    answered: int  # by everybody, whatever `where` says
    commented: int  # of those, with words
    fields: list[Known]
    newest: list[Newest]
    campaigns: list[int]
    funnel: Funnel
    by_link: int  # of the answers, those that no mail of ours led to
    ever_answered: bool

    @property
    def by_mail(self) -> int:
        """How many of the answers came of what was sent."""
        return max(0, self.answered - self.by_link)

    @property
    def asked_narrowly(self) -> bool:
        """Somebody's answers may be left out."""
        return bool(self.question.where)


async def overview(
    app: Installation, question: Question, *, workspace_id: int, remembered: Remembered, newest: int = NEWEST
) -> Overview:
    """The page for a question.

    Raises:
        Invalid: with the `field` that cannot be used: metric, survey, every, where, by.
    """
    analytics, now = await app.answers(), app.clock.now()

    def look() -> Overview:
        fields = remembered.fields(analytics, workspace_id)
        by = _likely(fields) if question.by is None else question.by or None
        grouped = _field(by) if by else None
        narrowed = Narrowed(
            workspace=workspace_id,
            window=question.window,
            against=question.against,
            metric=_metric(question.metric),
            survey=question.survey,
            where=_as_of(_read(question.where, "where"), question) if question.where else None,
            by=_as_of(grouped, question) if grouped else None,
            every=_every(question, now),
            newest=newest,
        )
        found = counted(analytics, narrowed, KINDS)
        surveys = _surveys(app.directory, workspace_id, found.metric)
        chosen = {each.id for each in surveys if question.survey in (None, each.name)}
        if question.survey is not None and not chosen:
            raise Invalid(f"There is no survey {question.survey} here.", field="survey")
        asking = [each.id for each in app.directory.campaigns_of(workspace_id) if each.survey in chosen]
        steps = app.store.read_now(partial(_steps, narrowed=narrowed, campaigns=asking))
        linked = [each for each in asking if app.directory.campaigns[each].channel is Channel.LINK]
        return Overview(
            question=question,
            metric=(measured := metric_of(found.metric)),
            tabs={kind: score(metrics()[kind], found.metrics.get(kind, {})) for kind in _tabs(found)},
            surveys=surveys,
            score=score(measured, whole := together(found.periods.values())),
            distribution=whole,
            compared=(earlier := compared_window(question.window, question.against)),
            change=change(measured, whole, found.before) if earlier else None,
            every=narrowed.every,
            trend=trend(measured, narrowed.every, _all_periods(found.periods, narrowed, now)),
            wordings=app.store.read_now(partial(_wordings, narrowed=narrowed, surveys=chosen)),
            by=text_of(grouped) if grouped else None,
            groups=breakdown(measured, found.groups, whole=whole),
            values=found.values,
            rates=_rates(app, narrowed, asking, steps.sent, remembered) if narrowed.by is not None else None,
            answered=found.answered,
            commented=found.commented,
            fields=fields,
            newest=app.store.read_now(partial(_newest, workspace=workspace_id, ids=found.newest, app=app)),
            campaigns=asking,
            funnel=steps,
            by_link=app.store.read_now(partial(_steps, narrowed=narrowed, campaigns=linked)).invited if linked else 0,
            ever_answered=bool(fields or found.metrics)
            or app.store.read_now(partial(_anybody, workspace=workspace_id)),
        )

    return await asyncio.to_thread(look)


def _read(text: str, name: str) -> Expression:
    try:
        return parse(text)
    except Unreadable as error:
        error.field = name
        raise


def _field(text: str) -> Expression:
    """What to group by; a bare name is a trait."""
    tree = _read(text, "by")
    if isinstance(tree, Field) and len(tree.path) == 1 and tree.path[0] not in PLAIN:
        return Field(("traits", *tree.path))
    return tree


def _as_of(tree: Expression, question: Question) -> Expression:
    """As of now, traits are today's."""
    return renamed(tree, _today) if question.as_of_now else tree


def _today(path: Path) -> Path:
    return ("now", *path) if path[0] == "traits" else path


def _metric(kind: str | None) -> str | None:
    if kind is not None and kind not in KINDS:
        raise Invalid(f"There is no score for {kind}; there is one for {', '.join(KINDS)}.", field="metric")
    return kind


def _likely(fields: Sequence[Known]) -> str | None:
    """A trait to begin with: the plan, else the first that parts most people into a few groups."""
    most = max((each.answers for each in fields), default=0)
    traits = [each for each in fields if each.name.startswith("traits.") and each.values in A_FEW]
    usual = [each.name for each in traits if 2 * each.answers >= most]
    return "traits.plan" if "traits.plan" in usual else usual[0] if usual else None


def _every(question: Question, now: datetime) -> str:
    """Weeks for about four months, months for two years, quarters beyond; or as asked."""
    if question.every is not None:
        if question.every not in PERIODS:
            raise Invalid(f"Choose one of {', '.join(PERIODS)}.", field="every")
        return question.every
    window = question.window
    if window.begins is None:
        return "month"
    length = (window.ends or now) - window.begins
    return "week" if length <= WEEKS else "month" if length <= MONTHS else "quarter"


def _surveys(directory: Directory, workspace: int, kind: str) -> list[Survey]:
    return [each for each in directory.surveys.values() if (each.workspace, each.kind) == (workspace, kind)]


def _tabs(found: Counted) -> list[str]:
    return [kind for kind in KINDS if kind in found.metrics or kind == found.metric]


def _all_periods(
    periods: Mapping[date | None, Mapping[float, int]], narrowed: Narrowed, now: datetime
) -> dict[date, Mapping[float, int]]:
    """Those of the window that nobody answered in too, as far as it has begun."""
    known = {day: found for day, found in periods.items() if day is not None}
    window = narrowed.window
    if window.begins is not None:
        known.setdefault(first_day(window.begins.date(), narrowed.every), {})
    if known:
        last = min(window.ends - MOMENT, now) if window.ends else now
        known.setdefault(max(first_day(last.date(), narrowed.every), min(known)), {})
    return known


def _steps(connection: Connection, *, narrowed: Narrowed, campaigns: Collection[int]) -> Funnel:
    window = narrowed.window
    first = day_of(window.begins) if window.begins else None
    last = day_of(window.ends - MOMENT) if window.ends else None
    return funnel.read(connection, narrowed.workspace, campaigns, first, last)


def _rates(
    app: Installation, narrowed: Narrowed, campaigns: Sequence[int], sent: int, remembered: Remembered
) -> Rates | None:
    assert narrowed.by is not None
    window = narrowed.window
    begins, ends = between(window.begins, window.ends)
    read = partial(
        everybody,
        workspace=narrowed.workspace,
        campaigns=campaigns,
        begins=begins,
        ends=ends,
        sent=sent,
    )
    key = (narrowed.workspace, tuple(campaigns), window)
    return rates(
        remembered.get(("asked", key), lambda: app.store.read_now(read)),
        app.directory,
        where=narrowed.where,
        by=narrowed.by,
    )


def _wordings(connection: Connection, *, narrowed: Narrowed, surveys: Collection[int]) -> dict[datetime, str]:
    """When the surveys shown asked in another way, if it is one survey: of several nobody could tell which."""
    if len(surveys) != 1:
        return {}
    table = tables.versions
    found = connection.execute(
        select(table.c.at, table.c.version).where(
            table.c.workspace_id == narrowed.workspace,
            table.c.noun == "survey",
            table.c.noun_id == next(iter(surveys)),
            table.c.version > 1,
        )
    )
    begins, ends = narrowed.window.begins, narrowed.window.ends
    return {
        row.at: f"Wording v{row.version}"
        for row in found
        if (begins is None or row.at >= begins) and (ends is None or row.at < ends)
    }


def _newest(connection: Connection, *, workspace: int, ids: list[int], app: Installation) -> list[Newest]:
    given = responses.by_ids(connection, workspace, ids)
    people = contacts.by_id(connection, workspace, {each.contact for each in given})
    return [
        Newest(response=each, contact=people.get(each.contact), campaign=app.directory.campaigns[each.campaign].name)
        for each in given
    ]


def _anybody(connection: Connection, workspace: int) -> bool:
    return responses.somebody_answered(connection, workspace)
