"""Lengths of time as people write them: `90d`, `36h`, `10m`, `45s`, `2w`."""

from __future__ import annotations

import re
from datetime import timedelta

from heard.errors import Invalid

UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
LONGEST = timedelta(days=3660)
_WRITTEN = re.compile(r"\s*(\d{1,9})\s*([smhdw])\s*")


def parse(text: object, *, field: str | None = None) -> timedelta:
    """`"90d"` -> 90 days. A length is a whole number and one of s, m, h, d, w.

    Raises:
        Invalid: anything else, a bare number included (90 what?), or more than ten years.
    """
    found = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise Invalid(f"Write a length of time like 3d, 12h or 10m, not {text!r}.", field=field)
    length = int(found[1]) * UNITS[found[2]]
    if length > LONGEST:
        raise Invalid(f"{text} is longer than ten years.", field=field)
    return length


def write(length: timedelta) -> str:
    """The shortest exact way to write it: 90 days -> `90d`, 36 hours -> `36h`."""
    for unit in ("d", "h", "m", "s"):
        if length % UNITS[unit] == timedelta(0):
            return f"{length // UNITS[unit]}{unit}"
    return f"{round(length.total_seconds())}s"


def in_words(length: timedelta) -> str:
    """For sentences: `90 days`, `1 day`, `36 hours`."""
    count, unit = int(write(length)[:-1]), write(length)[-1]
    word = {"d": "day", "h": "hour", "m": "minute", "s": "second"}[unit]
    return f"{count} {word}" + ("" if count == 1 else "s")
