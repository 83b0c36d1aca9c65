"""When did it happen? The sentAt rule, as `heard.messages.timestamps` states it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from heard.messages import timestamps

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def test_line_08_a_clock_that_is_an_hour_ahead_is_put_right():
    assert timestamps.when(NOON + HOUR, NOON + HOUR, NOON) == NOON


def test_a_clock_that_is_an_hour_behind_is_put_right():
    assert timestamps.when(NOON - HOUR - MINUTE, NOON - HOUR, NOON) == NOON - MINUTE


def test_what_waited_on_a_phone_for_an_hour_happened_an_hour_before_its_receipt():
    assert timestamps.when(NOON - HOUR, NOON, NOON + MINUTE) == NOON - HOUR + MINUTE


def test_line_08_without_a_sent_at_the_timestamp_is_taken_as_sent():
    assert timestamps.when(NOON - 100 * HOUR, None, NOON) == NOON - 100 * HOUR


def test_without_a_timestamp_it_happened_when_it_was_received():
    assert timestamps.when(None, NOON + HOUR, NOON) == NOON


@pytest.mark.parametrize("original", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2300-01-01T00:00:00Z"])
def test_fault_20_a_moment_outside_1970_to_2200_is_replaced_by_the_receipt(original: str):
    assert timestamps.when(timestamps.parse(original), None, NOON) == NOON


def test_fault_20_a_moment_more_than_a_year_ahead_is_replaced_by_the_receipt():
    assert timestamps.when(NOON + timedelta(days=367), None, NOON) == NOON


def test_a_moment_within_a_year_ahead_is_believed():
    assert timestamps.when(NOON + timedelta(days=300), None, NOON) == NOON + timedelta(days=300)


def test_fault_20_a_correction_that_leaves_the_calendar_is_replaced_by_the_receipt():
    assert timestamps.when(timestamps.parse("9999-12-31T23:59:59Z"), timestamps.parse("0001-01-01"), NOON) == NOON


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T00:49:34.550Z", datetime(2026, 11, 22, 0, 49, 34, 550_000, tzinfo=UTC)),
        ("2026-11-22T00:48:53.937+00:00", datetime(2026, 11, 22, 0, 48, 53, 937_000, tzinfo=UTC)),
        ("2026-11-22T00:48:53.937123+02:00", datetime(2026, 11, 21, 22, 48, 53, 937_123, tzinfo=UTC)),
        ("2026-11-22T00:48:53.123456789Z", datetime(2026, 11, 22, 0, 48, 53, 123_456, tzinfo=UTC)),
        ("2026-11-22T00:48:53+0530", datetime(2026, 11, 21, 19, 18, 53, tzinfo=UTC)),
        ("2015-2-02T00:30:08.276Z", datetime(2015, 2, 2, 0, 30, 8, 276_000, tzinfo=UTC)),
        ("2026-11-22 00:48:53 UTC", datetime(2026, 11, 22, 0, 48, 53, tzinfo=UTC)),
        ("2026-11-22T00:48:53", datetime(2026, 11, 22, 0, 48, 53, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_dates_are_read_as_libraries_and_people_write_them(text: str, moment: datetime):
    assert timestamps.read(text) == moment


@pytest.mark.parametrize("number", [1_795_308_620, 1_795_308_620_000])
def test_a_bare_number_counts_seconds_or_milliseconds(number: int):
    assert timestamps.read(number) == datetime(2026, 11, 22, 0, 50, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    ["yesterday", "", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", 1e300, float("inf"), True, None, [], {}],
)
def test_what_is_no_date_is_none(value: object):
    assert timestamps.read(value) is None
