"""When to try again: soon, then less and less often, for a while, and never everybody at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from heard import durations
from heard.destinations.destination import GIVE_UP

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=10)
GIVEN_UP_AFTER = durations.parse(GIVE_UP.default)  # as Segment does, whose words we took: retried for 4 hours


def given_up_after(settings: Mapping[str, Any]) -> timedelta:
    """How long after the first try a destination with these settings is still tried."""
    return durations.parse(settings.get(GIVE_UP.name) or GIVE_UP.default)


def next_try(
    attempt: int,
    first_at: datetime,
    now: datetime,
    *,
    draw: float,
    after: float | None = None,
    give_up_after: timedelta = GIVEN_UP_AFTER,
) -> datetime | None:
    """The moment of the next try after `attempt` failed ones, the first of them at `first_at`; None = give up, for it
    would be later than `give_up_after` from the first.

    Full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/): `draw`, from 0 to 1, is how
    much of the wait is waited, so that those who failed together do not come back together. `after` is what the
    receiver asked for, in seconds; it is waited whole.

    With everything drawn whole, tries are 1, 2, 4, 8 … seconds apart, from the eleventh on 10 minutes:

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    >>> [(next_try(failed, noon, noon, draw=1.0) - noon).total_seconds() for failed in (1, 2, 3, 10, 11)]
    [1.0, 2.0, 4.0, 512.0, 600.0]
    >>> next_try(3, noon, noon, draw=0.25) - noon
    datetime.timedelta(seconds=1)
    >>> next_try(1, noon, noon, draw=0.5, after=90.0) - noon
    datetime.timedelta(seconds=90)
    >>> next_try(30, noon, noon + timedelta(hours=3, minutes=55), draw=1.0) is None
    True
    >>> next_try(7, noon, noon, draw=1.0, give_up_after=timedelta(minutes=1)) is None
    True
    """
    wait = draw * min(FIRST_WAIT * 2 ** min(attempt - 1, 20), LONGEST_WAIT)
    at = now + max(wait, timedelta(seconds=after or 0.0))
    return at if at <= first_at + give_up_after else None
