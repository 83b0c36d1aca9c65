"""Tracking plans of a workspace file: read, compared with what is there, kept, and written back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import msgspec
from sqlalchemy import Connection

from heard.errors import Invalid
from heard.operations.file_audience import known_names
from heard.operations.file_changes import Change, compare
from heard.schema import read
from heard.schema.tracking_plan import Rule
from heard.store import edits, tables
from heard.store.edits import Row

LONGEST_NAME = 100
SECTION = "tracking_plans"


class PlanLine(msgspec.Struct, frozen=True, kw_only=True):
    """`settings` with every rule spelled out; `sources` and `told` are names."""

    name: str
    sources: tuple[str, ...]
    told: tuple[str, ...]
    settings: dict[str, Any]


def plan_line(line: dict[str, Any], place: str) -> PlanLine:
    """One tracking plan, as the file or a form writes it; `place` leads what there is to say against it."""
    for key in line:
        if key not in read.KEYS:
            raise Invalid(
                f"{place}.{key}: there is no such key. Known: {', '.join(read.KEYS)}.", field=f"{place}.{key}"
            )
    name = line.get("name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise Invalid(f"{place}.name: write a name of 1 to {LONGEST_NAME} characters.", field=f"{place}.name")
    settings: dict[str, Any] = {}
    for key in read.CHOICES:
        allowed = read.EVENTS_MAY if key == "unplanned_events" else tuple(read.Unplanned)
        chosen = read.unplanned(line.get(key), f"{place}.{key}", allowed)
        if chosen is not read.Unplanned.ALLOW:
            settings[key] = chosen.value
    rules = read.rules(line, place)
    settings["events"] = {event: _written(rule) for event, rule in rules.events.items()}
    for key, rule in (("identify", rules.identify), ("group", rules.group)):
        if rule is not None:
            settings[key] = _written(rule)
    return PlanLine(
        name=name.strip(),
        sources=_names(line.get("sources"), f"{place}.sources"),
        told=_names(line.get("told"), f"{place}.told"),
        settings=settings,
    )


def keep_plans(
    connection: Connection,
    workspace: int,
    wanted: Sequence[PlanLine],
    sources: Mapping[str, int],
    changes: list[Change],
) -> None:
    """Bring the workspace's to what the file says.

    Raises:
        Invalid: a source or a destination is not there, or a source has another plan.
    """
    for line in wanted:
        keep_one(connection, workspace, line, f"{SECTION}[{line.name}]", sources, changes)


def keep_one(
    connection: Connection,
    workspace: int,
    line: PlanLine,
    place: str,
    sources: Mapping[str, int],
    changes: list[Change],
    *,
    number: int | None = None,
) -> int:
    """One of them, new or changed; gives its number. `number`: the one that is meant, whatever it was called."""
    rows = edits.rows_of(connection, tables.tracking_plans, workspace)
    row = next((each for each in rows if each["id"] == number or (number is None and each["name"] == line.name)), None)
    if any(each["name"] == line.name and each is not row for each in rows):
        raise Invalid(f"{place}.name: another plan is called so; choose another name.", field=f"{place}.name")
    destinations = known_names(connection, workspace)
    values = {
        "name": line.name,
        "source_ids": sorted(_number(sources, name, "source", f"{place}.sources") for name in line.sources),
        "told": [_number(destinations, name, "destination", f"{place}.told") for name in line.told],
        "settings": line.settings,
    }
    for other in rows:
        if other is not row and (shared := set(other["source_ids"]) & set(values["source_ids"])):
            name = next(name for name, number in sources.items() if number in shared)
            raise Invalid(
                f"{place}.sources: {name} has the plan {other['name']!r}; a source has one plan.",
                field=f"{place}.sources",
            )
    if row is None:
        changes.append(Change(place=place, added=True))
        return edits.keep_tracking_plan(connection, workspace, None, **values)
    names = _by_number(sources), _by_number(destinations)
    if compare(changes, place, as_written(row, *names), as_written(values, *names)):
        edits.keep_tracking_plan(connection, workspace, row["id"], **values)
    return row["id"]


def as_written(row: Mapping[str, Any], sources: Mapping[int, str], destinations: Mapping[int, str]) -> dict[str, Any]:
    """As the file has it, with the short forms where they say the same."""
    settings = dict(row["settings"])
    written: dict[str, Any] = {
        "name": row["name"],
        "sources": [sources[number] for number in row["source_ids"] if number in sources],
    }
    if told := [destinations[number] for number in row["told"] if number in destinations]:
        written["told"] = told
    events = {name: _short(rule, "properties") for name, rule in settings.pop("events").items()}
    rules = {key: _short(settings.pop(key), "traits") for key in ("identify", "group") if key in settings}
    return {**written, **settings, **({"events": events} if events else {}), **rules}


def _written(rule: Rule) -> dict[str, Any]:
    return {**({"description": rule.description} if rule.description else {}), **rule.written}


def _short(rule: Mapping[str, Any], top: str) -> dict[str, Any]:
    """`{type: number}` as `number`, and the properties under the name that people use for them."""
    named = cast("dict[str, Any] | None", rule.get("properties"))
    shown = {} if named is None else {top: {name: _short_one(each) for name, each in named.items()}}
    rest = {key: value for key, value in rule.items() if key not in ("description", "properties")}
    return {**({"description": rule["description"]} if "description" in rule else {}), **shown, **rest}


def _short_one(schema: Any) -> Any:
    if isinstance(schema, dict):
        written = cast("dict[str, Any]", schema)
        if written.keys() == {"type"} and isinstance(written["type"], str):
            return written["type"]
        if "properties" in written:
            below = {name: _short_one(each) for name, each in written["properties"].items()}
            return {**written, "properties": below}
    return cast("Any", schema)


def _names(value: object, place: str) -> tuple[str, ...]:
    if value is None:
        return ()
    items = cast("list[Any]", value) if isinstance(value, list) else None
    if items is None or not all(isinstance(each, str) for each in items):
        raise Invalid(f"{place}: write a list of names, like [Website].", field=place)
    return tuple(dict.fromkeys(items))


def _number(known: Mapping[str, int], name: str, noun: str, place: str) -> int:
    if name not in known:
        raise Invalid(f"{place}: there is no {noun} {name!r}. There are: {_listed(known)}.", field=place)
    return known[name]


def _listed(known: Collection[str]) -> str:
    return ", ".join(known) or "none"


def _by_number(known: Mapping[str, int]) -> dict[int, str]:
    return {number: name for name, number in reversed(list(known.items()))}


def removed(connection: Connection, workspace: int, number: int) -> Row | None:
    """Take one away; what was seen and what was broken stays. Gives what it was, None when there is none."""
    rows = edits.rows_of(connection, tables.tracking_plans, workspace)
    row = next((each for each in rows if each["id"] == number), None)
    if row is not None:
        edits.remove_tracking_plan(connection, workspace, number)
    return row
