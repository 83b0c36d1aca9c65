"""The Net Promoter Score and its interval."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.coverage import TRUTHS, coverage, plain_wald
from heard.scores import nps
from heard.scores.metric import metric, metrics
from heard.scores.score import score

counts = st.tuples(*[st.integers(0, 500)] * 3).filter(any)


def test_the_score_is_promoters_less_detractors_in_points():
    assert nps.score(promoters=60, passives=20, detractors=20) == 40
    assert nps.score(1, 0, 0) == 100
    assert nps.score(0, 3, 0) == 0


def test_the_interval_is_adjusted_wald_with_one_answer_added_to_each_class():
    # p = 7/13, d = 3/13, s = 4/13, se = sqrt((p + d - s²) / 13)
    p, d = 7 / 13, 3 / 13
    reach = 1.959964 * math.sqrt((p + d - (p - d) ** 2) / 13)

    low, high = nps.interval(6, 2, 2)

    assert low == pytest.approx(100 * (p - d - reach), abs=1e-4)
    assert high == pytest.approx(100 * (p - d + reach), abs=1e-4)


def test_fifty_answers_at_forty_points_leave_about_twenty_points_either_way():
    low, high = nps.interval(29, 12, 9)

    assert (high - low) / 2 == pytest.approx(21, abs=1)


def test_the_interval_ends_where_the_scale_ends():
    assert nps.interval(10, 0, 0)[1] == 100
    assert nps.interval(0, 0, 10)[0] == -100


def test_even_a_unanimous_group_is_uncertain():
    low, high = nps.interval(5, 0, 0)

    assert low < 60
    assert high == 100


@given(counts)
def test_the_interval_holds_the_scale_and_narrows_with_less_confidence(found: tuple[int, int, int]):
    low, high = nps.interval(*found)
    narrow_low, narrow_high = nps.interval(*found, confidence=0.8)

    assert -100 <= low <= narrow_low <= narrow_high <= high <= 100


@given(counts)
def test_turning_all_answers_round_turns_the_interval_round(found: tuple[int, int, int]):
    promoters, passives, detractors = found
    low, high = nps.interval(promoters, passives, detractors)

    assert nps.interval(detractors, passives, promoters) == pytest.approx((-high, -low))


@pytest.mark.parametrize("n", [10, 20, 50])
@pytest.mark.parametrize("truth", ["+80", "+40", "0", "-30"])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(truth: str, n: int):
    covered, _ = coverage(nps.interval, TRUTHS[truth], n)

    assert 0.945 < covered < 0.97


def test_the_plain_interval_would_not():
    assert coverage(plain_wald, TRUTHS["+80"], 10)[0] < 0.85


@pytest.mark.parametrize("found", [(0, 0, 0), (-1, 2, 3), (1, -1, 0), (1, 0, -1)])
def test_no_answers_and_negative_counts_have_no_score_and_no_interval(found: tuple[int, int, int]):
    with pytest.raises(ValueError, match="answer"):
        nps.interval(*found)
    with pytest.raises(ValueError, match="answer"):
        nps.score(*found)


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5])
def test_a_confidence_lies_between_nothing_and_certainty(confidence: float):
    with pytest.raises(ValueError, match="between 0 and 1"):
        nps.interval(1, 1, 1, confidence=confidence)


def test_every_answer_of_the_scale_has_its_category():
    assert [nps.category(value) for value in range(11)] == ["detractor"] * 7 + ["passive"] * 2 + ["promoter"] * 2


@pytest.mark.parametrize("value", [-1, 11, 7.5])
def test_a_value_off_the_scale_has_none(value: float):
    with pytest.raises(ValueError, match="from 0 to 10"):
        nps.category(value)


def test_a_score_comes_with_its_count_its_interval_and_every_value_of_the_scale():
    found = score(nps.METRIC, {9.0: 3, 10.0: 1, 7.0: 1, 3.0: 1})

    assert found.n == 6
    assert found.score == 50
    assert found.interval == pytest.approx(nps.interval(4, 1, 1), abs=1e-6)
    assert found.counts == {"promoters": 4, "passives": 1, "detractors": 1}
    assert found.distribution == {**{str(value): 0 for value in range(11)}, "9": 3, "10": 1, "7": 1, "3": 1}


def test_no_answers_are_no_score_and_not_a_score_of_zero():
    found = score(nps.METRIC, {})

    assert (found.n, found.score, found.interval) == (0, None, None)
    assert found.counts == {"promoters": 0, "passives": 0, "detractors": 0}


def test_a_metric_is_found_by_the_kind_of_its_survey():
    assert metric("nps") is nps.METRIC


@pytest.mark.parametrize("kind", metrics())
def test_every_metric_keeps_the_same_promises(kind: str):
    found = metric(kind)
    for value in found.scale:
        one = score(found, {float(value): 1})
        assert one.n == sum(one.counts.values()) == 1
        assert one.score is not None
        assert one.interval is not None
        low, high = one.interval
        assert low < high
        assert found.estimate({float(value): 1}).error > 0
