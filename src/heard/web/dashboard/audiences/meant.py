"""What the rows of a form mean, in the words of the workspace file, with what is wrong at each field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from heard.audiences import read
from heard.audiences.conditions import Condition
from heard.errors import Invalid
from heard.web.dashboard.audiences import refined
from heard.web.dashboard.audiences.rows import NOTHING, ROOT, Row, count, within
from heard.web.dashboard.chips import EVENTS, PEOPLE

TO_COME = "Name the event."
LINE = "line"  # after a row's path: go on at the last of its refinements
FIELDS = {"at_least": "n", "exactly": "n", "at_most": "n", "within": "length", "where": "fql", "traits": "fql"}
"""Which field of a row a key of the file is written in."""


class Meant(msgspec.Struct, frozen=True, kw_only=True):
    """`wrong` by the path of a field, `w.0.event`; `blank` are those of them that nobody has written in yet."""

    written: dict[str, Any]
    wrong: dict[str, str]
    blank: frozenset[str]
    parts: Mapping[str, Condition]  # by path: each row that can be obeyed and holds no other


def meant(root: Row) -> Meant:
    wrong: dict[str, str] = {}
    blank: set[str] = set()
    parts: dict[str, Condition] = {}

    def written(row: Row, path: str) -> dict[str, Any]:
        if row.kind == "group":
            whole = group(row, path)
        else:
            problems: dict[str, str] = {}
            whole = _LEAVES[row.kind](row, path, problems)
            if not problems:
                try:
                    parts[path] = read.condition(whole, "where")
                except Invalid as problem:
                    field, said = at_field(problem, "where")
                    problems[f"{path}.{_field_of(row, field)}"] = said
            blank.update(field for field in problems if _is_blank(row, field.removeprefix(f"{path}.")))
            wrong.update(problems)
        return {"not": whole} if row.opposite else whole

    def group(row: Row, path: str) -> dict[str, Any]:
        if not row.rows:
            wrong[f"{path}.rows"] = "Add a condition."
            blank.add(f"{path}.rows")
        return {row.join: [written(each, f"{path}.{place}") for place, each in enumerate(row.rows)]}

    whole = written(root, ROOT)
    if len(root.rows) == 1:
        (whole,) = whole[root.join]
    if not wrong:
        try:
            read.condition(whole, "where")
        except Invalid as problem:  # too many, or too deep
            wrong[f"{ROOT}.rows"] = at_field(problem, "where")[1]
    return Meant(written=whole, wrong=wrong, blank=frozenset(blank), parts=parts)


def at_field(problem: Invalid, place: str) -> tuple[str, str]:
    """(`event`, "Write a text ...") of `where.event: write a text ...`."""
    at = problem.field or place
    said = str(problem).removeprefix(f"{at}: ")
    return at.removeprefix(place).lstrip("."), said[:1].upper() + said[1:]


def _event(row: Row, path: str, wrong: dict[str, str]) -> dict[str, Any]:
    if not row.event:
        wrong[f"{path}.event"] = TO_COME
    often: dict[str, Any] = {row.often: count(row.n)}
    if row.often == "between":
        often = {"at_least": count(row.n), "at_most": count(row.most)}
    whole = {"event": row.event, **often, "within": within(row)}
    whole["where"] = refined.where_of(row.refined, EVENTS, wrong, path)
    return {key: value for key, value in whole.items() if value is not None}


def _traits(row: Row, path: str, wrong: dict[str, str]) -> dict[str, Any]:
    where = refined.where_of(row.refined, PEOPLE, wrong, path)
    if where is None and not wrong:
        wrong[f"{path}.fql"] = "Say which traits."
    return {"traits": where}


def _audience(row: Row, path: str, wrong: dict[str, str]) -> dict[str, Any]:
    if not row.audience:
        wrong[f"{path}.audience"] = "Choose an audience."
    return {"audience": row.audience}


def _kept(row: Row, _path: str, _wrong: dict[str, str]) -> dict[str, Any]:
    return msgspec.json.decode(row.kept)


_LEAVES: Mapping[str, Callable[[Row, str, dict[str, str]], dict[str, Any]]] = {
    "event": _event,
    "traits": _traits,
    "audience": _audience,
    "kept": _kept,
}


def _field_of(row: Row, key: str) -> str:
    if key == "at_most" and row.often == "between":
        return "most"
    if not key:  # the row as a whole: it asks for too many within a window
        return "n"
    return FIELDS.get(key, key)


def _is_blank(row: Row, field: str) -> bool:
    """Whether nobody has written there yet, so that it is no mistake."""
    if field in ("event", "audience", "n", "most"):
        return not getattr(row, field)
    if field == "fql":
        return not row.refined.fql
    line, _, part = field.removeprefix("f").partition(".")
    return line.isdecimal() and not getattr(row.refined.lines[int(line)], part, "x")


def changed(root: Row, act: str) -> tuple[Row, str]:
    """The rows after a button, `add-event w.1` or `use w.0 Order Completed`, and the path of the row to go on from."""
    what, _, path = act.partition(" ")
    path, _, name = path.partition(" ")
    steps = path.split(".")
    if steps[0] != ROOT or not all(step.isdecimal() and len(step) < 4 for step in steps[1:]):
        return root, ROOT
    places = [int(step) for step in steps[1:]]
    if what == "drop" and places:
        return _with(root, places[:-1], lambda row: _less(row, places[-1])), ".".join(steps[:-1])
    if what.startswith("add-"):
        at = _at(root, places)
        new = f"{path}.{len(at.rows)}" if at else path
        return _with(root, places, lambda row: _more(row, what[4:])), f"{new}.0" if what == "add-group" else new
    if what == "use":
        return _with(root, places, lambda row: msgspec.structs.replace(row, event=name)), path
    return _with(root, places, lambda row: _refine(row, what)), f"{path}.{LINE}"


def _with(row: Row, places: list[int], change: Callable[[Row], Row]) -> Row:
    if not places:
        return change(row)
    first, *rest = places
    if first >= len(row.rows):
        return row
    rows = (*row.rows[:first], _with(row.rows[first], rest, change), *row.rows[first + 1 :])
    return msgspec.structs.replace(row, rows=rows)


def _at(row: Row, places: list[int]) -> Row | None:
    for place in places:
        if place >= len(row.rows):
            return None
        row = row.rows[place]
    return row


def _more(row: Row, kind: str) -> Row:
    new = {
        "event": Row(kind="event"),
        "traits": Row(kind="traits", refined=refined.changed(refined.Refined(), "line", PEOPLE)),
        "audience": Row(kind="audience"),
        "group": msgspec.structs.replace(NOTHING, join="any", rows=(Row(kind="event"),)),
    }
    if row.kind != "group" or kind not in new:
        return row
    return msgspec.structs.replace(row, rows=(*row.rows, new[kind]))


def _less(row: Row, place: int) -> Row:
    return msgspec.structs.replace(row, rows=(*row.rows[:place], *row.rows[place + 1 :]))


def _refine(row: Row, what: str) -> Row:
    if row.kind not in ("event", "traits"):
        return row
    reads = EVENTS if row.kind == "event" else PEOPLE
    return msgspec.structs.replace(row, refined=refined.changed(row.refined, what, reads))
