"""The overview as one picture: score, trend, distribution and segments, with all that narrows them in words."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from markupsafe import Markup

from heard.operations.overview import Overview
from heard.web.charts.interval import interval_bar
from heard.web.charts.marks import mark
from heard.web.charts.picture import EDGE, WIDTH, line, picture, placed, png, wrapped
from heard.web.charts.shares import HEIGHT as DISTRIBUTION
from heard.web.charts.shares import distribution_chart, key, strip
from heard.web.charts.trend import HEIGHT as TREND
from heard.web.charts.trend import trend_parts
from heard.web.dashboard import chips
from heard.web.dashboard.overview.state import State
from heard.web.dashboard.overview.view import Row, events, page, period_name
from heard.web.dashboard.say import num, percent

__all__ = ["drawn", "png"]

GAP, PADDING, ROW = 20, 24, 34
LEFT = 420
RIGHT = WIDTH - 2 * EDGE - GAP - LEFT
AXIS = 36  # px left of the trend's plot, for its scale
MOST_ROWS = 10
FIRST_CARDS = 350


def drawn(found: Overview, state: State, *, workspace: str, now: datetime) -> str:
    """An SVG with everything in it."""
    view = page(found, state, base="", now=now)
    rows = view.rows[:MOST_ROWS]
    narrowed = _narrowed(found, state)
    head = [line(f"{found.metric.title}, {workspace}", EDGE, 66, "title", room=WIDTH - 2 * EDGE)]
    head.append(line(", ".join(each for each in (view.period, view.compared.replace("since", "compared with")) if each),
                     EDGE, 94, "said"))  # fmt: skip
    y = 94.0
    for each in narrowed:
        y += 20
        head.append(line(each, EDGE, y, "said"))
    first = y + 26
    second = first + FIRST_CARDS + GAP
    tall = max(DISTRIBUTION + 190, 110 + ROW * len(rows))
    right = EDGE + LEFT + GAP
    height = second + tall + 60
    return picture(
        *head,
        _card(EDGE, first, LEFT, FIRST_CARDS),
        *_score(found, view.change, first, view.compared),
        _card(right, first, RIGHT, FIRST_CARDS),
        *_trend(found, right, first, now),
        _card(EDGE, second, LEFT, tall),
        *_distribution(found, view.reckoning, second),
        _card(right, second, RIGHT, tall),
        *_segments(found, rows, right, second, view.comparable),
        line(f"Heard, {now.day} {now:%b %Y, %H:%M} UTC. Days are UTC. {_shown(found)}", EDGE, height - 26, "small"),
        height=height,
    )


def _score(found: Overview, told: str, y: float, compared: str) -> list[Markup]:
    x, written = EDGE + PADDING, found.metric.written
    marks = [line(found.metric.title, x, y + 38, "head")]
    if found.score.score is not None and found.score.interval is not None:
        low, high = (written(end) for end in found.score.interval)
        score = written(found.score.score)
        beside = x + 24 + 38 * len(score)
        answers = f"{num(found.score.n)} answer{'' if found.score.n == 1 else 's'}"
        marks += [
            line(score, x, y + 112, "big"),
            line(answers, beside, y + 88, "strong"),
            line(f"95% interval {low} to {high}", beside, y + 110, "said"),
        ]
    else:
        marks.append(line("Nobody answered.", x, y + 100, "said"))
    before = found.change.before if found.change else None
    bar = interval_bar(
        found.score.score,
        found.score.interval,
        before=before.score if before else None,
        interval_before=before.interval if before else None,
        bounds=found.metric.bounds,
        written=written,
    )
    marks.append(placed(bar, x=x, y=y + 140, width=LEFT - 2 * PADDING, height=62))
    marks.append(mark("line", class_="rule", x1=x, x2=EDGE + LEFT - PADDING, y1=y + 222, y2=y + 222))
    under = y + 250
    if found.change is not None:
        marks.append(line(f"{written(found.change.value)} {compared}. {found.change.verdict}.", x, under, "strong"))
        under += 24
    for text in wrapped(told, LEFT - 2 * PADDING):
        marks.append(line(text, x, under, "said"))
        under += 20
    return marks


def _trend(found: Overview, x: float, y: float, now: datetime) -> list[Markup]:
    width = RIGHT - 2 * PADDING - AXIS
    names = [period_name(point.period, found.every, found.trend, now) for point in found.trend]
    scale, plot, head, bars = trend_parts(
        found.trend,
        names=names,
        bounds=found.metric.bounds,
        written=found.metric.written,
        mean=found.score.score,
        events=events(found),
        width=width,
    )
    left, top = x + PADDING, y + 66
    note = f"band: 95% interval of each {found.every}; hollow: fewer than 20 answers"
    return [
        line(f"By {found.every}", left, y + 38, "head"),
        line(note, x + RIGHT - PADDING, y + 38, "small", end=True),
        placed(scale, x=left, y=top, width=AXIS, height=TREND),
        placed(plot, x=left + AXIS, y=top, width=width, height=TREND),
        placed(head, x=left, y=top + TREND + 10, width=AXIS, height=44),
        placed(bars, x=left + AXIS, y=top + TREND + 10, width=width, height=44),
    ]


def _distribution(found: Overview, reckoning: str, y: float) -> list[Markup]:
    x, width = EDGE + PADDING, LEFT - 2 * PADDING
    chart = distribution_chart(found.metric, found.score.distribution, link=lambda _: "#")
    below = y + 60 + DISTRIBUTION
    marks = [
        line("Distribution", x, y + 38, "head"),
        placed(chart, x=x, y=y + 56, width=width, height=DISTRIBUTION),
        placed(strip(found.metric, found.score.counts), x=x, y=below + 14, width=width, height=12),
        line(reckoning, x, below + 106, "said"),
    ]
    for each, place in zip(found.metric.classes, count(), strict=False):
        at, n = x + place * width / len(found.metric.classes), found.score.counts[each.name]
        share = n / found.score.n if found.score.n else 0.0
        marks += [
            placed(key(each), x=at, y=below + 42, width=12, height=12),
            line(f"{each.name.capitalize()} {each.lowest}–{each.highest}", at + 18, below + 52, "small"),
            line(f"{percent(share, 1)}, {num(n)}", at + 18, below + 72, "strong"),
        ]
    return marks


def _segments(found: Overview, rows: list[Row], x: float, y: float, comparable: str) -> list[Markup]:
    left, written = x + PADDING, found.metric.written
    if not rows or found.by is None:
        return [line("Segments", left, y + 38, "head"), line("Nothing to break down by.", left, y + 66, "said")]
    columns = {"Answers": left + 195, "Rate": left + 245, found.metric.short: left + 295}
    chart, width = left + 320, 140
    marks = [line(f"By {found.by.removeprefix('traits.')}", left, y + 38, "head", room=180)]
    marks.append(line(comparable, x + RIGHT - PADDING, y + 38, "small", end=True, room=420))
    marks += [
        line(name, at, y + 72, "small", end=True) for name, at in columns.items() if name != "Rate" or found.rates
    ]
    marks += [line("Against the rest", chart + width + 18, y + 72, "small")]
    marks += [line(written(end), chart + share * width, y + 72, "small", end=share == 1)
              for share, end in ((0, found.metric.bounds[0]), (1, found.metric.bounds[1]))]  # fmt: skip
    at = y + 84
    for row in rows:
        marks.append(mark("line", class_="rule", x1=left, x2=x + RIGHT - PADDING, y1=at, y2=at))
        base, kind = at + 22, "cell dim" if row.few else "cell"
        cells = iter(columns.values())
        marks += [
            line(row.name, left, base, kind, room=150),
            line(num(row.group.n), next(cells), base, kind, end=True),
            line(percent(row.rate.share, 0) if row.rate else "", next(cells), base, kind, end=True),
            line(written(row.group.score or 0), next(cells), base, kind if row.few else "strong", end=True),
            placed(row.whisker, x=chart, y=at + 7, width=width, height=20, class_="few" if row.few else None),
            line(row.against.replace("answers ", ""), chart + width + 18, base, kind),
        ]
        at += ROW
    return marks


def _narrowed(found: Overview, state: State) -> list[str]:
    """What narrows the answers, in words, a line or two or three."""
    said: list[str] = []
    if survey := state.given.get("survey"):
        said.append(f"survey is {survey}")
    said += [chip.words for chip in chips.chips(state.given.get("where"))]
    if not said:
        return []
    then = "as of now" if found.question.as_of_now else "as of the answer"
    return wrapped(f"Only answers where {' and '.join(said)} (traits {then}).", WIDTH - 2 * EDGE)[:3]


def _shown(found: Overview) -> str:
    if found.rates is not None and found.rates.about:
        return "Response rates are from a sample of those asked."
    return ""


def _card(x: float, y: float, width: float, height: float) -> Markup:
    return mark("rect", class_="card", x=x, y=y, width=width, height=height, rx=12)
