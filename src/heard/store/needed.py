"""Which days of messages somebody still needs, however old they are.

    held         a track waits for its identify
    intake       messages wait for the next day, over the surveys destination's daily limit
    audience     a new audience has not counted them yet
    destination  a courier has not come past them, tries one of them again, or replays them

The first three end by themselves. A destination may be down for good: it holds the past back for so long and no longer
(`heard.retention.HELD_BACK_AT_MOST`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection

from heard.routing.answer import decode
from heard.store import audiences, days, dialects, forwards, waiting
from heard.store.types import moment


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """Messages after the number `after` are needed, or days from `day` on.

    Of a destination: its courier has come to `after`, tries messages from `retried` on again, and replays what follows
    `replayed`.
    """

    why: str
    workspace: int
    after: int | None = None
    day: int = 0
    destination: int | None = None
    retried: int | None = None
    replayed: int | None = None

    def keeps(self, day: int, last: int) -> bool:
        """Whether a day whose last message is `last` may be needed."""
        if self.destination is None and self.after is None:
            return day >= self.day
        places = (self.after, self.replayed, None if self.retried is None else self.retried - 1)
        return any(place is not None and last > place for place in places)


def needs(connection: Connection, places: Mapping[int, int], destinations: Iterable[tuple[int, int]]) -> list[Needs]:
    """`places`: the numbers that couriers are done with, by destination; where one is missing, its place as kept."""
    found: list[Needs] = []
    held = dialects.fetch(
        connection,
        f"SELECT workspace_id, min(at) FROM {dialects.by('decisions_held', 'decisions', connection)}"
        " WHERE held_until IS NOT NULL GROUP BY workspace_id",
    )
    for workspace, at in held:  # decided when it was received, or soon after
        found.append(Needs(why="held", workspace=workspace, day=days.before(days.day_of(moment(at)))))
    for workspace in waiting.workspaces(connection):
        for day, number in waiting.first(connection, workspace, 1):
            found.append(Needs(why="intake", workspace=workspace, after=number - 1, day=day))
    found += [
        Needs(why="audience", workspace=each.workspace, after=each.position)
        for each in audiences.progress(connection)
        if each.position < each.last or not each.last
    ]
    kept = _places(connection)
    for workspace, number in destinations:
        found.append(
            Needs(
                why="destination",
                workspace=workspace,
                destination=number,
                after=places.get(number, kept.get(forwards.cursor_of(number))),
                retried=_tried_again(connection, workspace, number),
                replayed=_replayed(connection, number),
            )
        )
    return found


def last_of(connection: Connection, day: int) -> int:
    """The number of the last message of a day; 0 when it is empty."""
    return dialects.fetch(connection, f"SELECT coalesce(max(id), 0) FROM messages_{day}")[0][0]


def not_taken(connection: Connection, need: Needs, day: int) -> int:
    """How many messages of a day a destination has yet to take. Reads the day: no page may ask this."""
    routed = []
    if need.after is not None:
        routed = dialects.fetch(
            connection,
            f"SELECT routing, count(*) FROM messages_{day} WHERE id > ? AND workspace_id = ? AND routing IS NOT NULL"
            " GROUP BY routing",
            need.after,
            need.workspace,
        )
    ((retried,),) = dialects.fetch(
        connection,
        "SELECT count(*) FROM forwards"
        " WHERE workspace_id = ? AND destination_id = ? AND state = 'retrying' AND day = ?",
        need.workspace,
        need.destination,
        day,
    )
    return retried + sum(n for routing, n in routed if need.destination in decode(routing).to)


def _places(connection: Connection) -> dict[str, int]:
    beginning = forwards.cursor_of(0)[:-1]
    rows = dialects.fetch(
        connection, "SELECT name, value FROM cursors WHERE substr(name, 1, ?) = ?", len(beginning), beginning
    )
    return {row[0]: row[1] for row in rows}


def _replayed(connection: Connection, destination: int) -> int | None:
    query = "SELECT min(position) FROM replays WHERE destination_id = ? AND state = 'running'"
    return dialects.fetch(connection, query, destination)[0][0]


def _tried_again(connection: Connection, workspace: int, destination: int) -> int | None:
    rows = dialects.fetch(
        connection,
        f"SELECT min(message) FROM {dialects.by('forwards_newest', 'forwards', connection)}"
        " WHERE workspace_id = ? AND destination_id = ? AND state = 'retrying'",
        workspace,
        destination,
    )
    return rows[0][0]
