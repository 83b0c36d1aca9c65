"""A score and its interval on the whole scale: the bar of a score tile, and the whisker of a row."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from heard.web.charts.axis import Axis, between
from heard.web.charts.marks import mark, percent, together

Written = Callable[[float], str]
NEAR_THE_EDGE = 0.08  # of the width: a bound nearer than that is written inwards
NARROW = 0.2


def interval_bar(
    score: float | None,
    interval: tuple[float, float] | None,
    *,
    before: float | None = None,
    interval_before: tuple[float, float] | None = None,
    bounds: tuple[float, float],
    written: Written,
) -> Markup:
    """Where the score lies; below it the score of the period before. Without a score only the scale is drawn."""
    axis = between(*bounds)
    marks = [mark("rect", class_="c-track", x=0, y=14, width="100%", height=16, rx=4)]
    said = "No answers yet"
    if score is not None and interval is not None:
        low, high = (axis.share(each) for each in interval)
        marks.append(mark("rect", class_="c-range", x=percent(low), y=14, width=percent(high - low), height=16, rx=3))
        said = f"Score {written(score)}, 95% interval {written(interval[0])} to {written(interval[1])}"
    if before is not None and interval_before is not None:
        marks += _before(axis, before, interval_before)
        said_before = f"; previous period {written(before)}"
    else:
        said_before = ""
    marks.append(_zero(axis, y1=10, y2=44))
    if score is not None and interval is not None:
        at = percent(axis.share(score))
        marks.append(mark("line", class_="c-dot", x1=at, x2=at, y1=13, y2=31))
        marks += _bounds_written(axis, interval, written)
    for tick in axis.ticks:
        at = axis.share(tick)
        anchor = "start" if at == 0 else "end" if at == 1 else "middle"
        marks.append(mark("text", written(tick), x=percent(at), y=59, text_anchor=anchor))
    scale = f"on a scale from {written(bounds[0])} to {written(bounds[1])}"
    return mark(
        "svg",
        *marks,
        class_="interval",
        width="100%",
        height=62,
        role="img",
        aria_label=f"{said}, {scale}{said_before}",
    )


def whisker(
    score: float,
    interval: tuple[float, float],
    *,
    all_answers: float | None,
    bounds: tuple[float, float],
    written: Written,
) -> Markup:
    """A score with its interval for a row of a table; the dashed line is the score of all answers."""
    axis = between(*bounds)
    low, high = (percent(axis.share(each)) for each in interval)
    marks = [_zero(axis, y1=0, y2=20, kind="w-zero")]
    if all_answers is not None:
        whole = percent(axis.share(all_answers))
        marks.append(mark("line", class_="w-all", x1=whole, x2=whole, y1=0, y2=20))
    marks += [
        mark("line", class_="w-line", x1=low, x2=high, y1=10, y2=10),
        mark("line", class_="w-cap", x1=low, x2=low, y1=6, y2=14),
        mark("line", class_="w-cap", x1=high, x2=high, y1=6, y2=14),
        mark("circle", class_="w-dot", cx=percent(axis.share(score)), cy=10, r=5),
    ]
    said = f"{written(score)}, interval {written(interval[0])} to {written(interval[1])}"
    return mark("svg", *marks, class_="whisker", role="img", aria_label=said)


def _before(axis: Axis, before: float, interval: tuple[float, float]) -> list[Markup]:
    low, high = (percent(axis.share(each)) for each in interval)
    return [
        mark("line", class_="c-range-prev", x1=low, x2=high, y1=38, y2=38),
        mark("circle", class_="c-dot-prev", cx=percent(axis.share(before)), cy=38, r=3.5),
    ]


def _zero(axis: Axis, *, y1: float, y2: float, kind: str = "c-axis0") -> Markup:
    """The line at nought; nothing on a scale without one inside."""
    if not axis.low < 0 < axis.high:
        return together()
    at = percent(axis.share(0))
    return mark("line", class_=kind, x1=at, x2=at, y1=y1, y2=y2)


def _bounds_written(axis: Axis, interval: tuple[float, float], written: Written) -> list[Markup]:
    """Both bounds above the bar, outside of it, and inwards at the edges, where there is no room outside."""
    low, high = (axis.share(each) for each in interval)
    lower, upper = written(interval[0]), written(interval[1])
    at_an_edge = low < NEAR_THE_EDGE or high > 1 - NEAR_THE_EDGE
    if at_an_edge and high - low < NARROW:
        edge, anchor = (low, "start") if low < NEAR_THE_EDGE else (high, "end")
        return [mark("text", f"{lower} to {upper}", class_="now", x=percent(edge), y=8, text_anchor=anchor)]
    left = {"text_anchor": "start"} if low < NEAR_THE_EDGE else {"dx": 4, "text_anchor": "end"}
    right = {"text_anchor": "end"} if high > 1 - NEAR_THE_EDGE else {"dx": -4, "text_anchor": "start"}
    return [
        mark("text", lower, class_="now", x=percent(low), y=8, **left),
        mark("text", upper, class_="now", x=percent(high), y=8, **right),
    ]
