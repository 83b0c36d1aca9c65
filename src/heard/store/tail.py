"""Messages for a page, newest first: read backwards in bounded looks, so that a rare one costs nobody their patience.

Ids of messages grow with the log over the whole installation, and each day has its own table. A look goes back from
an id, over at most `MOST_EXAMINED` of them; what it did not reach is reached by looking further.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.routing.answer import TO
from heard.routing.destination import SURVEYS, Destination
from heard.routing.reasons import KEPT_FROM_SURVEYS
from heard.store import days, dialects, tallies, whose
from heard.store import waiting as over_the_limit
from heard.store.messages import COLUMNS, Kept, kept_of
from heard.store.types import micros, moment
from heard.store.whose import Whose

MOST_EXAMINED = 20_000  # rows a look passes: about 50 ms
MOST_COUNTED = 5_000  # of the newest, to tell how many come in a minute
MOST_WAITING = 1_000  # users whose held messages are looked for
MINUTE = timedelta(minutes=1)
LARGEST = 1 << 62


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages; None or empty: any."""

    source: int | None = None
    type: str | None = None
    event: str | None = None
    events: tuple[str, ...] | None = None  # tracks of any of these that were free to reach the surveys
    user_id: str | None = None
    verdict: str | None = None
    to: Destination | None = None  # what was routed to it, or sent to it by hand
    since: datetime | None = None  # received then or later
    until: datetime | None = None  # received before


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """`further` is the id to go on from when the look ended before the messages did; None when there are no more."""

    found: list[Kept]
    further: int | None
    reached: datetime | None = None  # how far back it looked, when it gave up for now


def back(
    connection: Connection,
    workspace: int,
    wanted: Wanted,
    *,
    before: int | None = None,
    after: int = 0,
    limit: int = 50,
    most: int = MOST_EXAMINED,
) -> Look:
    """The newest that are wanted, of ids between `after` and `before`, both left out."""
    if wanted.verdict == "held" and wanted.user_id is None:
        return _waiting(connection, workspace, wanted, before, after, limit)
    conditions, values = _conditions(wanted, connection)
    if wanted.user_id is not None:
        return _of_user(connection, workspace, wanted, before, after, limit)
    found: list[Kept] = []
    left = most
    for day in _days(connection, workspace, wanted):
        lowest, highest = _span(connection, day)
        start = highest if before is None else min(highest, before - 1)
        floor = max(lowest, after + 1)
        if start < floor:
            continue
        last = max(floor, start - left + 1)
        rows = dialects.fetch(
            connection,
            f"SELECT {COLUMNS} FROM messages_{day}"
            f" WHERE workspace_id = ? AND id >= ? AND id <= ?{conditions} ORDER BY id DESC LIMIT ?",
            workspace,
            last,
            start,
            *values,
            limit - len(found),
        )
        found += [kept_of(row) for row in rows]
        if len(found) >= limit:
            return Look(found=found, further=found[-1].id)
        if last > floor:
            return Look(found=found, further=last, reached=_received(connection, day, last))
        left -= start - last + 1
    return Look(found=found, further=None)


def by_id(connection: Connection, workspace: int, number: int) -> Kept | None:
    """Numbers grow from day to day, so a few looks find the day; that of a clock that was set back is beside it."""
    kept = days.kept(connection)[::-1]
    low, high = 0, len(kept)
    while low < high:
        middle = place = (low + high) // 2
        last = _span(connection, kept[place])[1]
        while not last and place > low:  # the eve of a first day is made empty
            place -= 1
            last = _span(connection, kept[place])[1]
        if last < number:
            low = middle + 1
        else:
            high = place
    for day in (*kept[low : low + 2], *kept[max(0, low - 2) : low]):
        rows = dialects.fetch(
            connection, f"SELECT {COLUMNS} FROM messages_{day} WHERE id = ? AND workspace_id = ?", number, workspace
        )
        if rows:
            return kept_of(rows[0])
    return None


def newest_id(connection: Connection) -> int:
    """Of all workspaces: whatever comes later has a larger one. 0 when there is none."""
    return max((_span(connection, day)[1] for day in days.kept(connection)[:2]), default=0)


def a_minute(connection: Connection, workspace: int, now: datetime) -> int:
    """How many came in during the last minute; where that is more than one cares to count, at their pace."""
    since, came = now - MINUTE, 0
    top = newest_id(connection)
    oldest = now
    for day in days.kept(connection)[:2]:
        ((count, first),) = dialects.fetch(
            connection,
            f"SELECT count(CASE WHEN workspace_id = ? AND received_at >= ? THEN 1 END), min(received_at)"
            f" FROM messages_{day} WHERE id > ?",
            workspace,
            micros(since),
            top - MOST_COUNTED,
        )
        came += count
        oldest = min(oldest, moment(first)) if first is not None else oldest
    if since < oldest < now and top > MOST_COUNTED:
        return round(came * (MINUTE / (now - oldest)))
    return came


def waiting(connection: Connection, workspace: int) -> int:
    """How many messages wait for an identify or for the next day; counted no further than anybody would read."""
    rows = dialects.fetch(
        connection,
        f"SELECT count(DISTINCT w.trigger) FROM (SELECT trigger FROM {_held(connection)}"
        " WHERE held_until IS NOT NULL AND workspace_id = ? LIMIT ?) w",
        workspace,
        MOST_EXAMINED,
    )
    return rows[0][0] + over_the_limit.count(connection, workspace, most=MOST_EXAMINED)


