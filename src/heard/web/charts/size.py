"""How many there were at the end of each day: a line over its area, from nobody up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from heard.web.charts.axis import around, thinned
from heard.web.charts.marks import mark, percent, together

HEIGHT, FOOT = 120, 20  # px of the plot, and of the days below it
MOST_LABELS = 4


def size_chart(sizes: Sequence[int], *, names: Sequence[str]) -> Markup:
    """Scale, plot, and the days below, for a `.plot`. `names` are the days; two of them at least."""
    most = max(*sizes, 4)
    axis = around((0, most), (0, most * 1.3), most=4)
    scale = [
        mark("text", f"{tick:,.0f}", x=28, y=round(HEIGHT * (1 - axis.share(tick)) + 4), text_anchor="end")
        for tick in axis.ticks
    ]
    grid = [
        mark("line", class_="c-zero" if tick == 0 else "c-grid", x1=0, x2="100%", y1=y, y2=y)
        for tick in axis.ticks
        for y in [percent(1 - axis.share(tick))]
    ]
    places = [(100 * index / (len(sizes) - 1), 100 * (1 - axis.share(size))) for index, size in enumerate(sizes)]
    line = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
    drawn = mark(
        "svg",
        mark("polygon", class_="c-band", points=f"0,100 {line} 100,100"),
        mark("polyline", class_="c-line", points=line),
        viewBox="0 0 100 100",
        preserveAspectRatio="none",
        width="100%",
        height="100%",
    )
    return together(
        mark("svg", *scale, height=HEIGHT),
        mark("svg", *grid, drawn, height=HEIGHT),
        mark("svg", height=FOOT),
        mark("svg", *_days(names), height=FOOT),
    )


def _days(names: Sequence[str]) -> Iterator[Markup]:
    for index in thinned(len(names), most=MOST_LABELS):
        middle = index / (len(names) - 1)
        at, anchor = (0.0, "start") if middle < 0.05 else (1.0, "end") if middle > 0.95 else (middle, "middle")
        yield mark("text", names[index], x=percent(at), y=14, text_anchor=anchor)
