"""The ledger of touches: every ask somebody got, or is about to get, over all campaigns and channels.

A touch is reserved when an invitation is decided, made when it was sent or seen, and released when it was cancelled or
failed. Distance is looked at both ways from the due moment, because a later decision can be due earlier: a survey with
a week's delay decided on Monday is not yet sent when one without delay is decided on Tuesday.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class TouchKind(StrEnum):
    FIRST = "first"
    REMINDER = "reminder"


class TouchState(StrEnum):
    RESERVED = "reserved"
    MADE = "made"
    RELEASED = "released"


class Why(StrEnum):
    """Why an ask that was reserved is to be made at another moment."""

    RULES = "rules"  # its window was shut, or somebody had just been asked
    RATE = "rate"  # no more mails were to go out then
    CAP = "cap"  # its campaign had asked as many that day as its daily cap allows
    FAILED = "failed"  # the mail server did not take it, and it is tried again
    RESUMED = "resumed"  # its campaign went on after a pause
    ASKED_AGAIN = "asked again"  # the invitation that it reminds of went out once more


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """One ask. `contact` and `email_key` are both kept: one mailbox is one person, whatever its accounts are called."""

    contact: int
    email_key: str | None
    campaign: int
    metric: str
    channel: str
    kind: TouchKind
    at: datetime
    state: TouchState
    delivery: str


class Postponed(msgspec.Struct, frozen=True, kw_only=True):
    """At a moment, an ask that was to be made then became one that is to be made later."""

    at: datetime
    was: datetime
    until: datetime
    why: Why


class Touches(tuple[Touch, ...]):
    """Some touches of one person, as a sentence: `touches.of_campaign(c).near(due, period)`."""

    __slots__ = ()

    def live(self) -> Touches:
        return Touches(touch for touch in self if touch.state != TouchState.RELEASED)

    def first_asks(self) -> Touches:
        """Without reminders: a reminder is part of the ask it reminds of, and counts for the 24 h floor only."""
        return Touches(touch for touch in self if touch.kind == TouchKind.FIRST)

    def of_campaign(self, campaign: int) -> Touches:
        return Touches(touch for touch in self if touch.campaign == campaign)

    def of_metric(self, metric: str) -> Touches:
        return Touches(touch for touch in self if touch.metric == metric)

    def without(self, delivery: str) -> Touches:
        return Touches(touch for touch in self if touch.delivery != delivery)

    def without_reminders_after(self, moment: datetime) -> Touches:
        """A reminder that is still to come gives way: whatever is sent before it puts it off."""
        return Touches(
            touch
            for touch in self
            if not (touch.kind == TouchKind.REMINDER and touch.state == TouchState.RESERVED and touch.at > moment)
        )

    def near(self, moment: datetime, period: timedelta) -> Touches:
        """Those less than `period` from the moment, before or after; exactly `period` away is far enough."""
        return Touches(touch for touch in self if abs(touch.at - moment) < period)


def first_free_moment(touches: Iterable[Touch], after: datetime, period: timedelta) -> datetime:
    """The first moment, not before `after`, that is at least `period` from every touch.

    Example: touches on day 0 and day 40, a period of 30 days, asked on day 5: day 30 is too near to day 40, so day 70.
    """
    free = after
    for touch in _in_order(touches):
        if abs(touch.at - free) < period:
            free = touch.at + period
    return free


def _in_order(touches: Iterable[Touch]) -> Iterator[Touch]:
    return iter(sorted(touches, key=lambda touch: touch.at))
