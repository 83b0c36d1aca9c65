"""When something falls due by itself: for the test clock, which visits each of these moments in its order."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from heard.steps import allowance, turns, waves
from heard.store import audiences, decisions, deliveries, responses
from heard.store.directory import Directory
from heard.store.types import moment


def in_store(connection: Connection, *, directory: Directory, now: datetime) -> list[datetime | None]:
    """The next of each kind that the database knows of; None where nothing waits."""
    held = decisions.next_held(connection)
    return [
        deliveries.next_due(connection, directory.paused()),
        moment(held) if held is not None else None,
        allowance.next_moment(connection, directory, now),
        audiences.next_due(connection),
        responses.next_to_complete(connection),
        responses.next_to_settle(connection),
        waves.next_start(connection, directory=directory, now=now),
        turns.next_due(connection, directory=directory, now=now),
    ]
