"""How much is on its way to a destination: what its courier has not come to yet, and what is to be tried again.

Looked for no further than anybody would read: a destination that was down for a week costs its page no more than
another.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, func, select

from heard.routing.answer import decode
from heard.store import dialects, messages
from heard.store.tables import forwards

MOST_EXAMINED = 5_000  # messages after the courier's place, of all workspaces; rows that are tried again


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """`more`: there are more than were looked at. `retrying` is a part of `waiting`."""

    waiting: int
    retrying: int
    more: bool


def behind(connection: Connection, workspace: int, destination: int, position: int) -> Behind:
    """`position` is the number of the last message that its courier is done with."""
    untouched, examined = 0, 0
    for day in messages.days_after(connection, position):
        rows = dialects.fetch(
            connection,
            "SELECT w.workspace_id, w.routing, count(*) FROM (SELECT workspace_id, routing FROM"
            f" messages_{day} WHERE id > ? ORDER BY id LIMIT ?) w GROUP BY w.workspace_id, w.routing",
            position,
            MOST_EXAMINED - examined,
        )
        for place, routing, n in rows:
            examined += n
            if place == workspace and routing is not None and destination in decode(routing).to:
                untouched += n
        if examined >= MOST_EXAMINED:
            break
    some = (
        select(forwards.c.message)
        .where(
            forwards.c.workspace_id == workspace,
            forwards.c.destination_id == destination,
            forwards.c.state == "retrying",
        )
        .limit(MOST_EXAMINED)
        .subquery()
    )
    retrying = connection.execute(select(func.count()).select_from(some)).scalar_one()
    more = examined >= MOST_EXAMINED or retrying >= MOST_EXAMINED
    return Behind(waiting=untouched + retrying, retrying=retrying, more=more)
