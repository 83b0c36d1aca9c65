"""Charts: marks in the right place, whatever the numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from heard.scores import nps
from heard.scores.trend import Point
from heard.web.charts.axis import around, thinned
from heard.web.charts.funnel import funnel_bar
from heard.web.charts.interval import interval_bar, whisker
from heard.web.charts.marks import mark
from heard.web.charts.shares import distribution_chart, key, strip
from heard.web.charts.size import size_chart
from heard.web.charts.trend import trend_chart

NPS = nps.METRIC
SPREAD = {str(value): n for value, n in enumerate([6, 2, 4, 7, 6, 19, 24, 42, 73, 101, 128])}


def drawn(markup: str) -> ElementTree.Element:
    """The chart as a document; fails when it is not well-formed, holds a style, or a number that is none."""
    assert "style=" not in markup
    assert "nan" not in markup.lower()
    assert "inf" not in markup.replace("info", "").lower()
    return ElementTree.fromstring(f"<chart>{markup}</chart>")


def texts(chart: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in chart.iter("text")]


def classes(chart: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [each for each in chart.iter() if each.get("class") == name]


def a_bar(score: float | None, interval: tuple[float, float] | None, **before: object) -> ElementTree.Element:
    bar = interval_bar(score, interval, bounds=NPS.bounds, written=NPS.written, **before)  # type: ignore[arg-type]
    return drawn(bar)


def some_points(scores: Sequence[tuple[int, float | None]], *, days: int = 7) -> list[Point]:
    first = date(2026, 8, 24)
    return [
        Point(
            period=(first + timedelta(days=days * index)).isoformat(),
            n=n,
            score=score,
            interval=None if score is None else (max(-100.0, score - 20), min(100.0, score + 20)),
        )
        for index, (n, score) in enumerate(scores)
    ]


def a_trend(points: list[Point], **more: object) -> ElementTree.Element:
    names = [point.period for point in points]
    chart = trend_chart(points, names=names, bounds=NPS.bounds, written=NPS.written, **more)  # type: ignore[arg-type]
    return drawn(chart)


def test_what_a_customer_wrote_is_escaped():
    assert mark("text", "<script>", aria_label='"&') == '<text aria-label="&#34;&amp;">&lt;script&gt;</text>'


def test_the_interval_bar_puts_score_and_bounds_on_the_scale_as_drawn():
    chart = a_bar(39, (31.6, 46.2), before=33.2, interval_before=(24.8, 41.0))

    assert classes(chart, "c-range")[0].get("x") == "65.8%"
    assert classes(chart, "c-dot")[0].get("x1") == "69.5%"
    assert classes(chart, "c-dot-prev")[0].get("cx") == "66.6%"
    assert texts(chart) == ["+32", "+46", "−100", "−50", "0", "+50", "+100"]
    said = chart[0].get("aria-label")
    assert said == "Score +39, 95% interval +32 to +46, on a scale from −100 to +100; previous period +33"


def test_without_an_answer_the_interval_bar_is_a_scale():
    chart = a_bar(None, None)

    assert not classes(chart, "c-range")
    assert not classes(chart, "c-dot")
    assert (chart[0].get("aria-label") or "").startswith("No answers yet")


@pytest.mark.parametrize(("score", "interval"), [(-100, (-100, -90)), (100, (92, 100)), (0, (-100, 100))])
def test_at_the_edges_of_the_scale_the_bounds_are_written_inwards(score: float, interval: tuple[float, float]):
    chart = a_bar(score, interval)

    for text in classes(chart, "now"):
        at, anchor = float((text.get("x") or "").rstrip("%")), text.get("text-anchor")
        assert at > 8 or anchor == "start"
        assert at < 92 or anchor == "end"


def test_a_narrow_interval_at_the_edge_is_written_as_one():
    assert texts(a_bar(-100, (-100, -90)))[0] == "−100 to −90"


def test_a_whisker_reaches_from_bound_to_bound_and_shows_all_answers():
    chart = drawn(whisker(46, (35, 56), all_answers=39, bounds=NPS.bounds, written=NPS.written))

    assert [classes(chart, "w-line")[0].get(end) for end in ("x1", "x2")] == ["67.5%", "78%"]
    assert classes(chart, "w-all")[0].get("x1") == "69.5%"
    assert chart[0].get("aria-label") == "+46, interval +35 to +56"


def test_a_point_below_20_answers_is_hollow_and_every_point_says_its_numbers():
    chart = a_trend(some_points([(27, 26), (18, 28), (20, 40)]))

    assert len(classes(chart, "c-pt")) == 2
    assert len(classes(chart, "c-pt c-pt--low")) == 1
    titles = [each.text for each in chart.iter("title")]
    assert titles[1] == "2026-08-31: +28 from 18 answers, 95% interval +8 to +48"


def test_a_period_nobody_answered_in_leaves_a_gap():
    chart = a_trend(some_points([(30, 20), (30, 25), (0, None), (30, 30)]))

    assert len(classes(chart, "c-line")) == 1  # the last stands alone
    assert len(classes(chart, "c-band")) == 2
    assert len(classes(chart, "c-n")) == 3


@pytest.mark.parametrize("points", [[], [(0, None)], [(1, 100)], [(3, -100), (3, 100)], [(30, 10)] * 78])
def test_a_trend_of_any_length_and_height_is_drawn(points: list[tuple[int, float | None]]):
    chart = a_trend(some_points(points), mean=10.0, events={0.5: "Wording v2"})

    for circle in chart.iter("circle"):
        assert 0 <= float((circle.get("cy") or "").rstrip("%")) <= 100


def test_a_year_and_a_half_of_weeks_is_labelled_a_few_times():
    chart = a_trend(some_points([(30, 10)] * 78))

    assert len([text for text in texts(chart) if re.match(r"\d{4}-", text)]) in (3, 4)


def test_the_scale_of_a_trend_ends_on_round_numbers():
    assert around([-8, 73], NPS.bounds).ticks == (-20, 0, 20, 40, 60, 80)
    assert around([], NPS.bounds).ticks[0] == -100
    assert around([100, 100], NPS.bounds).high == 100
    assert around([4.9, 5.6], (1.0, 7.0)).low >= 1


def test_labels_are_thinned_from_the_first():
    assert list(thinned(13, most=5)) == [0, 3, 6, 9, 12]
    assert list(thinned(0, most=5)) == []
    assert list(thinned(1, most=5)) == [0]


def test_each_bar_of_the_distribution_is_a_link_that_filters():
    chart = drawn(distribution_chart(NPS, SPREAD, link=lambda value: f"?value={value}&a=b"))

    links = list(chart.iter("a"))
    assert [link.get("href") for link in links] == [f"?value={value}&a=b" for value in range(11)]
    assert links[10].get("aria-label") == "Score 10: 128 answers, promoters"
    assert classes(chart, "c-pro")[-1].get("height") == "224"
    assert len(classes(chart, "c-det")) == 7
    assert sum(each.get("fill") == "url(#hatch)" for each in chart.iter("rect")) == 7


def test_a_distribution_without_answers_has_its_axis_and_no_bar():
    chart = drawn(distribution_chart(NPS, {}, link=str))

    assert len(list(chart.iter("a"))) == 11
    assert not classes(chart, "c-det")


def test_the_strip_shares_the_width_and_leaves_out_what_nobody_gave():
    chart = drawn(strip(NPS, {"detractors": 68, "passives": 115, "promoters": 229}))
    alone = drawn(strip(NPS, {"detractors": 0, "passives": 0, "promoters": 3}))

    assert chart[0].get("aria-label") == "68 detractors, 115 passives, 229 promoters"
    assert classes(chart, "c-pro")[0].get("x") == "44.42%"
    assert [rect.get("width") for rect in alone.iter("rect")] == ["100%"]
    assert not list(drawn(strip(NPS, {})).iter("rect"))


def test_low_answers_are_hatched_in_the_legend_too():
    assert "url(#hatch)" in key(NPS.class_of(3))
    assert "url(#hatch)" not in key(NPS.class_of(9))


def test_those_held_back_stand_at_the_far_end():
    chart = drawn(funnel_bar(1127, 3184, held=True))

    assert classes(chart, "f-held")[0].get("x") == "64.6%"
    assert classes(drawn(funnel_bar(5, 0)), "f-bar")[0].get("width") == "0%"


def test_the_size_of_an_audience_is_a_line_from_nobody_up():
    chart = drawn(size_chart([0, 50, 100], names=["20 Nov", "21 Nov", "22 Nov"]))

    (line,) = classes(chart, "c-line")
    assert line.get("points") == "0.00,100.00 50.00,50.00 100.00,0.00"
    (area,) = classes(chart, "c-band")
    assert area.get("points") == "0,100 0.00,100.00 50.00,50.00 100.00,0.00 100,100"
    assert texts(chart)[-3:] == ["20 Nov", "21 Nov", "22 Nov"]


@pytest.mark.parametrize("sizes", [[0, 0], [1, 0], [1_000_000, 999_999, 3], [7] * 90])
def test_any_sizes_are_drawn_within_their_scale(sizes: list[int]):
    chart = drawn(size_chart(sizes, names=[str(number) for number in range(len(sizes))]))

    (line,) = classes(chart, "c-line")
    heights = [float(place.split(",")[1]) for place in (line.get("points") or "").split()]
    assert len(heights) == len(sizes)
    assert all(0 <= height <= 100 for height in heights)
    assert len(classes(chart, "c-zero")) == 1
