"""How many requests a source may send, and how long it has to wait for the next one."""

from __future__ import annotations

import pytest

from heard.collector.rate import Rate

WEBSITE, APP = 1, 2


def test_two_seconds_worth_may_come_at_once():
    rate = Rate(per_second=5)

    assert [rate.wait(WEBSITE, 100.0) for _ in range(10)] == [0] * 10
    assert rate.wait(WEBSITE, 100.0) == pytest.approx(0.2)


def test_after_a_burst_requests_come_in_at_the_rate():
    rate = Rate(per_second=5)
    moments = [100 + step / 100 for step in range(1_000)]

    taken = sum(rate.wait(WEBSITE, moment) == 0 for moment in moments)

    assert taken == 10 + 49


def test_asking_too_often_does_not_make_the_wait_longer():
    rate = Rate(per_second=1)
    waits = [rate.wait(WEBSITE, 100.0) for _ in range(50)]

    assert waits == [0, 0] + [pytest.approx(1.0)] * 48
    assert rate.wait(WEBSITE, 101.0) == 0


def test_a_source_does_not_pay_for_another_one():
    rate = Rate(per_second=1)
    while rate.wait(WEBSITE, 100.0) == 0:
        pass

    assert rate.wait(APP, 100.0) == 0


def test_a_long_silence_saves_up_no_more_than_the_burst():
    rate = Rate(per_second=1)
    rate.wait(WEBSITE, 0.0)

    assert [rate.wait(WEBSITE, 1_000_000.0) for _ in range(3)] == [0, 0, pytest.approx(1.0)]
