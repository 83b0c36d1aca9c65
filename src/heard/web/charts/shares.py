"""How the answers are spread: a bar for each value, and the shares of the classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from markupsafe import Markup

from heard.scores.metric import AnswerClass, Metric
from heard.web.charts.marks import HATCH, mark, percent, together

HEIGHT, FLOOR, TALLEST = 280, 256, 224  # px: the drawing, the line the bars stand on, the longest bar
MARGIN = 0.01  # of the width, on both sides of a bar
GAP = 0.004  # between two classes of the strip
COLOURS = {"low": "c-det", "middle": "c-pas", "high": "c-pro"}


def distribution_chart(
    metric: Metric, distribution: Mapping[str, int], *, link: Callable[[int], str], chosen: int | None = None
) -> Markup:
    """A bar for each value of the scale, each a link that filters. Low answers are hatched besides their colour."""
    most = max(distribution.values(), default=0)
    width = 1 / len(metric.scale)
    bars: list[Markup] = []
    labels: list[Markup] = []
    for index, value in enumerate(metric.scale):
        n, belongs = distribution.get(str(value), 0), metric.class_of(value)
        tall = TALLEST * n / most if most else 0.0
        hit = mark("rect", class_="c-hit", x=percent(index * width), width=percent(width), y=0, height=HEIGHT, rx=4)
        bar = _filled(
            belongs, x=percent(index * width + MARGIN), width=percent(width - 2 * MARGIN), y=FLOOR - tall, height=tall
        )
        answers = "1 answer" if n == 1 else f"{n:,} answers"
        said = f"Score {value}: {answers}, {belongs.name}"
        current = "true" if value == chosen else None
        bars.append(mark("a", hit, bar if n else "", href=link(value), aria_label=said, aria_current=current))
        middle = percent((index + 0.5) * width)
        labels.append(mark("text", f"{n:,}" if n < 10_000 else _short(n), class_="t-ink", x=middle, y=FLOOR - tall - 6))
        labels.append(mark("text", str(value), class_="t-strong" if value == chosen else None, x=middle, y=HEIGHT - 5))
    return mark(
        "svg",
        mark("line", class_="c-axis", x1=0, x2="100%", y1=FLOOR, y2=FLOOR),
        *bars,
        mark("g", *labels, class_="c-labels", text_anchor="middle", aria_hidden="true"),
        width="100%",
        height=HEIGHT,
        role="group",
        aria_label="Answers by score",
    )


def strip(metric: Metric, counts: Mapping[str, int]) -> Markup:
    """The shares of the classes side by side; classes without answers take no room."""
    answered = [(each, counts.get(each.name, 0)) for each in metric.classes]
    n = sum(count for _, count in answered)
    said = ", ".join(f"{count:,} {each.name}" for each, count in answered)
    parts: list[Markup] = []
    begins = 0.0
    for each, count in answered:
        share = count / n if n else 0.0
        gap = GAP if begins + share < 1 - 1e-9 and share > 2 * GAP else 0.0
        if count:
            parts.append(_filled(each, x=percent(begins), width=percent(share - gap), height=12))
        begins += share
    return mark("svg", *parts, class_="strip", role="img", aria_label=said)


def key(belongs: AnswerClass) -> Markup:
    """The colour of a class, for a legend."""
    return mark("svg", _filled(belongs, width=12, height=12), aria_hidden="true")


def _filled(belongs: AnswerClass, **place: str | float) -> Markup:
    plain = mark("rect", class_=COLOURS[belongs.tone], **place, rx=2)
    return together(plain, mark("rect", **place, fill=HATCH)) if belongs.tone == "low" else plain


def _short(n: int) -> str:
    return f"{n / 1000:.0f}k" if n < 1_000_000 else f"{n / 1_000_000:.1f}M"
