"""On days on which clocks change, and on the 29th of February, everybody is asked in the hours of their own clock.

Each walk visits every moment at which something is due, as the test clock does: event, delay, mail, reminder, the next
turn, its mail and its reminder. Ted's zone is a trait of his; Lily's is what her browser says.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from heard.steps import turns
from heard.store import tables
from tests.contracts.desk import Desk
from tests.contracts.test_waves import ask
from tests.examples import DAY, HOUR, MINUTE

ZONES = {"ted": ZoneInfo("Europe/Berlin"), "lily": ZoneInfo("America/New_York")}
NINE_TO_TEN = {"from": "09:00", "to": "10:00", "zone": "contact"}


def both_order(desk: Desk, at: datetime) -> None:
    desk.now = at
    browser = {"context": {"timezone": "America/New_York"}}
    desk.receive(
        desk.identify("ted", email="ted@mosby.example", timezone="Europe/Berlin"),
        desk.identify("lily", email="lily@aldrin.example") | browser,
        desk.track("ted"),
        desk.track("lily"),
    )


def walk(desk: Desk, until: datetime) -> dict[str, list[str]]:
    """When each was mailed, as the clock on their own wall read."""
    told: dict[str, list[str]] = {user: [] for user in ZONES}
    while (moment := next_moment(desk)) is not None and moment < until:
        desk.now = max(desk.now, moment - MINUTE)
        ask(desk)
        assert moment == desk.now or desk.send() == [], "a minute too early"
        desk.now = moment
        ask(desk)
        for sent in desk.send():
            here = desk.now.astimezone(ZONES[sent.user_id or ""])
            told[sent.user_id or ""].append(f"{here:%a %d %b %H:%M %Z}, {sent.kind.value}")
    return told


def next_moment(desk: Desk) -> datetime | None:
    planned = [each.due_at for each in desk.rows(tables.deliveries) if each.state == "scheduled"]
    turn = desk.store.read_now(partial(turns.next_due, directory=desk.directory, now=desk.now))
    return min([*planned, *([turn] if turn else [])], default=None)


@pytest.mark.parametrize(
    ("ordered", "ted", "lily"),
    [
        pytest.param(
            datetime(2027, 3, 26, 8, 30, tzinfo=UTC),
            [
                "Sat 27 Mar 09:30 CET, first",
                "Mon 29 Mar 09:00 CEST, reminder",  # a day later is half past ten on Sunday
                "Wed 28 Apr 09:00 CEST, first",
                "Thu 29 Apr 09:00 CEST, reminder",
            ],
            [
                "Sat 27 Mar 09:00 EDT, first",
                "Sun 28 Mar 09:00 EDT, reminder",
                "Tue 27 Apr 09:00 EDT, first",
                "Wed 28 Apr 09:00 EDT, reminder",
            ],
            id="Berlin's spring",
        ),
        pytest.param(
            datetime(2027, 3, 12, 13, 30, tzinfo=UTC),
            [
                "Sun 14 Mar 09:00 CET, first",  # the day before, it is half past two
                "Mon 15 Mar 09:00 CET, reminder",
                "Thu 15 Apr 09:00 CEST, first",  # the turn is on the 13th at ten, and the day of the delay ends at ten
                "Fri 16 Apr 09:00 CEST, reminder",
            ],
            [
                "Sat 13 Mar 09:00 EST, first",
                "Mon 15 Mar 09:00 EDT, reminder",  # a day later is ten on Sunday, when the window has shut
                "Wed 14 Apr 09:00 EDT, first",
                "Thu 15 Apr 09:00 EDT, reminder",
            ],
            id="New York's spring",
        ),
        pytest.param(
            datetime(2027, 10, 29, 7, 0, tzinfo=UTC),
            [
                "Sat 30 Oct 09:00 CEST, first",
                "Sun 31 Oct 09:00 CET, reminder",  # a day later is eight on Sunday
                "Tue 30 Nov 09:00 CET, first",
                "Wed 01 Dec 09:00 CET, reminder",
            ],
            [
                "Sat 30 Oct 09:00 EDT, first",
                "Sun 31 Oct 09:00 EDT, reminder",
                "Tue 30 Nov 09:00 EST, first",
                "Wed 01 Dec 09:00 EST, reminder",
            ],
            id="both autumns",
        ),
        pytest.param(
            datetime(2028, 2, 28, 8, 30, tzinfo=UTC),
            [
                "Tue 29 Feb 09:30 CET, first",
                "Wed 01 Mar 09:30 CET, reminder",
                "Sat 01 Apr 09:00 CEST, first",
                "Sun 02 Apr 09:00 CEST, reminder",
            ],
            [
                "Tue 29 Feb 09:00 EST, first",
                "Wed 01 Mar 09:00 EST, reminder",
                "Sat 01 Apr 09:00 EDT, first",
                "Sun 02 Apr 09:00 EDT, reminder",
            ],
            id="the 29th of February",
        ),
    ],
)
def test_each_is_mailed_in_the_hours_of_their_own_clock_and_once(
    desk: Desk, ordered: datetime, ted: list[str], lily: list[str]
):
    desk.campaign(delay="1d", reminder="24h", recurring="30d", window=NINE_TO_TEN)
    both_order(desk, ordered)

    assert walk(desk, ordered + 40 * DAY) == {"ted": ted, "lily": lily}


@pytest.mark.parametrize(
    ("ordered", "sent"),
    [
        (datetime(2027, 3, 27, 12, tzinfo=UTC), "Sun 28 Mar 03:30 CEST, first"),  # there is no half past two
        (datetime(2027, 10, 30, 12, tzinfo=UTC), "Sun 31 Oct 02:30 CEST, first"),  # there are two
    ],
)
def test_a_window_that_opens_in_an_hour_which_is_left_out_or_comes_twice(desk: Desk, ordered: datetime, sent: str):
    desk.campaign(window={"from": "02:30", "to": "04:00", "zone": "contact"})
    both_order(desk, ordered)

    assert walk(desk, ordered + 3 * DAY)["ted"] == [sent]


def test_nobody_is_mailed_at_night_for_want_of_a_trait(desk: Desk):
    desk.campaign(window={"from": "09:00", "to": "17:00", "zone": "contact"})
    desk.now = datetime(2027, 3, 1, 9, tzinfo=UTC)  # one at night in Los Angeles
    ted = desk.identify("ted", email="ted@mosby.example") | {"context": {"timezone": "America/Los_Angeles"}}
    desk.receive(ted, desk.track("ted"))

    assert desk.send() == []
    desk.wait(8 * HOUR)
    assert [each.user_id for each in desk.send()] == ["ted"]
