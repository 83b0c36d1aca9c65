"""When an invitation is due."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from heard.campaigns.window import Day, Window, first_moment
from heard.contacts.contact import Contact
from heard.deliveries.schedule import due, in_window, zone_of
from tests.examples import DAY, HOUR, MARSHALL, NOON, a_campaign

OFFICE = Window(days=(Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI), start=time(9), end=time(17), zone="Europe/Berlin")
BERLIN = ZoneInfo("Europe/Berlin")


def somebody(zone: str | None = None, **traits: Any) -> Contact:
    """`zone`: what their browser says."""
    return msgspec.structs.replace(MARSHALL, zone=zone, traits=msgspec.json.encode(traits))


def test_the_delay_counts_from_the_event_not_from_its_arrival():
    assert due(a_campaign(delay=3 * DAY), event_at=NOON - HOUR, now=NOON) == NOON + 3 * DAY - HOUR


def test_nothing_is_due_in_the_past():
    assert due(a_campaign(), event_at=NOON - HOUR, now=NOON) == NOON


def test_inside_the_window_nothing_moves():
    monday = datetime(2026, 11, 23, 10, tzinfo=UTC)

    assert in_window(a_campaign(window=OFFICE), monday, BERLIN) == monday


def test_after_hours_it_waits_for_the_morning():
    monday_evening = datetime(2026, 11, 23, 20, tzinfo=UTC)

    assert in_window(a_campaign(window=OFFICE), monday_evening, BERLIN) == datetime(2026, 11, 24, 8, tzinfo=UTC)


def test_on_sunday_it_waits_for_monday():
    assert in_window(a_campaign(window=OFFICE), NOON, BERLIN) == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_nine_is_nine_on_both_sides_of_a_clock_change():
    before, after = datetime(2026, 3, 27, 20, tzinfo=UTC), datetime(2026, 3, 29, 20, tzinfo=UTC)

    assert first_moment(OFFICE, before, BERLIN) == datetime(2026, 3, 30, 7, tzinfo=UTC)  # summer time by then
    assert first_moment(OFFICE, after, BERLIN) == datetime(2026, 3, 30, 7, tzinfo=UTC)


def test_the_29th_of_february_is_a_day_like_any():
    assert due(a_campaign(delay=DAY), event_at=datetime(2028, 2, 28, 12, tzinfo=UTC), now=NOON) == datetime(
        2028, 2, 29, 12, tzinfo=UTC
    )


def test_the_zone_is_the_recipients_when_a_trait_names_one():
    campaign = a_campaign(window=Window(start=time(9), end=time(17)))

    assert zone_of(campaign, somebody(timezone="America/New_York")).key == "America/New_York"
    assert zone_of(campaign, somebody(timezone="Middle Earth")).key == "UTC"
    assert zone_of(campaign, somebody()).key == "UTC"
    assert zone_of(campaign, None).key == "UTC"


def test_what_their_browser_says_counts_where_no_trait_names_a_zone():
    campaign = a_campaign(window=Window(start=time(9), end=time(17)))

    assert zone_of(campaign, somebody("Asia/Tokyo")).key == "Asia/Tokyo"
    assert zone_of(campaign, somebody("Asia/Tokyo", tz="Europe/Berlin")).key == "Europe/Berlin"
    assert zone_of(campaign, somebody("Asia/Tokyo", timezone="Middle Earth")).key == "Asia/Tokyo"
    assert zone_of(campaign, somebody("Middle Earth")).key == "UTC", "another machine knew it"
    assert zone_of(a_campaign(window=OFFICE), somebody("Asia/Tokyo")).key == "Europe/Berlin"
