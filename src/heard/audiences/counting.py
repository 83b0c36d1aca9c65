"""How often somebody did something, kept so small that no message costs more than another.

Without a window that is one number. With a window it is the moments of the newest few: whoever has to have done it
three times within 30 days is judged by the third newest alone, and whoever may have done it twice at most by the third
newest too. So the answer is exact to the microsecond, however long the history is. Moments are microseconds since 1970.
"""

from __future__ import annotations

from bisect import insort
from datetime import timedelta

from heard.audiences.conditions import Performed

MOST_IN_A_WINDOW = 100  # times that a window can ask for: so many moments are kept of a person
MICROSECOND = timedelta(microseconds=1)

Counted = list[int]
"""`[n]` without a window; with one, the newest moments, oldest first."""


def counted(asked: Performed, known: Counted, at: int) -> Counted:
    """After one more, whenever it happened. Order does not matter: the same events come to the same count."""
    if asked.within is None:
        return [(known[0] if known else 0) + 1]
    moments = list(known)
    insort(moments, at)
    return moments[-kept(asked) :]


def kept(asked: Performed) -> int:
    """How many moments decide."""
    return max(asked.at_least, 0 if asked.at_most is None else asked.at_most + 1, 1)


def holds(asked: Performed, known: Counted, now: int) -> bool:
    if asked.within is None:
        n = known[0] if known else 0
    else:
        since = now - asked.within // MICROSECOND
        n = sum(at > since for at in known)
    return n >= asked.at_least and (asked.at_most is None or n <= asked.at_most)


def next_change(asked: Performed, known: Counted, now: int) -> int | None:
    """When time alone may change the answer: the oldest of the moments leaves the window. None = never."""
    if asked.within is None:
        return None
    length = asked.within // MICROSECOND
    return min((at + length for at in known if at + length > now), default=None)
