"""What the overview says: charts, sentences and links, made of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup

from heard.deliveries.reasons import Reason
from heard.fql.values import canonical
from heard.operations.overview import Overview
from heard.operations.overview_rates import Rate
from heard.scores.breakdown import FEWEST_ANSWERS, Group
from heard.scores.change import Against, Verdict, how_often
from heard.scores.trend import Point, starts
from heard.web.charts.funnel import funnel_bar
from heard.web.charts.interval import interval_bar, whisker
from heard.web.charts.shares import distribution_chart, key, strip
from heard.web.charts.trend import trend_chart
from heard.web.dashboard import chips
from heard.web.dashboard.campaigns.words import LABELS
from heard.web.dashboard.overview.state import AGAINST, DAY, PERIODS, State
from heard.web.dashboard.say import num, percent

MOST_ROWS = 25  # groups shown on the page; the CSV has all that are counted
LONG_TREND = timedelta(days=300)  # from here on a week's label names the month and the year


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the funnel. `rate` is its share of the step before it, "" where that says nothing."""

    name: str
    count: int
    rate: str
    bar: Markup
    link: str | None
    held: bool = False


class Held(msgspec.Struct, frozen=True):
    name: str
    count: int
    link: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One group of the segments table."""

    name: str
    link: str | None
    group: Group
    rate: Rate | None
    whisker: Markup
    few: bool
    against: str
    evidence: str


class PeriodRow(msgspec.Struct, frozen=True):
    name: str
    point: Point
    link: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    period: str
    versus: str
    compared: str
    interval: Markup
    trend: Markup
    periods: list[PeriodRow]
    distribution: Markup
    strip: Markup
    keys: list[tuple[Any, Markup, int, float]]
    reckoning: str
    change: str
    steps: list[Step]
    reasons: list[Held]
    funnel_note: str
    rows: list[Row]
    comparable: str
    all_answers: str


def page(found: Overview, state: State, *, base: str, now: datetime) -> Page:
    """Everything the template shows that is more than a number."""
    written, metric = found.metric.written, found.metric
    link = _Links(found, state, base)
    names = [period_name(point.period, found.every, found.trend, now) for point in found.trend]
    before = found.change.before if found.change else None
    shares, chosen = found.score.counts, _chosen(state)
    return Page(
        period=period_words(state, now),
        versus=versus_words(found),
        compared=compared_words(found),
        interval=interval_bar(
            found.score.score,
            found.score.interval,
            before=before.score if before else None,
            interval_before=before.interval if before else None,
            bounds=metric.bounds,
            written=written,
        ),
        trend=trend_chart(
            found.trend,
            names=names,
            bounds=metric.bounds,
            written=written,
            mean=found.score.score,
            events=events(found),
            links=[link.answers_in(point) if point.n else None for point in found.trend],
        ),
        periods=[
            PeriodRow(
                period_name(point.period, found.every, found.trend, now, long=True), point, link.answers_in(point)
            )
            for point in found.trend
        ],
        distribution=distribution_chart(
            metric, found.score.distribution, link=link.by_value, chosen=chosen[1] if chosen else None
        ),
        strip=strip(metric, shares),
        keys=[
            (each, key(each), shares[each.name], shares[each.name] / found.score.n if found.score.n else 0.0)
            for each in metric.classes
        ],
        reckoning=metric.reckoning(found.distribution) if found.score.n else "",
        change=change_words(found),
        steps=_steps(found, link),
        reasons=_reasons(found, link),
        funnel_note=_funnel_note(found, state),
        rows=[_row(found, group, link) for group in found.groups[:MOST_ROWS]],
        comparable=_comparable(found),
        all_answers=link.answers(),
    )


def period_words(state: State, now: datetime) -> str:
    """24 Aug – 21 Nov 2026"""
    first, last = state.days
    if first is None:
        return PERIODS["all"] if last is None or state.period == "all" else f"until {_day(last, year=True)}"
    last = last or now.date()
    return f"{_day(first, year=first.year != last.year)} – {_day(last, year=True)}"


def versus_words(found: Overview) -> str:
    """previous 90 days"""
    earlier = found.compared
    if found.question.against is Against.PREVIOUS and earlier and earlier.begins and earlier.ends:
        return f"previous {_several((earlier.ends - earlier.begins).days, 'day')}"
    return AGAINST[found.question.against]


def compared_words(found: Overview) -> str:
    """since the previous 90 days"""
    earlier = found.compared
    if earlier is None or earlier.begins is None or earlier.ends is None:
        return ""
    if found.question.against is Against.LAST_YEAR:
        return f"since a year before, {_days(earlier.begins, earlier.ends - DAY)}"
    return f"since the {versus_words(found)}"


def change_words(found: Overview) -> str:
    """The evidence under the verdict."""
    change, written = found.change, found.metric.written
    if found.compared is None:
        if found.question.against is Against.NOTHING:
            return "Choose a period to compare with to see whether the score changed."
        return "These are all answers up to the last day: there is nothing before them to compare with."
    if change is None:
        nobody = "Nobody answered then" if found.score.n else "Nobody answered"
        return f"{nobody}: there is nothing to compare."
    then = f"Before: {written(change.before.score or 0)} from {_several(change.before.n, 'answer')}."
    if change.verdict is Verdict.TOO_FEW:
        return f"{then} Below {FEWEST_ANSWERS} answers on either side nothing can be told from chance."
    low, high = (written(end) for end in change.interval)
    return (
        f"{then} The change lies between {low} and {high}; two periods with nothing changed differ this much "
        f"{how_often(change.p)}."
    )


def period_name(period: str, every: str, trend: Sequence[Point], now: datetime, *, long: bool = False) -> str:
    """A period by its first day: "24 Aug", "Aug", "Q3"; with its year where that matters."""
    day = date.fromisoformat(period)
    first, last = (date.fromisoformat(trend[place].period) for place in (0, -1))
    with_year = first.year != last.year or last.year != now.year
    if every == "quarter":
        return f"Q{(day.month + 2) // 3} {day.year}"
    if every == "month":
        return f"{day:%b} {day.year}" if with_year else f"{day:%b}"
    if not long and last - first > LONG_TREND:
        return f"{day:%b} {day.year}"
    return _day(day, year=with_year)


class _Links:
    """Where the parts of the page lead."""

    def __init__(self, found: Overview, state: State, base: str) -> None:
        self._found, self._state, self._base = found, state, base
        first, last = state.days
        self._days = {"from": first.isoformat() if first else None, "to": last.isoformat() if last else None}

    def by_value(self, value: int) -> str:
        """Narrow to one value; a second time, no longer."""
        part = chips.value_is("value", value)
        where = self._state.given.get("where")
        chosen = _chosen(self._state)
        if where and chosen and chosen[1] == value:
            return self._state.to(where=chips.without(where, chosen[0]))
        return self._state.to(where=chips.narrowed(where, part))

    def by_group(self, group: Group) -> str | None:
        if self._found.by is None or isinstance(group.value, list | dict):
            return None
        part = chips.value_is(self._found.by, group.value)
        return self._state.to(where=chips.narrowed(self._state.given.get("where"), part))

    def answers(self, **more: str | None) -> str:
        """The answers that the page counts."""
        where = None if "where" in self._state.wrong else self._state.given.get("where")
        return self._to("/responses", survey=self._state.given.get("survey"), where=where, **{**self._days, **more})

    def answers_in(self, point: Point) -> str:
        """Those of one period."""
        first = date.fromisoformat(point.period)
        after = next(each for each in starts(first, first + timedelta(days=120), self._found.every) if each > first)
        begins, ends = self._state.days
        last = min(after - DAY, ends) if ends else after - DAY
        return self.answers(**{"from": max(first, begins or first).isoformat(), "to": last.isoformat()})

    def all_answers(self, **more: str) -> str:
        """Those of everybody: what the funnel counts."""
        return self._to("/responses", survey=self._state.given.get("survey"), **self._days, **more)

    def decisions(self, **which: str) -> str:
        return self._to("/decisions", campaign=self._campaign, **which, **self._days)

    def deliveries(self, **which: str) -> str:
        return self._to("/deliveries", campaign=self._campaign, **which, **self._days)

    @property
    def _campaign(self) -> str | None:
        return str(self._found.campaigns[0]) if len(self._found.campaigns) == 1 else None

    def _to(self, path: str, **query: str | None) -> str:
        kept = {name: value for name, value in query.items() if value}
        return f"{self._base}{path}?{urlencode(kept)}" if kept else f"{self._base}{path}"


def _steps(found: Overview, link: _Links) -> list[Step]:
    counts = found.funnel
    held = counts.matched - counts.invited

    def step(name: str, count: int, before: int, to: str | None, *, held: bool = False) -> Step:
        rate = percent(count / before, 0) if before and count <= before else ""
        return Step(name=name, count=count, rate=rate, bar=funnel_bar(count, most, held=held), link=to, held=held)

    most = max(counts.matched, counts.sent, found.answered)
    steps = [
        step("Matched", counts.matched, 0, link.decisions()),
        step("Held back", held, counts.matched, link.decisions(outcome="declined"), held=True),
        step("Invited", counts.invited, counts.matched, link.decisions(outcome="invited")),
        step("Sent", counts.sent, counts.invited, link.deliveries()),
    ]
    reached = counts.sent
    if counts.clicked:
        steps.append(step("Clicked", counts.clicked, counts.sent, None))
        reached = counts.clicked if counts.clicked >= found.answered else counts.sent
    steps.append(step("Answered", found.answered, 0 if found.by_link else reached, link.all_answers()))
    steps.append(step("Commented", found.commented, found.answered, link.all_answers(where="comment != null")))
    return steps


def _reasons(found: Overview, link: _Links) -> list[Held]:
    reasons = [
        Held(_reason(code), n, link.decisions(outcome="declined", reason=code)) for code, n in found.funnel.held.items()
    ]
    if found.funnel.waiting:
        reasons.append(Held("Waits to be identified", found.funnel.waiting, link.decisions(outcome="held")))
    return sorted(reasons, key=lambda each: -each.count)


def _reason(code: str) -> str:
    return LABELS[Reason(code)] if code in frozenset(Reason) else code.replace("_", " ").capitalize()


def _funnel_note(found: Overview, state: State) -> str:
    said: list[str] = []
    if "where" in state.given and "where" not in state.wrong:
        said.append("Filters narrow the answers, not this: it counts everybody.")
    counts = found.funnel
    if counts.sent and (by_mail := found.by_mail) <= counts.sent:
        said.append(f"Response rate {percent(by_mail / counts.sent, 1)} ({num(by_mail)} of {num(counts.sent)} sent).")
    said += [f"{_several(found.by_link, 'answer')} came by a link, and count for no rate."] if found.by_link else []
    if counts.reminded:
        said.append(f"{_several(counts.reminded, 'reminder')} went out as well, and count for no rate.")
    if counts.matched > counts.invited:
        said.append("Each event held back is counted once, under the first rule that objected.")
    if counts.clicked > found.answered:
        said.append(
            f"Of {_several(counts.clicked - found.answered, 'opened survey')} no form was sent. What is known to be a"
            " machine is not among them."
        )
    return " ".join(said)


def _row(found: Overview, group: Group, link: _Links) -> Row:
    assert group.score is not None  # a group without an answer is none
    assert group.interval is not None
    written, difference = found.metric.written, group.difference
    few = group.n < FEWEST_ANSWERS
    evidence = ""
    if difference is None:
        against = "There is nobody else"
    elif few or found.score.n - group.n < FEWEST_ANSWERS:
        against = "Too few answers to compare"
    else:
        by = written(abs(difference.value)).lstrip("+")
        against = f"{'Higher' if difference.value > 0 else 'Lower'}, by {by}" if difference.distinguishable else ""
        low, high = (written(end) for end in difference.interval)
        evidence = f"{low} to {high}, q {_q(difference.q)}"
    rates = found.rates.by_value if found.rates else {}
    return Row(
        name=_value_words(group.value),
        link=link.by_group(group),
        group=group,
        rate=rates.get(canonical(group.value)),
        whisker=whisker(
            group.score,
            group.interval,
            all_answers=found.score.score,
            bounds=found.metric.bounds,
            written=written,
        ),
        few=few,
        against=against or "Not distinguishable",
        evidence=evidence,
    )


def _comparable(found: Overview) -> str:
    enough = sum(group.n >= FEWEST_ANSWERS for group in found.groups)
    has = "has" if enough == 1 else "have"
    said = f"{enough} of {_several(len(found.groups), 'group')} {has} enough answers to compare"
    if found.values > MOST_ROWS:
        said += f"; of {num(found.values)} values the {MOST_ROWS} with most answers are shown"
    return said


def events(found: Overview) -> Mapping[float, str]:
    """When the wording changed, as places on the trend."""
    if not found.trend:
        return {}
    days = [datetime.combine(date.fromisoformat(each.period), datetime.min.time(), UTC) for each in found.trend]
    places: dict[float, str] = {}
    for at, name in found.wordings.items():
        index = max((place for place, day in enumerate(days) if day <= at), default=0)
        until = days[index + 1] if index + 1 < len(days) else days[index] + timedelta(days=7)
        inside = min(1.0, max(0.0, (at - days[index]) / (until - days[index])))
        places[(index + inside) / len(days)] = name
    return places


def _chosen(state: State) -> tuple[int, int] | None:
    """The one value that the filter leaves, after the place of the chip that says so."""
    for place, each in enumerate(chips.chips(state.given.get("where"))):
        is_a_value = each.value.isascii() and each.value.isdigit() and len(each.value) < 10
        if (each.field, each.operator) == ("value", "is") and is_a_value:
            return place, int(each.value)
    return None


def _value_words(value: Any) -> str:
    if value is None:
        return "(not set)"
    return value if isinstance(value, str) and value.strip() else canonical(value)


def _q(q: float) -> str:
    return "< 0.001" if q < 0.001 else f"{q:.3f}" if q < 0.1 else f"{q:.2f}"


def _days(first: datetime, last: datetime) -> str:
    return f"{_day(first.date(), year=first.year != last.year)} – {_day(last.date(), year=True)}"


def _day(day: date, *, year: bool) -> str:
    return f"{day.day} {day:%b}" + (f" {day.year}" if year else "")


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
