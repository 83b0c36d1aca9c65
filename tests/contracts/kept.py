"""What the tests of keeping look at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from heard.retention import Kind
from heard.store import days, removals
from tests.contracts.front import Front, track

DAY = timedelta(days=1)
KEEP = {"HEARD_KEEP_MESSAGES": "10d"}
CAMPAIGN = {
    "surveys": [{"name": "Relationship NPS", "kind": "nps"}],
    "campaigns": [
        {
            "name": "Post-purchase",
            "survey": "Relationship NPS",
            "channel": "email",
            "event": "Order Completed",
            "status": "ready",
        }
    ],
}


def days_with_messages(heard: Front) -> list[int]:
    """Days ago, the latest first."""
    today = heard.app.clock.now().date()
    return [
        (today - (days.end_of(day) - DAY).date()).days
        for day in heard.app.store.read_now(days.kept)
        if heard.app.store.read_now(
            lambda found, day=day: found.exec_driver_sql(f"SELECT 1 FROM messages_{day}").first()
        )
    ]


def rows(heard: Front, table: Any) -> list[Any]:
    return heard.app.store.read_now(lambda found: list(found.execute(select(table))))


def gone(heard: Front, kind: Kind = Kind.MESSAGES) -> int:
    """How many were removed the last time."""
    return heard.app.store.read_now(removals.all_)[kind].n


async def receive_daily(heard: Front, count: int) -> None:
    for number in range(count):
        await heard.receive(track(f"user {number}", "Visited"))
        await heard.settle()
        await heard.pass_time(DAY)
