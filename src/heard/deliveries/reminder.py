"""When somebody who has not answered is reminded, and whether at all. It happens once, and is part of the same ask."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from heard.campaigns.campaign import Campaign
from heard.deliveries import schedule
from heard.deliveries.case import Case
from heard.deliveries.delivery import Delivery, State
from heard.deliveries.eligibility import FLOOR, RULES_FOR_REMINDERS, Decline, Invite, objections_to
from heard.deliveries.ledger import Touches, first_free_moment
from heard.deliveries.reasons import Reason

UNANSWERED = frozenset({State.SENT, State.UNKNOWN})  # it arrived, or may have


class Later(msgspec.Struct, frozen=True):
    """Not now, but then."""

    until: datetime


class Moot(msgspec.Struct, frozen=True):
    """There is nothing to remind of any more; `why` completes "Not sent:"."""

    why: str


def due(campaign: Campaign, length: timedelta, *, sent_at: datetime, touches: Touches, zone: ZoneInfo) -> datetime:
    """`length` after the first mail, moved to where the send window is open and nothing else is within a day.

    `touches` are the person's, the reminder's own left out.
    """
    return _free_and_open(campaign, sent_at + length, touches, zone)


def reconsider(case: Case, first: Delivery | None, *, zone: ZoneInfo) -> Invite | Decline | Later | Moot:
    """Now that it is due: may they be reminded of `first`? The reminder's own touch is left out of the case.

    The campaign counts as it is now: one that waits longer than it did waits on; one that reminds no more does not.
    Something else that asks them within a day is no reason to give up: the reminder waits until it is far enough.
    """
    if first is None:
        return Moot("the invitation is gone")
    if (why := _moot(case, first)) is not None:
        return Moot(why)
    answered = msgspec.structs.replace(case, already_answered=first.state == State.ANSWERED)
    objections = objections_to(answered, RULES_FOR_REMINDERS)
    if objections and {each.reason for each in objections} != {Reason.ASKED_WITHIN_24H}:
        return Decline(objections)
    earliest = max(case.now, (first.sent_at or case.now) + (case.campaign.reminder or FLOOR))
    free = _free_and_open(case.campaign, earliest, case.touches, zone)
    return Later(free) if free > case.now else Invite(case.now)


def _moot(case: Case, first: Delivery) -> str | None:
    if first.state == State.ANSWERED:
        return None  # a rule says so
    if case.campaign.reminder is None:
        return "the campaign does not remind any more"
    if first.state == State.EXPIRED or case.now >= first.closes_at:
        return "the survey has closed"
    return None if first.state in UNANSWERED else f"the invitation is {first.state}"


def _free_and_open(campaign: Campaign, moment: datetime, touches: Touches, zone: ZoneInfo) -> datetime:
    """The first moment from here on that is 24 hours from every live touch and in the send window."""
    live = touches.live()
    while True:
        opens = schedule.in_window(campaign, moment, zone)
        moment = first_free_moment(live, opens, FLOOR)
        if moment == opens:
            return moment
