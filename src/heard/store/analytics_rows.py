"""Answers as rows for DuckDB: every trait and property a column of canonical JSON text.

    traits {"plan": "Premium", "address": {"city": "Bonn"}}
    ->  t0 = '"Premium"' (traits.plan), t1 = '{"city":"Bonn"}' (traits.address), t2 = '"Bonn"' (traits.address.city)

A path gets the next column when it is first seen. The first `MOST_COLUMNS` paths have a column of their own; a path
that comes later lives in the one column `more`, a JSON object by the same short names, and is slower to filter by.
Paths deeper than `DEEPEST_PATH`, and those first seen after `MOST_PATHS` others, read as null. Null and missing are the
same, and take no room.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, cast

import msgspec

from heard.fql.sql import Column
from heard.fql.tree import Path
from heard.fql.values import canonical
from heard.scores.answered import Answered

MOST_COLUMNS = 256
MOST_PATHS = 20_000
DEEPEST_PATH = 8  # names below `traits`

FIXED = {
    "id": "BIGINT",
    "workspace": "BIGINT",
    "survey": "VARCHAR",
    "survey_id": "BIGINT",
    "campaign": "VARCHAR",
    "channel": "VARCHAR",
    "user_id": "VARCHAR",
    "contact_id": "BIGINT",
    "metric": "VARCHAR",
    "value": "DOUBLE",
    "category": "VARCHAR",
    "comment": "VARCHAR",
    "verdict": "VARCHAR",
}
_fixed = attrgetter(*FIXED)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Place:
    """One path: the short name of its column, made by us, so that nothing a customer wrote becomes a part of SQL."""

    __slots__ = ("below", "has_its_own", "name")

    def __init__(self, name: str, has_its_own: bool) -> None:
        self.name = name
        self.has_its_own = has_its_own
        self.below: dict[str, Place] = {}


class Paths:
    """Which path lies in which column; grows as paths are seen."""

    def __init__(self, most: int = MOST_COLUMNS) -> None:
        self.most = most
        self.known = 0
        self.top: dict[str, Place] = {}

    def column(self, path: Path) -> Column | None:
        """Where a path is found; None when no answer has had it."""
        level, found = self.top, None
        for key in path:
            found = level.get(key)
            if found is None:
                return None
            level = found.below
        if found is None or found.has_its_own:
            return Column(f"answers.{found.name}") if found else None
        return Column(f"json_extract(answers.more, '$.{found.name}')::VARCHAR")

    def place(self, level: dict[str, Place], key: str) -> Place | None:
        """The place of `key` on this level, a new one for a new key; None when there are too many."""
        found = level.get(key)
        if found is None and self.known < MOST_PATHS:
            found = level[key] = Place(f"t{self.known}", self.known < self.most)
            self.known += 1
        return found

    def own(self) -> list[str]:
        """The names of all columns there have to be."""
        return [f"t{index}" for index in range(min(self.known, self.most))]


def rows(answers: Iterable[Answered], paths: Paths) -> bytes:
    """A JSON array of rows, keyed by column; `answered_at` in microseconds. DuckDB reads it faster than lists."""
    return msgspec.json.encode([_row(answer, paths) for answer in answers])


def _row(answer: Answered, paths: Paths) -> dict[str, Any]:
    row = dict(zip(FIXED, _fixed(answer), strict=True))
    row["answered_at"] = microseconds(answer.answered_at)
    more: list[str] = []
    for root, document in (("traits", answer.traits), ("properties", answer.properties)):
        level = paths.place(paths.top, root)
        if level and len(document) > len(b"{}"):
            _fill(row, more, level.below, msgspec.json.decode(document), paths, DEEPEST_PATH)
    if more:
        row["more"] = "{" + ",".join(more) + "}"
    return row


def _fill(
    row: dict[str, Any], more: list[str], level: dict[str, Place], document: dict[str, Any], paths: Paths, levels: int
) -> None:
    """Put every field of `document` that is not null into the row, nested ones too, as canonical JSON."""
    for key, value in document.items():
        if value is None:
            continue
        place = level.get(key) or paths.place(level, key)
        if place is None:
            continue
        if place.has_its_own:
            row[place.name] = canonical(value)
        else:
            more.append(f'"{place.name}":{canonical(value)}')
        if levels > 1 and isinstance(value, dict):
            _fill(row, more, place.below, cast("dict[str, Any]", value), paths, levels - 1)


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
