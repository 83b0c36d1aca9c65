"""One person's messages: with their userId, or without one and under an anonymous id that is known to be theirs.

Each day is looked at by its two indexes, many days in one statement, for most days hold nothing of a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.store import anonymous, days, dialects
from heard.store.messages import COLUMNS, Kept, kept_of

DAYS_AT_ONCE = 60  # each is asked twice; SQLite joins up to 500


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """By which ids messages are known as somebody's. `anonymous_ids` count where a message has no userId."""

    workspace: int
    user_ids: tuple[str, ...]
    anonymous_ids: tuple[str, ...] = ()


def of_user(connection: Connection, workspace: int, user_id: str) -> Whose:
    """With the newest of their anonymous ids, where there are very many."""
    found = anonymous.of_user(connection, workspace, user_id)
    return Whose(workspace=workspace, user_ids=(user_id,), anonymous_ids=tuple(found))


def newest(
    connection: Connection,
    whose: Whose,
    days_asked: Sequence[int],
    *,
    conditions: str = "",
    values: Sequence[Any] = (),
    limit: int,
) -> list[Kept]:
    """Theirs of these days, which stand newest first; newest first. `conditions` begin with " AND"."""
    found: list[Kept] = []
    looks = [
        (index, *_among(connection, column, ids))
        for index, column, ids in (
            ("user", "user_id", whose.user_ids),
            ("anonymous", f"{days.ANONYMOUS} AND anonymous_id", whose.anonymous_ids),
        )
        if ids
    ]
    for start in range(0, len(days_asked), DAYS_AT_ONCE):
        wanted = limit - len(found)
        parts: list[str] = []
        bound: list[Any] = []
        for day in days_asked[start : start + DAYS_AT_ONCE]:
            for index, theirs, ids in looks:
                table = dialects.by(f"messages_{day}_by_{index}", f"messages_{day}", connection)
                parts.append(
                    f"SELECT * FROM (SELECT {COLUMNS} FROM {table} WHERE workspace_id = ? AND {theirs}{conditions}"
                    f" ORDER BY id DESC LIMIT ?) AS {index}_{day}"
                )
                bound += [whose.workspace, ids, *values, wanted]
        rows = dialects.fetch(connection, f"{' UNION ALL '.join(parts)} ORDER BY id DESC LIMIT ?", *bound, wanted)
        found += [kept_of(row) for row in rows]
        if len(found) >= limit:
            break
    return found


def _among(connection: Connection, column: str, ids: Sequence[str]) -> tuple[str, Any]:
    """One id is compared with =, so that what is found stands in order already."""
    if len(ids) == 1:
        return f"{column} = ?", ids[0]
    return f"{column} {dialects.within(connection)}", dialects.listed(connection, ids)
