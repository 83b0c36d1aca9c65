"""Waits on one shared time axis: grey has passed, amber is left, a line is today.

One dimension only, in percent and without a viewBox, so that the drawing stretches and its text does not.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
from markupsafe import Markup

ROOM = 0.06  # of the whole, left and right of what is drawn
AHEAD = 0.4  # of what has passed, right of today: room for a wait that does not end
NEAR = 0.2  # an end's label is left out where "today" stands nearer than this
SHORT = timedelta(days=2)  # below it, the ends are said as times of day


class Span(msgspec.Struct, frozen=True):
    """From what a wait is counted to when it lapses; None = it does not lapse."""

    since: datetime
    until: datetime | None


class Axis(msgspec.Struct, frozen=True):
    begin: datetime
    end: datetime
    today: datetime

    def share(self, moment: datetime) -> float:
        """Where a moment lies: 0 at the beginning, 1 at the end; what lies beyond is on the edge."""
        return min(1.0, max(0.0, (moment - self.begin) / (self.end - self.begin)))


def axis_of(spans: Collection[Span], today: datetime) -> Axis:
    """An axis that holds every span and today, with room around them."""
    moments = [moment for span in spans for moment in (span.since, span.until) if moment is not None]
    first, last = min([*moments, today]), max([*moments, today])
    if any(span.until is None for span in spans):
        last = max(last, today + (today - first) * AHEAD)
    room = max((last - first) * ROOM, timedelta(minutes=1))
    return Axis(first - room, last + room, today)


def labels(axis: Axis) -> Markup:
    """The axis' own line: its ends, and today."""
    now = axis.share(axis.today)
    anchor = "start" if now < NEAR / 2 else "end" if now > 1 - NEAR / 2 else "middle"
    parts = [Markup('<text class="t-ink" x="{}" y="12" text-anchor="{}">today</text>').format(_percent(now), anchor)]
    if now >= NEAR:
        parts.insert(0, Markup('<text x="0" y="12">{}</text>').format(_end(axis, axis.begin)))
    if now <= 1 - NEAR:
        parts.append(Markup('<text x="100%" y="12" text-anchor="end">{}</text>').format(_end(axis, axis.end)))
    return Markup("<svg>{}</svg>").format(Markup("").join(parts))


def bar(axis: Axis, span: Span) -> Markup:
    """One wait. Without an end it is a dashed line to the edge."""
    since, now = axis.share(span.since), axis.share(axis.today)
    parts = [Markup('<line class="l-base" x1="0" x2="100%" y1="8" y2="8"/>')]
    if span.until is None:
        parts.append(_line("l-never", since, 1.0, y=8))
    else:
        until = axis.share(span.until)
        parts.append(_rect("l-gone", since, min(now, until), y=5, height=6))
        parts.append(_rect("l-left", max(now, since), until, y=4, height=8))
    parts.append(Markup('<line class="l-now" x1="{0}" x2="{0}" y1="0" y2="16"/>').format(_percent(now)))
    return Markup('<svg aria-hidden="true">{}</svg>').format(Markup("").join(parts))


def _rect(name: str, start: float, end: float, *, y: int, height: int) -> Markup:
    if end <= start:
        return Markup("")
    return Markup('<rect class="{}" x="{}" width="{}" y="{}" height="{}" rx="2"/>').format(
        name, _percent(start), _percent(end - start), y, height
    )


def _line(name: str, start: float, end: float, *, y: int) -> Markup:
    return Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        name, _percent(start), _percent(end), y, y
    )


def _percent(share: float) -> str:
    return f"{share * 100:.1f}%"


def _end(axis: Axis, moment: datetime) -> str:
    if axis.end - axis.begin < SHORT:
        return f"{moment:%H:%M}"
    return f"{moment.day} {moment:%b}" + ("" if moment.year == axis.today.year else f" {moment.year}")
