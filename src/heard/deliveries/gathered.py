"""Asking many at once: everybody on a list, every member of an audience.

Each person is decided about by the same rules as everybody else. Special is when they are due: a drip deals its days
out in turn among those who are invited, so that the days differ by one person at most, whoever is declined between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from heard.deliveries.case import Case
from heard.deliveries.eligibility import Decline, Invite, decide
from heard.deliveries.reasons import Reason

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


def place(
    case: Case, days: Sequence[datetime], turn: int, opens: Callable[[datetime], datetime]
) -> tuple[Case, Invite | Decline]:
    """The case at the moment that was found for this person, and its answer.

    `days`: the moments of the drip, one where everybody is asked at once; `turn` counts whoever was invited before.
    `opens` moves a moment into the send window. A day that is full moves a person to the next one with room. In a drip,
    whoever would be asked too soon after something else is given the first day on which that lies far enough back; if
    none of the days does, they are declined.
    """
    movable = FULL | TOO_NEAR if len(days) > 1 else FULL
    due = days[turn % len(days)]
    first: tuple[Case, Decline] | None = None
    for _ in range(MOST_TRIES):
        tried = msgspec.structs.replace(case, due=opens(max(due, case.now)))
        answer = decide(tried)
        if isinstance(answer, Invite):
            return tried, answer
        first = first or (tried, answer)
        free = [each.until for each in answer.objections if each.until is not None and each.reason in movable]
        if len(free) < len(answer.objections):
            break
        due = next((day for day in days if day >= max(free)), max(free))
        is_full = any(each.reason in FULL for each in answer.objections)
        if due > (case.now + FURTHEST if is_full else days[-1]):
            break
    assert first is not None
    return first
