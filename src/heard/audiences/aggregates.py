"""What is computed of a person's events: counts, sums, first and last values, the most frequent one, lists.

A running value for each kind, which grows by one event at a time and can be put together with another; so a sliding
window is a running value for each of its days (hours, where it is shorter than two days), and a day leaves the window
as a whole, when its last moment does. What came in which order never matters. Moments are microseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeAlias, cast

import msgspec

MICROSECOND = timedelta(microseconds=1)
HOUR, DAY = timedelta(hours=1) // MICROSECOND, timedelta(days=1) // MICROSECOND
SHORT = 2 * DAY
LONGEST_WINDOW = timedelta(days=366)
MOST_LISTED = 100  # values of a list, in the order of the alphabet
MOST_DIFFERENT = 1000  # different values that are counted of a person; what is new after that is not
LONGEST_VALUE = 200  # characters of a value that is kept
EXACT = 1 << 53  # below it a whole number and its double are one
MOST_FREQUENT_FROM = 2  # times; what happened once is not frequent

Value: TypeAlias = "str | int | float | bool | list[str] | None"
Running: TypeAlias = list[Any]
Buckets: TypeAlias = dict[int, Running]
"""By the number of the day or hour; 0 where there is no window."""

KINDS = (
    "count", "sum", "average", "min", "max", "most_frequent", "first", "last", "unique_list", "unique_count"
)  # fmt: skip
NUMERIC = frozenset({"sum", "average", "min", "max"})


class Aggregate(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` of `property` (a path into the properties; None for a count) over the events of this canonical name."""

    kind: str
    event: str
    property: tuple[str, ...] | None = None
    where: str | None = None
    within: timedelta | None = None


def found(asked: Aggregate, properties: Mapping[str, Any]) -> Value:
    """What an event says; None when it says nothing that can be used. True for a count."""
    if asked.property is None:
        return True
    value: Any = properties
    for step in asked.property:
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, Any]", value).get(step)
    if asked.kind in NUMERIC:
        return _fitting(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(value, str):
        return value[:LONGEST_VALUE]
    if isinstance(value, bool):
        return value
    return _fitting(value) if isinstance(value, int | float) else None


def taken(asked: Aggregate, known: Buckets, value: Value, at: int, now: int) -> Buckets:
    """After one more event that says `value`; what has left the window is let go."""
    place = at // _size(asked) if asked.within else 0
    live = _live(asked, known, now)
    if not asked.within or _ends(asked, place) > now:
        one = _ONE[asked.kind](value, at)
        live[place] = _TOGETHER[asked.kind](live[place], one) if place in live else one
    return live


def value_of(asked: Aggregate, known: Buckets, now: int) -> Value:
    """None when there is nothing to compute it of; a count is 0 then."""
    running = [each for _, each in sorted(_live(asked, known, now).items())]
    if not running:
        return 0 if asked.kind in ("count", "unique_count") else [] if asked.kind == "unique_list" else None
    together = running[0]
    for each in running[1:]:
        together = _TOGETHER[asked.kind](together, each)
    return _READ[asked.kind](together)


def next_change(asked: Aggregate, known: Buckets, now: int) -> int | None:
    """When the next day (or hour) leaves the window; None = never."""
    if not asked.within:
        return None
    return min((end for place in known if (end := _ends(asked, place)) > now), default=None)


def _size(asked: Aggregate) -> int:
    return HOUR if asked.within is not None and asked.within // MICROSECOND < SHORT else DAY


def _ends(asked: Aggregate, place: int) -> int:
    return (place + 1) * _size(asked) + (asked.within or timedelta(0)) // MICROSECOND


def _live(asked: Aggregate, known: Buckets, now: int) -> Buckets:
    return {place: running for place, running in known.items() if not asked.within or _ends(asked, place) > now}


# ── running values ──


def _numbers(value: Value, _at: int) -> Running:
    return [1, value, value, value]  # how many, their sum, the least, the most


def _numbers_together(one: Running, other: Running) -> Running:
    return [one[0] + other[0], _fitting(one[1] + other[1]), min(one[2], other[2]), max(one[3], other[3])]


def _fitting(number: float) -> float:
    """A whole number that JSON cannot carry exactly is a fraction from here on."""
    return float(number) if abs(number) > EXACT else number


def _dated(value: Value, at: int) -> Running:
    return [at, value]


def _earlier(one: Running, other: Running) -> Running:
    return min(one, other, key=_by_moment)


def _later(one: Running, other: Running) -> Running:
    return max(one, other, key=_by_moment)


def _by_moment(dated: Running) -> tuple[int, str]:
    return dated[0], _text(dated[1])  # of two at the same moment it is always the same one


def _tally(value: Value, _at: int) -> Running:
    return [{_text(value): 1}]


def _tallies_together(one: Running, other: Running) -> Running:
    counts: dict[str, int] = dict(one[0])
    for value, n in other[0].items():
        if value in counts:
            counts[value] += n
        elif len(counts) < MOST_DIFFERENT:
            counts[value] = n
    return [counts]


def _most_frequent(running: Running) -> Value:
    counts: dict[str, int] = running[0]
    often = [(-n, value) for value, n in counts.items() if n >= MOST_FREQUENT_FROM]
    return min(often)[1] if often else None


def _count(_value: Value, _at: int) -> Running:
    return [1]


def _counts_together(one: Running, other: Running) -> Running:
    return [one[0] + other[0]]


def _text(value: Value) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _at_place(place: int) -> Callable[[Running], Value]:
    return lambda running: running[place]


def _average(running: Running) -> Value:
    return running[1] / running[0]


def _listed(running: Running) -> Value:
    return sorted(running[0])[:MOST_LISTED]


def _different(running: Running) -> Value:
    return len(running[0])


_ONE: Mapping[str, Callable[[Value, int], Running]] = {
    "count": _count,
    **dict.fromkeys(("sum", "average", "min", "max"), _numbers),
    **dict.fromkeys(("first", "last"), _dated),
    **dict.fromkeys(("most_frequent", "unique_list", "unique_count"), _tally),
}
_TOGETHER: Mapping[str, Callable[[Running, Running], Running]] = {
    "count": _counts_together,
    **dict.fromkeys(("sum", "average", "min", "max"), _numbers_together),
    "first": _earlier,
    "last": _later,
    **dict.fromkeys(("most_frequent", "unique_list", "unique_count"), _tallies_together),
}
_READ: Mapping[str, Callable[[Running], Value]] = {
    "count": _at_place(0),
    "sum": _at_place(1),
    "average": _average,
    "min": _at_place(2),
    "max": _at_place(3),
    "first": _at_place(1),
    "last": _at_place(1),
    "most_frequent": _most_frequent,
    "unique_list": _listed,
    "unique_count": _different,
}
