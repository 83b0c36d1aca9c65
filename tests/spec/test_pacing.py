"""How many mails may go out, and when the next one may."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from heard.accounts.mail_settings import Rates
from heard.deliveries.pacing import MICROSECOND, RAMP, HandedOver, Pace, of_day, recipients_of, warm_up_day
from tests.examples import HOUR, MINUTE, NOON

TED, LILY, ROBIN = "ted@mosby.example", "lily@mosby.example", "robin@scherbatsky.example"
MIDNIGHT = NOON + 12 * HOUR
SUNDAY = NOON.date()


def test_without_a_rate_everything_goes():
    pace = Pace(Rates(), HandedOver(hour=10_000, day=100_000), NOON)

    assert [pace.turn_of(TED) for _ in range(1000)] == [None] * 1000
    assert (pace.taken, pace.put_off) == (1000, {})


def test_what_is_over_the_hour_waits_for_the_next_behind_what_waits_there():
    now = NOON + 59 * MINUTE
    pace = Pace(Rates(hour=3), HandedOver(hour=2, day=2, waiting={NOON + HOUR: 7}), now)

    assert [pace.turn_of(TED) for _ in range(3)] == [
        None,
        NOON + HOUR + 8 * MICROSECOND,
        NOON + HOUR + 9 * MICROSECOND,
    ]
    assert (pace.taken, pace.put_off) == (1, {NOON + HOUR: 2})


def test_what_is_over_the_day_waits_for_the_next_even_where_the_hour_has_room():
    pace = Pace(Rates(hour=100, day=20), HandedOver(hour=0, day=20), NOON)

    assert pace.turn_of(TED) == MIDNIGHT + MICROSECOND


def test_a_full_domain_holds_nobody_else_and_takes_no_room_from_them():
    pace = Pace(Rates(hour=2, domain=1), HandedOver(to={recipients_of("x@mosby.example"): 1}), NOON)

    assert pace.turn_of(TED) == NOON + HOUR + MICROSECOND
    assert pace.turn_of(ROBIN) is None
    assert pace.turn_of("barney@stinson.example") is None
    assert pace.taken_to == {recipients_of(ROBIN): 1, recipients_of("barney@stinson.example"): 1}


def test_a_domain_is_the_same_however_it_is_written_and_cannot_be_read():
    assert recipients_of("Ted@MOSBY.example") == recipients_of(LILY) != recipients_of(ROBIN)
    assert "mosby" not in recipients_of(TED)


@pytest.mark.parametrize(
    ("day", "limit", "number"),
    [
        (-1, 300, None),  # not begun
        (0, 50, 1),
        (1, 100, 2),
        (2, 200, 3),
        (3, 300, None),  # 400 is more than the daily rate
        (4, 300, None),
        (len(RAMP), 300, None),
    ],
)
def test_a_warm_up_doubles_until_it_is_above_the_daily_rate(day: int, limit: int, number: int | None):
    rates, today = Rates(day=300, warm_up=SUNDAY), SUNDAY + timedelta(days=day)

    assert (of_day(rates, today), warm_up_day(rates, today)) == (limit, number)


def test_a_warm_up_without_a_daily_rate_ends_by_itself():
    rates = Rates(warm_up=SUNDAY)

    assert of_day(rates, SUNDAY + timedelta(days=len(RAMP) - 1)) == RAMP[-1]
    assert of_day(rates, SUNDAY + timedelta(days=len(RAMP))) is None
    assert all(after == 2 * before for before, after in pairwise(RAMP))


def test_the_day_of_a_warm_up_begins_at_midnight_utc():
    rates = Rates(warm_up=date(2026, 11, 22))
    late = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)

    assert Pace(rates, HandedOver(day=50), late).turn_of(TED) == MIDNIGHT + MICROSECOND
    assert Pace(rates, HandedOver(day=0), MIDNIGHT).turn_of(TED) is None
