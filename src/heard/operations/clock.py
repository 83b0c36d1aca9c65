"""The test clock: time moves when it is told to, and everything that falls due on the way happens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from heard import durations
from heard.errors import HeardError, Invalid
from heard.installation import Installation
from heard.messages.timestamps import LATEST
from heard.scores.window import rfc3339


async def clock_advance(app: Installation, *, advance: str | None = None, to: str | None = None) -> dict[str, Any]:
    """Move time by a length (`3d`) or to a moment; answers `{"now"}` when all is idle.

    Raises:
        HeardError: the server was not started with --test-clock.
        Invalid: not one of the two, or a moment that has passed.
    """
    if not app.test_clock:
        raise HeardError("Time can be moved only when Heard was started with --test-clock.")
    if (advance is None) == (to is None):
        raise Invalid('Write either {"advance": "3d"} or {"to": "2027-01-01T00:00:00Z"}.', field="advance")
    now = app.clock.now()
    target = now + durations.parse(advance, field="advance") if advance is not None else _moment(str(to))
    if target < now:
        raise Invalid(f"It is {rfc3339(now)} already; time does not go back.", field="to")
    if target >= LATEST:
        raise Invalid(f"Time ends at {rfc3339(LATEST)} here.", field="to" if to is not None else "advance")
    await app.pipeline.advance(target)
    return {"now": rfc3339(app.clock.now())}


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("Write a moment like 2027-01-01T00:00:00Z.", field="to") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