def _of_user(
    connection: Connection, workspace: int, wanted: Wanted, before: int | None, after: int, limit: int
) -> Look:
    """One user's, what came under their anonymous ids among it."""
    conditions, values = _conditions(msgspec.structs.replace(wanted, user_id=None), connection)
    found = whose.newest(
        connection,
        whose.of_user(connection, workspace, wanted.user_id or ""),
        _days(connection, workspace, wanted),
        conditions=f" AND id > ? AND id < ?{conditions}",
        values=[after, LARGEST if before is None else before, *values],
        limit=limit,
    )
    return Look(found=found, further=found[-1].id if len(found) >= limit else None)


def _waiting(
    connection: Connection, workspace: int, wanted: Wanted, before: int | None, after: int, limit: int
) -> Look:
    """What is held is found by whom it waits for, or as what is over the daily limit: both have an index."""
    conditions, values = _conditions(wanted, connection)
    within = f" AND id > ? AND id < ?{conditions}"
    bounds = [after, LARGEST if before is None else before, *values]
    unknown = _of_those_who_wait(connection, workspace, wanted, within, bounds, limit)
    tomorrow = over_the_limit.newest(connection, workspace, conditions=within, values=bounds, limit=limit)
    both = {each.id: each for each in (*unknown, *tomorrow)}
    found = [both[number] for number in sorted(both, reverse=True)[:limit]]
    return Look(found=found, further=found[-1].id if len(found) >= limit else None)


def _of_those_who_wait(
    connection: Connection, workspace: int, wanted: Wanted, within: str, values: Sequence[Any], limit: int
) -> list[Kept]:
    waiting = dialects.fetch(
        connection,
        f"SELECT user_id, anonymous_id, min(at) FROM {_held(connection)}"
        " WHERE held_until IS NOT NULL AND workspace_id = ? GROUP BY user_id, anonymous_id LIMIT ?",
        workspace,
        MOST_WAITING,
    )
    if not waiting:
        return []
    people = Whose(
        workspace=workspace,
        user_ids=tuple({row[0] for row in waiting if row[1] is None and row[0] is not None}),
        anonymous_ids=tuple({row[1] for row in waiting if row[1] is not None}),
    )
    first = days.before(days.day_of(moment(min(row[2] for row in waiting))))  # decided when received, or soon after
    asked = [day for day in _days(connection, workspace, wanted) if day >= first]
    return whose.newest(connection, people, asked, conditions=within, values=values, limit=limit)


def _conditions(wanted: Wanted, connection: Connection) -> tuple[str, list[Any]]:
    written: list[str] = []
    values: list[Any] = []
    for condition, value in (
        ("source_id = ?", wanted.source),
        ("type = ?", wanted.type),
        ("event = ?", wanted.event),
        ("user_id = ?", wanted.user_id),
        ("verdict = ?", wanted.verdict),
        ("received_at >= ?", micros(wanted.since) if wanted.since else None),
        ("received_at < ?", micros(wanted.until) if wanted.until else None),
    ):
        if value is not None:
            written.append(condition)
            values.append(value)
    if wanted.events is not None:
        written.append(f"type = 'track' AND event {dialects.within(connection)}")
        values.append(dialects.listed(connection, wanted.events))
    if wanted.events is not None or (wanted.to is not None and wanted.to.type == SURVEYS):
        written.append(
            f"verdict <> 'rejected' AND (reason IS NULL OR reason NOT IN ({', '.join('?' * len(KEPT_FROM_SURVEYS))}))"
        )
        values += KEPT_FROM_SURVEYS
    if wanted.to is not None and wanted.to.type != SURVEYS:
        numbers = f"substr({dialects.up_to('routing', ']', connection)}, {len(TO) + 1})"
        by_hand = "SELECT 1 FROM forwards f WHERE f.workspace_id = ? AND f.destination_id = ? AND f.message = id"
        written.append(
            f"verdict <> 'rejected' AND ((routing LIKE ? AND ',' || {numbers} || ',' LIKE ?) OR EXISTS ({by_hand}))"
        )
        values += [f"{TO}%", f"%,{wanted.to.id},%", wanted.to.workspace, wanted.to.id]
    return "".join(f" AND {condition}" for condition in written), values


def _days(connection: Connection, workspace: int, wanted: Wanted) -> Sequence[int]:
    """The days that may have any, newest first: those of the window on which something of the kind came in."""
    first = days.day_of(wanted.since) if wanted.since else 0
    last = days.day_of(wanted.until) if wanted.until else 99_999_999
    of_window = [day for day in days.kept(connection) if first <= day <= last]
    if wanted.verdict is None:
        return of_window
    # What was held is accepted later, and stays counted as what it was.
    verdicts = ("accepted", "held") if wanted.verdict == "accepted" else (wanted.verdict,)
    with_any = tallies.days_of(connection, workspace, verdicts)
    return [day for day in of_window if day in with_any]


def _held(connection: Connection) -> str:
    """Decisions by what is held: without being told, SQLite reads every decision of the workspace."""
    return dialects.by("decisions_held", "decisions", connection)


def _span(connection: Connection, day: int) -> tuple[int, int]:
    """The smallest and the largest id of a day; (1, 0) when it is empty."""
    ((lowest, highest),) = dialects.fetch(
        connection, f"SELECT (SELECT min(id) FROM messages_{day}), (SELECT max(id) FROM messages_{day})"
    )
    return (1, 0) if highest is None else (lowest, highest)


def _received(connection: Connection, day: int, number: int) -> datetime | None:
    rows = dialects.fetch(
        connection, f"SELECT received_at FROM messages_{day} WHERE id >= ? ORDER BY id LIMIT 1", number
    )
    return moment(rows[0][0]) if rows else None
