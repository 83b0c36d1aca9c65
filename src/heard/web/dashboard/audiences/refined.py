"""A condition as rows of field, operator and value, which become FQL; or as FQL, written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from heard.errors import Invalid
from heard.fql.tree import Expression
from heard.web.dashboard import chips
from heard.web.dashboard.chips import Draft, Reads

LONGEST = 2_000  # characters of a field
MOST_LINES = 20


class Refined(msgspec.Struct, frozen=True, kw_only=True):
    """`fql` None: by rows."""

    lines: tuple[Draft, ...] = ()
    fql: str | None = None


def of_where(where: str | None) -> Refined:
    """By rows where every part of it is a plain comparison."""
    parts = chips.chips(where)
    if any(part.operator is None for part in parts):
        return Refined(fql=where)
    return Refined(lines=tuple(_draft(part) for part in parts))


def of_fields(fields: Any, path: str) -> Refined:
    """What a browser sent of the rows `path.f0`, `path.f1` and so on, or of `path.fql`."""
    if (by_hand := fields.get(f"{path}.fql")) is not None:
        return Refined(fql=text(by_hand))
    lines: list[Draft] = []
    while len(lines) < MOST_LINES and f"{path}.f{len(lines)}.field" in fields:
        at = f"{path}.f{len(lines)}"
        field, operator, value = (text(fields.get(f"{at}.{part}")) for part in ("field", "operator", "value"))
        lines.append(Draft(field=field, operator=operator, value=value))
    return Refined(lines=tuple(lines))


def where_of(refined: Refined, reads: Reads, wrong: dict[str, str], path: str) -> str | None:
    """The FQL of it, as far as its rows can be obeyed; what cannot be is noted in `wrong`, by the row's path."""
    if refined.fql is not None:
        return refined.fql or None
    parts: list[Expression] = []
    for number, line in enumerate(refined.lines):
        try:
            parts.append(chips.written(line, reads))
        except Invalid as problem:
            wrong[f"{path}.f{number}.{problem.field}"] = str(problem)
    return chips.joined(parts)


def changed(refined: Refined, act: str, reads: Reads) -> Refined:
    """After a button: `line` adds a row, `drop-1` takes one away, `fql` and `lines` change how it is written."""
    if act == "line" and len(refined.lines) < MOST_LINES:
        return Refined(lines=(*refined.lines, Draft()))
    if act == "fql":
        return Refined(fql=where_of(refined, reads, {}, "") or "")
    if act == "lines":
        return of_where(refined.fql or None)
    number = act.removeprefix("drop-")
    return Refined(lines=tuple(line for place, line in enumerate(refined.lines) if str(place) != number))


def text(value: object) -> str:
    return str(value or "").replace("\r\n", "\n").strip()[:LONGEST]


def _draft(chip: chips.Chip) -> Draft:
    return Draft(field=chip.field, operator=chip.operator or "is", value=chip.value)


OPERATORS: Mapping[str, str] = chips.OPERATORS
