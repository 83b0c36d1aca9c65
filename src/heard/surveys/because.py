"""Why somebody is asked, in words they recognise; every mail and page says it."""

from __future__ import annotations

from datetime import datetime, timedelta

from heard import durations
from heard.surveys import plurals
from heard.surveys.locales import locale

LONGEST = 80  # characters of an event's name that are repeated to the person
_SPELLED = {"Completed Order": "Order Completed"}


def because(event: str | None, at: datetime, *, now: datetime, language: str = "en") -> str | None:
    """What completes "You get this because ...": `you placed an order on 19 November`.

    An event nobody has put into words is named as it is: `of “Trial Extended” on 19 November`. The name comes from
    an application and is shown to a person, so it is one line of at most 80 characters. None when there is no event.
    """
    name = " ".join((event or "").split())
    if not name:
        return None
    said = locale(language)
    day = said.on(at, now=now)
    if happened := said.happened.get(_SPELLED.get(name, name)):
        return said.on_day.format(happened=happened, day=day)
    return said.event_on_day.format(event=name if len(name) <= LONGEST else name[: LONGEST - 1] + "…", day=day)


def in_words(length: timedelta, *, language: str = "en") -> str:
    """A length of time for people: `90 days`, `one day`."""
    written = durations.write(length)
    said = locale(language)
    return plurals.counted(said.lengths[written[-1]], int(written[:-1]), language=said.code)
