"""A score over time: its line, the band of its intervals, and how many answered below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from markupsafe import Markup

from heard.scores.trend import Point
from heard.web.charts.axis import Axis, around, thinned
from heard.web.charts.marks import mark, percent, together

HEIGHT, BARS = 208, 26  # px of the plot, and of the longest bar
FEW = 20  # answers; below it a point is drawn hollow
MOST_LABELS, MOST_LONG_LABELS = 5, 4
WIDTH_OF_A_BAR = 0.62  # of its period
SIZES = ((26, 4.5), (60, 3.0), (10_000, 2.0))  # at most so many points: their radius
CROWDED = 60  # from more points on only the hollow ones are drawn: the line says where the others are

Place = tuple[float, float]


def trend_chart(
    points: Sequence[Point],
    *,
    names: Sequence[str],
    bounds: tuple[float, float],
    written: Callable[[float], str],
    mean: float | None = None,
    events: Mapping[float, str] | None = None,
    links: Sequence[str | None] | None = None,
) -> Markup:
    """Two plots, one over the other, for a `.plot`: periods that nobody answered in leave a gap.

    `names` are the periods as written below the bars, `links` where a click on one leads; keys reach none of them, as
    the table beside a drawing has them too. `events` are dashed marks at a place from 0 (the beginning of the
    first period) to 1 (the end of the last), by place.
    """
    return together(
        *trend_parts(points, names=names, bounds=bounds, written=written, mean=mean, events=events, links=links)
    )


def trend_parts(
    points: Sequence[Point],
    *,
    names: Sequence[str],
    bounds: tuple[float, float],
    written: Callable[[float], str],
    mean: float | None = None,
    events: Mapping[float, str] | None = None,
    links: Sequence[str | None] | None = None,
    width: float | None = None,
) -> tuple[Markup, Markup, Markup, Markup]:
    """The scale, the plot, the head of the bars and the bars. With a `width` in px nothing in them stretches."""
    axis = around((end for point in points if point.interval for end in point.interval), bounds)
    return (
        mark("svg", *_scale(axis, written), height=HEIGHT),
        mark("svg", *_plot(points, names, axis, mean, events or {}, written, links, width), height=HEIGHT, width=width),
        mark("svg", mark("text", "n", x=28, y=24, text_anchor="end"), height=44),
        mark("svg", *_bars(points, names), height=44, width=width),
    )


def _scale(axis: Axis, written: Callable[[float], str]) -> Iterator[Markup]:
    for tick in axis.ticks:
        y = HEIGHT * (1 - axis.share(tick)) + 4
        yield mark("text", written(tick), x=28, y=round(y), text_anchor="end")


def _plot(
    points: Sequence[Point],
    names: Sequence[str],
    axis: Axis,
    mean: float | None,
    events: Mapping[float, str],
    written: Callable[[float], str],
    links: Sequence[str | None] | None,
    width: float | None,
) -> Iterator[Markup]:
    for tick in axis.ticks:
        y = percent(1 - axis.share(tick))
        yield mark("line", class_="c-zero" if tick == 0 else "c-grid", x1=0, x2="100%", y1=y, y2=y)
    if width is None:
        stretched = {"viewBox": "0 0 100 100", "preserveAspectRatio": "none", "width": "100%", "height": "100%"}
        yield mark("svg", *_bands(points, axis, 100, 100), **stretched)
    else:
        yield from _bands(points, axis, width, HEIGHT)
    if mean is not None:
        y = percent(1 - axis.share(mean))
        yield mark("line", class_="c-mean", x1=0, x2="100%", y1=y, y2=y)
    for place, name in events.items():
        x, late = percent(place), place > 0.8
        yield mark("line", class_="c-mark", x1=x, x2=x, y1=0, y2="100%")
        yield mark("text", name, class_="t-ink", x=x, dx=-6 if late else 6, y=14, text_anchor="end" if late else None)
    radius = next(size for most, size in SIZES if len(points) <= most)
    for index, point in enumerate(points):
        if point.score is not None and (point.n < FEW or len(points) <= CROWDED):
            kind = "c-pt" if point.n >= FEW else "c-pt c-pt--low"
            x, y = _place(index, len(points), axis, point.score)
            yield mark("circle", class_=kind, cx=f"{x:.1f}%", cy=f"{y:.1f}%", r=radius)
    for index, point in enumerate(points):
        share = 1 / len(points)
        said = mark("title", _told(point, names[index], written))
        hit = mark("rect", said, class_="c-hit", x=percent(index * share), width=percent(share), y=0, height="100%")
        link = links[index] if links else None
        yield mark("a", hit, href=link, tabindex=-1) if link else hit


def _bands(points: Sequence[Point], axis: Axis, width: float, height: float) -> Iterator[Markup]:
    """The band and the line of each run of periods with answers."""
    count = len(points)
    for answered, run in groupby(enumerate(points), key=lambda each: each[1].score is not None):
        if not answered:
            continue
        known = list(run)
        lows = [_place(index, count, axis, point.interval[0]) for index, point in known if point.interval]
        highs = [_place(index, count, axis, point.interval[1]) for index, point in known if point.interval]
        if len(known) == 1:  # a point alone has an interval too: a band as wide as its bar
            reach = 100 / count * WIDTH_OF_A_BAR / 2
            lows = [(lows[0][0] - reach, lows[0][1]), (lows[0][0] + reach, lows[0][1])]
            highs = [(highs[0][0] - reach, highs[0][1]), (highs[0][0] + reach, highs[0][1])]
        yield mark("polygon", class_="c-band", points=_written([*highs, *reversed(lows)], width, height))
        if len(known) > 1:
            line = [_place(index, count, axis, point.score) for index, point in known if point.score is not None]
            yield mark("polyline", class_="c-line", points=_written(line, width, height))


def _bars(points: Sequence[Point], names: Sequence[str]) -> Iterator[Markup]:
    count, most = len(points), max((point.n for point in points), default=0)
    long = max((len(name) for name in names), default=0) > len("24 Aug")
    labelled = set(thinned(count, most=MOST_LONG_LABELS if long else MOST_LABELS))
    for index, point in enumerate(points):
        middle = (index + 0.5) / count
        if point.n:
            height, width = BARS * point.n / most, WIDTH_OF_A_BAR / count
            x = percent(middle - width / 2)
            yield mark(
                "rect",
                class_="c-n",
                x=x,
                width=percent(width),
                y=BARS - height,
                height=height,
                rx=1.5 if count < 40 else 0,
            )
        if index in labelled:
            at, anchor = (0.0, "start") if middle < 0.03 else (1.0, "end") if middle > 0.97 else (middle, "middle")
            yield mark("text", names[index], x=percent(at), y=42, text_anchor=anchor)


def _place(index: int, count: int, axis: Axis, value: float) -> Place:
    """In percent of the plot: across from the left, down from the top."""
    return 100 * (index + 0.5) / count, 100 * (1 - axis.share(value))


def _told(point: Point, name: str, written: Callable[[float], str]) -> str:
    if point.score is None or point.interval is None:
        return f"{name}: no answers"
    answers = "1 answer" if point.n == 1 else f"{point.n:,} answers"
    low, high = (written(end) for end in point.interval)
    return f"{name}: {written(point.score)} from {answers}, 95% interval {low} to {high}"


def _written(places: Sequence[Place], width: float, height: float) -> str:
    return " ".join(f"{x * width / 100:.2f},{y * height / 100:.2f}" for x, y in places)
