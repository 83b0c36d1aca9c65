"""What was received from somebody lately, beside what campaigns wait for: where an event that led to nothing shows."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Connection

from heard.installation import Installation
from heard.operations.meant import workspace_meant
from heard.store import tail
from heard.store.tail import Wanted

LATELY = 200  # messages


async def heard_of(app: Installation, *, user_id: str, workspace: str | None = None) -> dict[str, Any]:
    """`{"waiting_for": [event], "received": [{"event", "verdict", "reason", "n"}]}`, the most frequent first.

    `event` is a track's name, or the type of another call.
    """
    number = workspace_meant(app, workspace, None)
    waiting = sorted({each.event for each in app.directory.campaigns_of(number) if each.event})

    def look(connection: Connection) -> Counter[tuple[str, str, str | None]]:
        kept = tail.back(connection, number, Wanted(user_id=user_id), limit=LATELY).found
        return Counter((each.event or each.type or "?", each.verdict, each.reason) for each in kept)

    counted = await app.store.read(look)
    received = [
        {"event": event, "verdict": verdict, "reason": reason, "n": n}
        for (event, verdict, reason), n in counted.most_common()
    ]
    return {"waiting_for": waiting, "received": received}
