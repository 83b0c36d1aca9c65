"""A response rate never stands alone: how many of how many, and where the true one lies."""

from __future__ import annotations

import pytest

from heard.scores.rate import rate


def test_two_of_ten():
    found = rate(2, 10)

    assert (found.n, found.of, found.share) == (2, 10, 0.2)
    assert found.interval == pytest.approx((0.0567, 0.5098), abs=0.0001)


def test_nobody_asked_is_no_rate():
    assert (rate(0, 0).share, rate(0, 0).interval) == (None, None)


@pytest.mark.parametrize("n", [0, 10])
def test_the_ends_keep_a_width_and_stay_inside(n: int):
    low, high = rate(n, 10).interval or (0, 0)

    assert 0 <= low < high <= 1
    assert low <= n / 10 <= high


@pytest.mark.parametrize(("n", "of"), [(-1, 3), (4, 3)])
def test_more_than_all_is_refused(n: int, of: int):
    with pytest.raises(ValueError, match="no share"):
        rate(n, of)
