"""The events of a workspace that were really received, for forms that ask for one: suggestions, and what was meant."""

from __future__ import annotations

import difflib
import time
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection

from heard.messages.events import canonical
from heard.store import recent
from heard.store.recent import Look, Seen

MOST_COMPARED = 200  # names of events, when one is looked for that is spelled nearly alike


class EventsSeen:
    """The events of each workspace, looked for again when enough has come since, or a minute has passed."""

    LASTS = 60.0  # seconds
    ENOUGH = 0.01  # of the messages that are looked at

    def __init__(self) -> None:
        self._kept: dict[int, tuple[int, float, tuple[dict[str, Seen], Look]]] = {}

    def of(self, connection: Connection, workspace: int, since: datetime) -> tuple[dict[str, Seen], Look]:
        newest, now = recent.newest(connection), time.monotonic()
        before, at, found = self._kept.get(workspace, (-newest, 0.0, ({}, Look(since=since, whole=True))))
        if newest - before <= self.ENOUGH * min(newest, recent.MOST_LOOKED_AT) and now - at < self.LASTS:
            return found
        found = recent.events(connection, workspace, since)
        self._kept[workspace] = newest, now, found
        return found


def seen(events: Mapping[str, Seen], event: str) -> Seen | None:
    """How often an event was received, in all its spellings; None when it was not."""
    alike = [seen for name, seen in events.items() if canonical(name) == canonical(event)]
    return Seen(sum(seen.times for seen in alike), max(seen.last for seen in alike)) if alike else None


def meant(events: Mapping[str, Seen], event: str) -> str | None:
    """The one that was seen and is spelled nearly like this one, which was not."""
    alike = difflib.get_close_matches(event, islice(events, MOST_COMPARED), n=1, cutoff=0.75)
    return alike[0] if alike and not seen(events, event) else None
