"""A moment as people write it: a date, a time, or how long ago."""

from __future__ import annotations

from datetime import datetime

from heard import durations
from heard.errors import Invalid
from heard.messages import timestamps


def moment_in(written: datetime | str, field: str, now: datetime) -> datetime:
    """`2026-11-01`, `2026-11-01T09:00:00Z`, or a length before `now`, like `7d`; without an offset, UTC is meant.

    Raises:
        Invalid: it is none of these; `field` names it.
    """
    if isinstance(written, datetime):
        return written
    try:
        return now - durations.parse(written)
    except Invalid:
        pass
    found = timestamps.parse(written)
    if found is None or not timestamps.EARLIEST <= found < timestamps.LATEST:
        raise Invalid(f"{field}: write a date like 2026-11-01, a time like 2026-11-01T09:00Z, or 7d.", field=field)
    return found
