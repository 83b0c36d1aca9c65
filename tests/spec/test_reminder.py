"""When somebody is reminded, and when not any more."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from heard.campaigns.campaign import LATEST_REMINDER, SOONEST_REMINDER, Status
from heard.campaigns.window import Day, Window
from heard.contacts.standing import Kind
from heard.deliveries.delivery import OPEN_FOR, Delivery, State
from heard.deliveries.eligibility import FLOOR, Decline, Invite
from heard.deliveries.ledger import Touches, TouchKind, TouchState
from heard.deliveries.reminder import Later, Moot, due, reconsider
from heard.deliveries.schedule import UTC_ZONE
from tests.examples import DAY, HOUR, NOON, a_campaign, a_case, a_delivery, a_touch

MORNINGS = Window(days=(Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI), start=time(9), end=time(12), zone="UTC")
MONDAY_MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)  # NOON is a Sunday


def the_first(**changes: Any) -> Delivery:
    return a_delivery(**{"state": State.SENT, "sent_at": NOON - 3 * DAY, **changes})


def asked_again(first: Delivery | None = None, *, zone: Any = UTC_ZONE, **changes: Any) -> Any:
    """The answer at noon, three days after the first mail."""
    case = a_case(**{"campaign": a_campaign(reminder=3 * DAY), "trigger": None, **changes})
    return reconsider(case, first or the_first(), zone=zone)


def reasons(answer: object) -> list[str]:
    assert isinstance(answer, Decline)
    return [each.reason.value for each in answer.objections]


def test_three_days_after_the_mail_somebody_silent_is_reminded():
    assert asked_again() == Invite(NOON)
    assert asked_again(the_first(state=State.UNKNOWN)) == Invite(NOON)


def test_whoever_answered_is_not():
    assert reasons(asked_again(the_first(state=State.ANSWERED))) == ["already_answered"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"standing": frozenset({Kind.UNSUBSCRIBED})}, "unsubscribed"),
        ({"standing": frozenset({Kind.BOUNCED})}, "bounced"),
        ({"standing": frozenset({Kind.SUPPRESSED})}, "suppressed"),
        ({"contact": None}, "not_identified"),
        ({"unwanted_survey": "NPS"}, "unsubscribed"),
        ({"less_often": True, "touches": [a_touch(at=NOON - 3 * DAY)]}, "workspace_quiet_period"),
        ({"campaign": a_campaign(reminder=3 * DAY, status=Status.COMPLETE)}, "campaign_not_running"),
        ({"campaign": a_campaign(reminder=3 * DAY, ends=NOON)}, "campaign_not_running"),
    ],
)
def test_the_rules_for_reminders_are_asked(changes: dict[str, Any], reason: str):
    assert reasons(asked_again(**changes)) == [reason]


def test_a_quiet_period_or_a_throttle_stops_no_reminder():
    other = a_touch(at=NOON - 2 * DAY, campaign=2)

    assert asked_again(campaign=a_campaign(reminder=3 * DAY, throttle=90 * DAY), touches=[other]) == Invite(NOON)


def test_something_else_within_a_day_makes_it_wait():
    other = a_touch(at=NOON - 5 * HOUR, campaign=2)

    assert asked_again(touches=[other]) == Later(NOON + 19 * HOUR)


def test_an_objection_that_does_not_pass_outweighs_one_that_does():
    other = a_touch(at=NOON - 5 * HOUR, campaign=2)
    answer = asked_again(touches=[other], standing=frozenset({Kind.UNSUBSCRIBED}))

    assert reasons(answer) == ["unsubscribed", "asked_within_24h"]


def test_outside_the_window_it_waits_for_the_next_opening():
    assert asked_again(campaign=a_campaign(reminder=3 * DAY, window=MORNINGS)) == Later(MONDAY_MORNING)


def test_the_campaign_counts_as_it_is_now():
    assert asked_again(campaign=a_campaign(reminder=5 * DAY)) == Later(NOON + 2 * DAY)
    assert asked_again(campaign=a_campaign(reminder=DAY)) == Invite(NOON)
    assert asked_again(campaign=a_campaign()) == Moot("the campaign does not remind any more")


def test_nobody_is_reminded_of_what_can_be_answered_no_longer():
    assert asked_again(the_first(state=State.EXPIRED)) == Moot("the survey has closed")
    assert asked_again(the_first(sent_at=NOON - OPEN_FOR)) == Moot("the survey has closed")
    assert asked_again(the_first(state=State.FAILED)) == Moot("the invitation is failed")
    assert reconsider(a_case(), None, zone=UTC_ZONE) == Moot("the invitation is gone")


def test_it_is_due_so_long_after_the_mail_and_in_the_window():
    plain = {"sent_at": NOON, "touches": Touches(), "zone": UTC_ZONE}

    assert due(a_campaign(), 3 * DAY, **plain) == NOON + 3 * DAY
    assert due(a_campaign(window=MORNINGS), 7 * DAY, **plain) == MONDAY_MORNING + 7 * DAY


def test_it_keeps_away_from_what_is_reserved_and_from_the_edge_of_the_window():
    later = a_touch(at=NOON + 3 * DAY + HOUR, campaign=2, state=TouchState.RESERVED)
    touches = Touches([a_touch(at=NOON), later])

    assert due(a_campaign(), 3 * DAY, sent_at=NOON, touches=touches, zone=UTC_ZONE) == NOON + 4 * DAY + HOUR
    moved = due(a_campaign(window=MORNINGS), 3 * DAY, sent_at=NOON, touches=touches, zone=UTC_ZONE)
    assert moved == MONDAY_MORNING + 4 * DAY  # a day after Wednesday, 13:00, is Thursday, 13:00: then it is closed


def test_a_released_touch_is_in_nobodys_way():
    gone = a_touch(at=NOON + 3 * DAY, campaign=2, state=TouchState.RELEASED)

    assert due(a_campaign(), 3 * DAY, sent_at=NOON, touches=Touches([gone]), zone=UTC_ZONE) == NOON + 3 * DAY


def test_the_soonest_keeps_the_24_hours_and_the_latest_can_still_be_answered():
    assert SOONEST_REMINDER >= FLOOR
    assert LATEST_REMINDER + timedelta(hours=23) < OPEN_FOR


def test_a_reminder_is_a_touch_of_its_own_kind():
    assert Touches([a_touch(at=NOON, kind=TouchKind.REMINDER)]).first_asks() == ()
