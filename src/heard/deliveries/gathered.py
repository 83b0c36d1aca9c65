"""Asking many at once: everybody on a list, every member of an audience.

Each person is decided about by the same rules as everybody else. Special is when they are due: in a drip, everybody is
given the day that has fewest of those on which they may be asked, the first of several. So the days on which everybody
may be asked differ by one person at most, whoever is declined between; and one on which some may not be asked is never
more than one person ahead of those.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from heard.deliveries.case import Case
from heard.deliveries.eligibility import Decline, Invite, decide
from heard.deliveries.reasons import Objection, Reason

FULL = frozenset({Reason.CAMPAIGN_DAILY_CAP})
TOO_NEAR = frozenset(
    {
        Reason.CAMPAIGN_THROTTLE,
        Reason.METRIC_QUIET_PERIOD,
        Reason.WORKSPACE_QUIET_PERIOD,
        Reason.ASKED_WITHIN_24H,
        Reason.TOO_NEW,
    }
)
MOST_TRIES = 10  # days that are tried for one person
FURTHEST = timedelta(days=366)  # that a full day moves somebody

Opens = Callable[[datetime], datetime]
Placed = tuple[Case, Invite | Decline]


class Slices:
    """The moments of a wave, one a day, and how many of it were given each; one where everybody is asked at once.

    `given`: by the moment at which they are due, for a wave that was begun before.
    """

    def __init__(self, days: Sequence[datetime], given: Mapping[datetime, int] | None = None) -> None:
        self.days = days
        self.given = [0] * len(days)
        for at, count in (given or {}).items():
            if at >= days[0]:
                self.given[bisect_right(days, at) - 1] += count

    def left(self, now: datetime) -> list[int]:
        """Those that are not over, by their places; the last one never is."""
        return list(range(max(bisect_right(self.days, now) - 1, 0), len(self.days)))

    def emptiest(self, places: Sequence[int]) -> int:
        """The first of those that have fewest."""
        fewest = min(self.given[place] for place in places)
        return next(place for place in places if self.given[place] == fewest)


def place(case: Case, slices: Slices, opens: Opens) -> Placed:
    """The case at the moment that was found for this person, and its answer; the slice that it is in is one fuller.

    `opens` moves a moment into the send window. A day that is full moves a person to the next one with room. In a drip,
    nobody is given a day on which they would be asked too soon before or after something else; if none of the days
    is left, they are declined.
    """
    if len(slices.days) > 1:
        return _dealt(case, slices, opens)
    return _from(case, slices.days[0], opens, FULL)


def _dealt(case: Case, slices: Slices, opens: Opens) -> Placed:
    first: tuple[Case, Decline] | None = None
    left = slices.left(case.now)
    with_room = [n for n in left if not _is_full(case, slices.days[n])]
    was_full = len(with_room) < len(left)
    left = with_room
    while left:
        n = slices.emptiest(left)
        tried, answer = _tried(case, slices.days[n], opens)
        if isinstance(answer, Invite):
            slices.given[n] += 1
            return tried, answer
        first = first or (tried, answer)
        if not all(_by_waiting(each, FULL | TOO_NEAR) for each in answer.objections):
            return first
        was_full = was_full or any(each.reason in FULL for each in answer.objections)
        left = [
            each
            for each in left
            if each != n and not any(_objects(no, tried.due, slices.days[each]) for no in answer.objections)
        ]
    if not was_full:
        assert first is not None
        return first
    placed = _from(case, slices.days[-1], opens, FULL | TOO_NEAR)
    return placed if first is None or isinstance(placed[1], Invite) else first


def _from(case: Case, due: datetime, opens: Opens, movable: frozenset[Reason]) -> Placed:
    """The first moment from `due` on to which nothing objects, as far as waiting helps; else the answer to `due`."""
    first: tuple[Case, Decline] | None = None
    for _ in range(MOST_TRIES):
        tried, answer = _tried(case, due, opens)
        if isinstance(answer, Invite):
            return tried, answer
        first = first or (tried, answer)
        if not all(_by_waiting(each, movable) for each in answer.objections):
            break
        due = max(each.until for each in answer.objections if each.until is not None)
        if due > case.now + FURTHEST:
            break
    assert first is not None
    return first


def _tried(case: Case, due: datetime, opens: Opens) -> Placed:
    at = msgspec.structs.replace(case, due=opens(max(due, case.now)))
    return at, decide(at)


def _is_full(case: Case, day: datetime) -> bool:
    cap = case.campaign.daily_cap
    return cap is not None and case.invited.by_day.get(max(day, case.now).astimezone(UTC).date(), 0) >= cap


def _by_waiting(no: Objection, movable: frozenset[Reason]) -> bool:
    return no.until is not None and no.reason in movable


def _objects(no: Objection, due: datetime, day: datetime) -> bool:
    """Whether what was objected to `due` is known to be objected to that day: it lies before, or near the same ask."""
    if no.until is not None and due <= day < no.until:
        return True
    if no.since is None or no.period is None or no.reason in FULL:
        return False
    return day < no.since + no.period if no.reason is Reason.TOO_NEW else abs(day - no.since) < no.period
