"""From when to when answers are counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from heard.errors import Invalid

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


class Window(msgspec.Struct, frozen=True):
    """`begins` is counted, `ends` is not; None is without limit. Both are aware, in UTC."""

    begins: datetime | None = None
    ends: datetime | None = None

    def told(self) -> str:
        """In plain words."""
        if self.begins and self.ends:
            return f"Answers given from {shown(self.begins)} on and before {shown(self.ends)}"
        if self.begins:
            return f"Answers given from {shown(self.begins)} on"
        return f"Answers given before {shown(self.ends)}" if self.ends else "All answers"


def window(begins: datetime | str | None, ends: datetime | str | None) -> Window:
    """Read the ends of a window: a moment as RFC 3339, or a day.

    A moment without a zone is UTC. A day is all of it: `from` a day begins at its first moment (UTC), `to` a day ends
    after its last. `to` a moment leaves that moment out.

    Raises:
        Invalid: when one cannot be read (`field` says which), or nothing lies between them.
    """
    first, last = _moment(begins, "from", after=False), _moment(ends, "to", after=True)
    if first and last and first >= last:
        raise Invalid(f"from {shown(first)} is not before to {shown(last)}", field="from")
    return Window(first, last)


def whole_days(given: Window) -> Window:
    """The same with every day (UTC) that it touches taken whole: what is tallied by the day can be counted no finer."""
    begins, ends = given.begins, given.ends
    return Window(
        _midnight(begins) if begins else None,
        _midnight(ends - MOMENT) + DAY if ends else None,
    )


def shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _moment(given: datetime | str | None, field: str, *, after: bool) -> datetime | None:
    if not given:
        return None
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(given.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        is_day = isinstance(given, str) and len(given.strip()) == len("2026-01-31")
        return moment + DAY if is_day and after else moment
    except (ValueError, OverflowError):
        raise Invalid(
            f"{field} must be a day (2026-01-31) or a moment (2026-01-31T12:00:00Z), not {given!r}", field=field
        ) from None
