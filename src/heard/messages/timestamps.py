"""When did it happen? A sender's clock may be wrong, but it is wrong by the same amount twice.

    timestamp = receivedAt - (sentAt - originalTimestamp)

Both were read off the sender's clock, so their difference is right whatever that clock says. Without a sentAt that is
a date there is nothing to correct by, and the timestamp is taken as sent. A timestamp that is missing or not a date,
and a result before 1970, after 2200 or more than a year ahead of its receipt, is no moment to plan by: receivedAt
stands in, and the original is kept.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
MAX_AHEAD = timedelta(days=366)

MILLISECONDS_FROM = 1e11
"""A bare number from here on counts milliseconds since 1970 (March 1973 on), below it seconds (until the year 5138)."""


def when(original: datetime | None, sent: datetime | None, received: datetime) -> datetime:
    """The corrected time of a message, by the rule above."""
    if original is None:
        return received
    try:
        at = original if sent is None else received - (sent - original)
    except OverflowError:
        return received
    return at if EARLIEST <= at < LATEST and at - received <= MAX_AHEAD else received


def read(value: object) -> datetime | None:
    """A moment in UTC from what senders write: ISO 8601 and its near misses, or epoch numbers; None when it is none.

    Without an offset, UTC is meant. "2015-2-02T00:30:08.276Z", as in Segment's own examples, is a date.
    """
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return EARLIEST + timedelta(seconds=value / 1000 if abs(value) >= MILLISECONDS_FROM else value)
        except (OverflowError, ValueError):
            return None
    return None


def parse(text: str) -> datetime | None:
    """`read` for a text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _nearly_iso(text)
        if moment is None:
            return None
    zone = moment.tzinfo
    if zone is UTC:
        return moment
    if zone is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


NEARLY_ISO = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[Tt ]\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?)?"
    r"\s*([Zz]|UTC|GMT|[+-]\d{2}:?\d{2})?\s*",
    re.ASCII,
)


def _nearly_iso(text: str) -> datetime | None:
    if len(text) > 64 or not (match := NEARLY_ISO.fullmatch(text)):
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    microseconds = int(fraction[:6].ljust(6, "0")) if fraction else 0
    try:
        return datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            microseconds,
            _zone(zone),
        )
    except ValueError:
        return None


def _zone(text: str | None) -> timezone:
    if not text or text[0] not in "+-":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)
