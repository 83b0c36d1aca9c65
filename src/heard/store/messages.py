"""Messages as accepted, by the day of receipt; the record for the debugger, replay, dry runs and forgetting."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.deliveries.case import Trigger
from heard.store import cursors, days, dialects
from heard.store.types import micros, moment


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One message as the debugger shows it."""

    id: int
    source: int
    message_id: str
    type: str
    event: str | None
    user_id: str | None
    anonymous_id: str | None
    at: datetime
    received_at: datetime
    verdict: str
    reason: str | None
    body: bytes
    routing: str | None = None  # as `heard.routing` writes it; None = nothing worth a word


WINDOW_BYTES = 4 << 20


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A message with whose it is, and the day of its table."""

    workspace: int
    day: int
    kept: Kept


COLUMNS = (
    "id, source_id, message_id, type, event, user_id, anonymous_id, at, received_at, verdict, reason, body, routing"
)


def already_seen(connection: Connection, day: int, ids: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
    """Which of these (source, messageId) were accepted on this day or the one before."""
    by_source: dict[int, list[str]] = {}
    for source, message_id in ids:
        by_source.setdefault(source, []).append(message_id)
    within = dialects.within(connection)
    seen: set[tuple[int, str]] = set()
    for source, message_ids in by_source.items():
        wanted = dialects.listed(connection, message_ids)
        for table in (f"seen_{day}", f"seen_{days.before(day)}"):
            rows = dialects.fetch(
                connection,
                f"SELECT message_id FROM {table} WHERE source_id = ? AND message_id {within}",
                source,
                wanted,
            )
            seen.update((source, row[0]) for row in rows)
    return seen


def remember(connection: Connection, day: int, ids: Sequence[tuple[int, str]]) -> None:
    dialects.many(connection, f"INSERT INTO seen_{day} (source_id, message_id) VALUES (?, ?)", ids)


def keep(connection: Connection, day: int, rows: Sequence[tuple[Any, ...]]) -> int:
    """Keep them in their order; gives the number of the first.

    Rows of (workspace, source, message id, type, event, user, anonymous, at, received at, verdict, reason, body,
    routing).
    """
    first = cursors.take(connection, "messages", len(rows)) if rows else 0
    dialects.many(
        connection,
        f"INSERT INTO messages_{day} (id, workspace_id, source_id, message_id, type, event, user_id, anonymous_id,"
        " at, received_at, verdict, reason, body, routing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(first + index, *row) for index, row in enumerate(rows)],
    )
    return first


def settle(connection: Connection, workspace: int, triggers: Iterable[Trigger], *, reason: str | None = None) -> None:
    """These tracks are held no longer; `reason` says what came of them where that is not plain.

    Each is found by whom it is about, for no index knows messageIds: a day would be read from end to end.
    """
    by_place: dict[tuple[int, bool], dict[str, Trigger]] = {}
    for each in triggers:
        place = days.day_of(each.received_at), each.anonymous_id is not None
        by_place.setdefault(place, {})[each.key] = each
    for (day, anonymous), tracks in by_place.items():
        index, theirs = ("anonymous", f"{days.ANONYMOUS} AND anonymous_id") if anonymous else ("user", "user_id")
        table = dialects.by(f"messages_{day}_by_{index}", f"messages_{day}", connection)
        dialects.many(
            connection,
            f"UPDATE {table} SET verdict = 'accepted', reason = ? WHERE workspace_id = ? AND {theirs} = ?"
            " AND source_id = ? AND message_id = ? AND verdict = 'held'",
            [
                (reason, workspace, each.anonymous_id or each.user_id, int(key.partition(":")[0]), each.message_id)
                for key, each in tracks.items()
            ],
        )


def judge(connection: Connection, verdicts: Iterable[tuple[str, str | None, int, int]]) -> None:
    """What became of messages that waited: rows of (verdict, reason, day, number)."""
    by_day: dict[int, list[tuple[str, str | None, int]]] = {}
    for verdict, reason, day, number in verdicts:
        by_day.setdefault(day, []).append((verdict, reason, number))
    for day, rows in by_day.items():
        dialects.many(connection, f"UPDATE messages_{day} SET verdict = ?, reason = ? WHERE id = ?", rows)


def last(connection: Connection) -> int:
    """The number of the newest message; 0 when there never was one."""
    return cursors.get(connection, "next:messages")


def after(connection: Connection, position: int, *, until: int | None = None, limit: int = 500) -> list[Placed]:
    """What follows this number, oldest first, of every workspace; `until` is the last number that counts.

    Fewer than `limit` where they are large: a window is to be held in memory. Numbers are in order even where those of
    two days are mixed, because the machine's clock was set back over midnight.
    """
    found: list[Placed] = []
    full = False
    for day in days_after(connection, position):
        end = "" if until is None else f" AND id <= {until:d}"
        rows = dialects.fetch(
            connection,
            f"SELECT workspace_id, {COLUMNS} FROM messages_{day} WHERE id > ?{end} ORDER BY id LIMIT ?",
            position,
            limit,
        )
        found += [Placed(workspace=row[0], day=day, kept=kept_of(row[1:])) for row in rows]
        if full:
            break
        if len(found) >= limit:  # of the next day only what belongs before the last of these
            full, until = True, sorted(each.kept.id for each in found)[limit - 1]
    found.sort(key=lambda each: each.kept.id)
    del found[limit:]
    return found[: _fitting(found)]


def placed(connection: Connection, places: Iterable[tuple[int, int]]) -> dict[int, Placed]:
    """Messages by number, those that are still kept; `places` are (day, number)."""
    by_day: dict[int, list[int]] = {}
    for day, number in places:
        by_day.setdefault(day, []).append(number)
    kept, within = set(days.kept(connection)), dialects.within(connection)
    found: dict[int, Placed] = {}
    for day, numbers in by_day.items():
        if day in kept:
            rows = dialects.fetch(
                connection,
                f"SELECT workspace_id, {COLUMNS} FROM messages_{day} WHERE id {within}",
                dialects.listed(connection, numbers),
            )
            found |= {row[1]: Placed(workspace=row[0], day=day, kept=kept_of(row[1:])) for row in rows}
    return found


def of_people(
    connection: Connection, workspace: int, day: int, people: Iterable[str | None], *, anonymous: bool, limit: int
) -> list[tuple[int, int, str]]:
    """(number, source, messageId) of what came of these userIds, or anonymousIds, on a day; `limit` of all at most."""
    index, theirs = ("anonymous", f"{days.ANONYMOUS} AND anonymous_id") if anonymous else ("user", "user_id")
    table = dialects.by(f"messages_{day}_by_{index}", f"messages_{day}", connection)
    found = dialects.fetch(
        connection,
        f"SELECT id, source_id, message_id FROM {table}"
        f" WHERE workspace_id = ? AND {theirs} {dialects.within(connection)} LIMIT ?",
        workspace,
        dialects.listed(connection, people),
        limit,
    )
    return [(row[0], row[1], row[2]) for row in found]


def bodies(connection: Connection, day: int, numbers: Collection[int]) -> dict[int, bytes]:
    """What stands in these messages of a day."""
    if not numbers:
        return {}
    rows = dialects.fetch(
        connection,
        f"SELECT id, body FROM messages_{day} WHERE id {dialects.within(connection)}",
        dialects.listed(connection, numbers),
    )
    return {number: body.encode() for number, body in rows}


def received_within(connection: Connection, since: datetime, until: datetime) -> tuple[int, int]:
    """What was received in a window: the number before its first message and that of its last; (0, 0) for none."""
    numbers: list[int] = []
    first, last_ = days.day_of(since), days.day_of(until)
    for day in (each for each in days.kept(connection) if first <= each <= last_):
        values: tuple[int, ...] = ()
        asked = f"SELECT (SELECT min(id) FROM messages_{day}), (SELECT max(id) FROM messages_{day})"
        if day in (first, last_):  # the days between are in it whole
            values = micros(since), micros(until)
            asked = f"SELECT min(id), max(id) FROM messages_{day} WHERE received_at >= ? AND received_at < ?"
        numbers += [number for number in dialects.fetch(connection, asked, *values)[0] if number is not None]
    return (min(numbers) - 1, max(numbers)) if numbers else (0, 0)


def _fitting(found: Sequence[Placed]) -> int:
    """How many of the first come to at most `WINDOW_BYTES`; one at least."""
    size = 0
    for count, each in enumerate(found):
        size += len(each.kept.body)
        if size > WINDOW_BYTES and count:
            return count
    return len(found)


def days_after(connection: Connection, position: int) -> list[int]:
    """The days, oldest first, that hold what follows a number.

    Looked for from the newest back, for most stand there. Two in a row that hold nothing of it are the end: a clock
    that was set back over midnight mixes the numbers of two days.
    """
    found: list[int] = []
    without = 0
    for day in days.kept(connection):
        last_of_day = _last_of(connection, day)
        if last_of_day > position:
            found.append(day)
            without = 0
        elif last_of_day:  # the eve of the first day is made empty
            without += 1
        if without == 2:
            break
    return found[::-1]


def _last_of(connection: Connection, day: int) -> int:
    return dialects.fetch(connection, f"SELECT coalesce(max(id), 0) FROM messages_{day}")[0][0]


def kept_of(row: Any) -> Kept:
    return Kept(
        id=row[0],
        source=row[1],
        message_id=row[2],
        type=row[3],
        event=row[4],
        user_id=row[5],
        anonymous_id=row[6],
        at=moment(row[7]),
        received_at=moment(row[8]),
        verdict=row[9],
        reason=row[10],
        body=row[11].encode(),
        routing=row[12],
    )
