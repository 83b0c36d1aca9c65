"""A score against another period's: how much it changed, and whether that can be told from chance."""

from __future__ import annotations

from datetime import timedelta

import pytest

from heard.scores import nps
from heard.scores.change import Against, Verdict, change, compared_window, how_often
from heard.scores.window import Window
from tests.examples import DAY, NOON

NPS = nps.METRIC


def test_six_points_between_some_hundred_answers_could_be_noise():
    now = {10.0: 229, 8.0: 115, 3.0: 68}  # +39
    then = {10.0: 195, 8.0: 104, 3.0: 72}  # +33

    found = change(NPS, now, then)

    assert found is not None
    assert found.before.n == 371
    assert round(found.value) == 6
    assert [round(end) for end in found.interval] == [-5, 17]
    assert found.verdict == Verdict.NOISE
    assert how_often(found.p) == "about 1 time in 4"


def test_thirty_points_between_some_hundred_answers_are_likely_real():
    found = change(NPS, {10.0: 300, 3.0: 100}, {10.0: 240, 3.0: 160})

    assert found is not None
    assert found.verdict == Verdict.REAL
    assert found.interval[0] > 0


def test_below_ten_answers_nothing_is_said_of_chance():
    found = change(NPS, {10.0: 9}, {3.0: 500})

    assert found is not None
    assert found.verdict == Verdict.TOO_FEW


@pytest.mark.parametrize(("now", "then"), [({}, {10.0: 5}), ({10.0: 5}, {}), ({}, {})])
def test_without_an_answer_on_both_sides_there_is_no_change(now: dict[float, int], then: dict[float, int]):
    assert change(NPS, now, then) is None


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.25, "about 1 time in 4"),
        (0.0333, "about 1 time in 30"),
        (0.00877, "about 1 time in 110"),
        (0.0004, "less than 1 time in 1,000"),
        (0.0, "less than 1 time in 1,000"),
        (0.5, "about 1 time in 2"),
        (0.75, "about 3 times in 4"),
        (0.99, "nearly every time"),
        (1.0, "nearly every time"),
    ],
)
def test_a_probability_is_said_as_people_say_it(p: float, said: str):
    assert how_often(p) == said


def test_the_period_before_is_as_long_and_ends_where_this_one_begins():
    counted = Window(NOON - 90 * DAY, NOON)

    assert compared_window(counted, Against.PREVIOUS) == Window(NOON - 180 * DAY, NOON - 90 * DAY)
    assert compared_window(counted, Against.LAST_YEAR) == Window(NOON - 454 * DAY, NOON - timedelta(days=364))
    assert compared_window(counted, Against.NOTHING) is None


def test_before_all_answers_there_is_nothing():
    assert compared_window(Window(None, NOON), Against.PREVIOUS) is None
