"""How pages say numbers, dates and waits. Signs are `+` and U+2212; times are UTC; a date has its year when it is not
this one."""

from __future__ import annotations

from datetime import datetime, timedelta

from markupsafe import Markup

MINUS = "\u2212"
DAY = timedelta(days=1)


def num(value: float | None) -> str:
    """1234 -> "1,234"; nothing where there is no number."""
    return "" if value is None else f"{value:,.0f}".replace("-", MINUS)


def signed(value: float | None, digits: int = 0) -> str:
    """38.6 -> "+39", -5 -> "−5", 0.2 -> "0"; "" where there is no score."""
    if value is None:
        return ""
    rounded = round(value, digits)
    if rounded == 0:
        return f"{0:.{digits}f}"
    return f"{rounded:+,.{digits}f}".replace("-", MINUS)


def percent(share: float | None, digits: int | None = None) -> str:
    """0.204 -> "20%"; 0.0412 -> "4.1%": one digit below ten percent, unless told how many."""
    if share is None:
        return ""
    shown = digits if digits is not None else (1 if 0 < share < 0.0995 else 0)
    return f"{share * 100:.{shown}f}%"


def day(moment: datetime, now: datetime) -> str:
    """ "12 Dec", or "12 Dec 2025" in another year."""
    return f"{moment.day} {moment:%b}" + ("" if moment.year == now.year else f" {moment.year}")


def clock(moment: datetime) -> str:
    return f"{moment:%H:%M}"


def moment(at: datetime, now: datetime) -> str:
    """ "20 Nov, 17:04" """
    return f"{day(at, now)}, {clock(at)}"


def ago(at: datetime, now: datetime) -> str:
    """ "38 minutes ago", "yesterday, 18:20", "20 Nov, 17:04"; the future is "in 20 days"."""
    passed = now - at
    if passed < timedelta(0):
        return distance(at, now)
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return f"{_several(int(passed.total_seconds() // 60), 'minute')} ago"
    if at.date() == now.date() or passed < timedelta(hours=6):
        return f"{_several(int(passed.total_seconds() // 3600), 'hour')} ago"
    if at.date() == (now - DAY).date():
        return f"yesterday, {clock(at)}"
    return moment(at, now)


def distance(at: datetime, now: datetime) -> str:
    """How far something lies ahead: "in 20 days", "in 3 hours", "in a moment"; "20 days ago" when it has passed."""
    away = abs(at - now)
    if away < timedelta(minutes=1):
        return "in a moment" if at >= now else "just now"
    if away < timedelta(hours=1):
        said = _several(round(away.total_seconds() / 60), "minute")
    elif away < timedelta(hours=36):
        said = _several(round(away.total_seconds() / 3600), "hour")
    else:
        said = _several(round(away / DAY), "day")
    return f"in {said}" if at >= now else f"{said} ago"


def length(period: timedelta | None) -> str:
    """ "90 days", "12 hours"; "none" for None."""
    if period is None:
        return "none"
    for unit, name in ((DAY, "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute")):
        if period >= unit and period % unit == timedelta(0):
            return _several(period // unit, name)
    return _several(int(period.total_seconds()), "second")


def when(at: datetime | None, now: datetime) -> Markup:
    """A <time>: near moments by their distance, far ones by their date, the exact moment on hovering."""
    if at is None:
        return Markup("")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat().replace("+00:00", "Z"), f"{at:%-d %b %Y, %H:%M:%S} UTC", ago(at, now)
    )


def ticked(text: str | None) -> Markup:
    """Plain text in which `names` stand between backticks, as <code>."""
    parts = (text or "").split("`")
    if len(parts) % 2 == 0:  # one that is never closed
        return Markup("{}").format(text)
    code, plain = Markup("<code>{}</code>"), Markup("{}")
    return Markup("").join((code if number % 2 else plain).format(part) for number, part in enumerate(parts))


def initials(name: str) -> str:
    """Of a name or an address, at most two letters."""
    parts = [part for part in name.replace("@", " ").replace(".", " ").split() if part[0].isalnum()]
    return "".join(part[0] for part in parts[:2]).upper() or "?"


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
