"""A tracking plan as its author writes it: in the workspace file, or on its page.

    name: Shop
    sources: [Website]
    unplanned_events: block
    violations: omit
    told: [Warehouse hook]
    events:
      Order Completed:
        properties: {total: number, currency: {type: string, enum: [USD, EUR]}}
        required: [total]
    identify: {traits: {email: string}, required: [email]}

Each rule is a JSON Schema of the properties or traits. `total: number` is short for `total: {type: number}`, and
`traits` may be written for `properties`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

import msgspec

from heard.errors import Invalid
from heard.schema.tracking_plan import Rule, Unplanned
from heard.schema.validate import problem_of

KEYS = (
    "name", "sources", "unplanned_events", "unplanned_properties", "unplanned_traits", "violations", "told",
    "events", "identify", "group",
)  # fmt: skip
CHOICES = ("unplanned_events", "unplanned_properties", "unplanned_traits", "violations")
TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
ELSEWHERE = ("$ref", "$dynamicRef", "$recursiveRef", "$id", "$schema", "$anchor")
MOST_EVENTS = 2000
LONGEST_SCHEMA = 32 << 10  # bytes of one rule
LONGEST_NAME = 500


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    events: Mapping[str, Rule]
    identify: Rule | None
    group: Rule | None


def rules(written: Mapping[str, Any], place: str) -> Rules:
    """`events`, `identify` and `group` of a plan.

    Raises:
        Invalid: naming the place (`tracking_plans[0].events.Order Completed.required`) and the fix.
    """
    events = _mapping(written.get("events") or {}, f"{place}.events")
    if len(events) > MOST_EVENTS:
        raise Invalid(f"{place}.events: a plan has at most {MOST_EVENTS:,} events.", field=f"{place}.events")
    return Rules(
        events={name: _event(name, each, f"{place}.events.{name}") for name, each in events.items()},
        identify=None if written.get("identify") is None else rule(written["identify"], f"{place}.identify"),
        group=None if written.get("group") is None else rule(written["group"], f"{place}.group"),
    )


def unplanned(value: object, place: str, allowed: Collection[Unplanned] = tuple(Unplanned)) -> Unplanned:
    """What is to happen; without a word it is allowed."""
    if value is None:
        return Unplanned.ALLOW
    if value not in allowed:
        raise Invalid(f"{place}: write one of {', '.join(allowed)}.", field=place)
    return Unplanned(str(value))


EVENTS_MAY = (Unplanned.ALLOW, Unplanned.BLOCK)


def rule(value: object, place: str) -> Rule:
    """One rule, with its short forms written out."""
    written = dict(_mapping({} if value is None else value, place))
    description = written.pop("description", "")
    if not isinstance(description, str):
        raise Invalid(f"{place}.description: write a text.", field=f"{place}.description")
    if "traits" in written and "properties" not in written:
        written["properties"] = written.pop("traits")
    schema = _spelled_out(written, place)
    text = msgspec.json.encode(schema).decode()
    if len(text) > LONGEST_SCHEMA:
        raise Invalid(f"{place}: write at most {LONGEST_SCHEMA >> 10} KB.", field=place)
    if problem := problem_of(schema):
        raise Invalid(f"{place}: this is no JSON Schema: {problem}", field=place)
    return Rule(schema=text, description=description)


def _event(name: object, value: object, place: str) -> Rule:
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"{place}: write an event's name of 1 to {LONGEST_NAME} characters.", field=place)
    return rule(value, place)


def _spelled_out(schema: Mapping[str, Any], place: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in schema.items():
        where = f"{place}.{key}"
        if key in ELSEWHERE:
            raise Invalid(f"{where}: a plan refers to nothing outside it; write the rule out here.", field=where)
        if key == "properties":
            properties = _mapping(value, where)
            result[key] = {name: _one(each, f"{where}.{name}") for name, each in properties.items()}
        elif key == "items" and isinstance(value, dict | str):
            result[key] = _one(value, where)
        else:
            _refers_nowhere(value, where)
            result[key] = value
    return result


def _one(value: object, place: str) -> dict[str, Any] | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value not in TYPES:
            raise Invalid(f"{place}: {value!r} is no type. Types: {', '.join(TYPES)}.", field=place)
        return {"type": value}
    return _spelled_out(_mapping(value, place), place)


def _refers_nowhere(value: Any, place: str) -> None:
    if isinstance(value, dict):
        for key, below in cast("dict[str, Any]", value).items():
            if key in ELSEWHERE:
                raise Invalid(f"{place}.{key}: a plan refers to nothing outside it.", field=f"{place}.{key}")
            _refers_nowhere(below, f"{place}.{key}")
    elif isinstance(value, list):
        for below in cast("list[Any]", value):
            _refers_nowhere(below, place)


def _mapping(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid(f"{place}: write keys and values.", field=place)
    return cast("Mapping[str, Any]", value)
