"""A line of a contact's story, and a page of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

import msgspec

PAGE = 30  # moments


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One line: a sign, what happened in bold, and what else is worth knowing."""

    at: datetime
    sign: str  # an icon
    bold: str
    rest: str = ""  # " by ", before the campaign's name
    tone: str = ""  # good, warn
    campaign: int | None = None
    campaign_name: str = ""
    event: str | None = None
    badge: tuple[str, str, str] | None = None  # text, kind, sign
    note: str = ""
    quote: str | None = None
    score: tuple[float, str, int] | None = None  # value, category, the scale's end
    decision: int | None = None  # whose reasons can be read
    delivery: str | None = None
    response: int | None = None  # whose evidence can be read


class Page(msgspec.Struct, frozen=True, kw_only=True):
    days: list[tuple[datetime, list[Moment]]]
    older: int | None  # microseconds; None at the beginning of the story


def paged(moments: Iterable[Moment], *, before: datetime | None, more: bool) -> Page:
    """The newest page before a moment, by day. `more`: there are older ones that were not loaded.

    Moments of one instant stay together, because the next page begins before the last of this one.
    """
    rest = sorted((each for each in moments if before is None or each.at < before), key=lambda each: each.at)[::-1]
    end = PAGE
    while PAGE <= end < len(rest) and rest[end].at == rest[end - 1].at:
        end += 1
    shown = rest[:end]
    older = micros(shown[-1].at) if shown and (len(rest) > end or more) else None
    by_day = groupby(shown, key=lambda each: each.at.date())
    return Page(days=[(each[0].at, each) for each in (list(group) for _, group in by_day)], older=older)


def micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000 + at.microsecond
