"""Groups, and which of them really differ; scores over time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.errors import Invalid
from heard.scores import nps
from heard.scores.breakdown import Group, adjusted, breakdown
from heard.scores.comparison import compare
from heard.scores.trend import first_day, start, starts, trend
from heard.scores.window import window

HAPPY = {10.0: 40, 8.0: 5, 2.0: 5}
UNHAPPY = {10.0: 10, 8.0: 10, 2.0: 30}


def groups(**found: dict[float, int]) -> dict[str, Group]:
    return {group.value: group for group in breakdown(nps.METRIC, {f'"{name}"': one for name, one in found.items()})}


def test_a_difference_is_that_of_the_scores_as_shown():
    found = compare(nps.METRIC, HAPPY, UNHAPPY)

    assert found.value == 70 - -40
    assert found.interval[0] < found.value < found.interval[1]
    assert found.p < 1e-6


def test_two_equal_groups_differ_by_nothing():
    found = compare(nps.METRIC, HAPPY, HAPPY)

    assert found.value == 0
    assert found.p == 1
    assert found.interval[0] == -found.interval[1]


def test_groups_that_differ_are_told_apart_with_the_largest_first():
    found = breakdown(nps.METRIC, {'"Free"': UNHAPPY, '"Premium"': {10.0: 60, 2.0: 5}})

    assert [group.value for group in found] == ["Premium", "Free"]
    assert all(group.difference is not None and group.difference.distinguishable for group in found)


def test_nine_answers_tell_nothing_apart_however_they_differ():
    nine, ten = groups(small={10.0: 9}, rest={0.0: 100}), groups(small={10.0: 10}, rest={0.0: 100})

    assert nine["small"].difference is not None
    assert nine["small"].difference.q < 0.001
    assert not nine["small"].difference.distinguishable
    assert not nine["rest"].difference.distinguishable  # type: ignore[union-attr]
    assert ten["small"].difference.distinguishable  # type: ignore[union-attr]


def test_one_odd_group_among_many_alike_needs_more_evidence_than_alone():
    odd = {10.0: 20, 8.0: 10, 2.0: 3}
    alone = groups(odd=odd, rest={10.0: 300, 8.0: 400, 2.0: 300})
    among = groups(odd=odd, **{f"g{index}": {10.0: 15, 8.0: 20, 2.0: 15} for index in range(20)})

    assert alone["odd"].difference.distinguishable  # type: ignore[union-attr]
    assert among["odd"].difference.q > alone["odd"].difference.q  # type: ignore[union-attr]


def test_a_group_without_a_rest_is_compared_to_nothing():
    (only,) = breakdown(nps.METRIC, {'"all"': HAPPY})

    assert only.difference is None


def test_values_are_shown_as_they_are():
    found = breakdown(nps.METRIC, {"5": HAPPY, "true": HAPPY, "null": HAPPY, '"5"': HAPPY, "[1]": HAPPY})

    assert [group.value for group in found] == [5, True, None, "5", [1]]


def test_the_rest_is_everybody_else_also_those_whose_group_is_not_shown():
    (shown,) = breakdown(nps.METRIC, {'"a"': {10.0: 20}}, whole={10.0: 20, 0.0: 20})

    assert shown.difference is not None
    assert shown.difference.value == 200


def test_q_by_the_textbook():
    ps = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216]
    expected = [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.105714, 0.216, 0.216, 0.216]

    assert adjusted(ps) == pytest.approx(expected, abs=1e-6)
    assert adjusted([]) == []


@given(st.lists(st.floats(0, 1), min_size=1))
def test_q_is_never_smaller_than_p_and_keeps_its_order(ps: list[float]):
    qs = adjusted(ps)

    assert all(p <= q <= 1 for p, q in zip(ps, qs, strict=True))
    assert [q for _, q in sorted(zip(ps, qs, strict=True))] == sorted(qs)


@pytest.mark.parametrize(
    ("every", "begins"), [("week", date(2025, 12, 29)), ("month", date(2026, 1, 1)), ("quarter", date(2026, 1, 1))]
)
def test_a_period_begins_at_midnight_utc(every: str, begins: date):
    moment = datetime(2026, 1, 3, 23, 30, tzinfo=UTC)

    assert start(moment, every) == datetime(begins.year, begins.month, begins.day, tzinfo=UTC)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.sampled_from(["week", "month", "quarter"]))
def test_periods_follow_each_other_without_gap_or_overlap(day: date, every: str):
    days = list(starts(day, date.fromordinal(day.toordinal() + 800), every))

    assert days == sorted(set(days))
    assert all(first_day(one, every) == one for one in days)
    assert all(
        first_day(date.fromordinal(later.toordinal() - 1), every) == earlier for earlier, later in pairwise(days)
    )


def test_a_month_without_answers_is_a_gap_and_not_left_out():
    points = trend(nps.METRIC, "month", {date(2026, 1, 1): HAPPY, date(2026, 3, 1): UNHAPPY})

    assert [(point.period, point.n, point.score) for point in points] == [
        ("2026-01-01", 50, 70),
        ("2026-02-01", 0, None),
        ("2026-03-01", 50, -40),
    ]
    assert points[1].interval is None


def test_days_in_a_window_are_whole_and_moments_exact():
    days = window("2026-01-01", "2026-01-31")
    moments = window("2026-01-01T12:00:00+02:00", "2026-01-31T00:00:00Z")

    assert (days.begins, days.ends) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    assert (moments.begins, moments.ends) == (
        datetime(2026, 1, 1, 10, tzinfo=UTC),
        datetime(2026, 1, 31, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("begins", "ends", "field"),
    [("soon", None, "from"), (None, "2026-13-01", "to"), ("2026-02-01", "2026-01-01", "from")],
)
def test_a_window_that_makes_no_sense_is_refused_by_name(begins: str | None, ends: str | None, field: str):
    with pytest.raises(Invalid) as refused:
        window(begins, ends)

    assert refused.value.field == field
