"""A tracking plan: which events and traits a source may send, of which shape, and what happens to the rest."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

import msgspec

WHOLE = "object"


class Unplanned(StrEnum):
    """What happens to an event, property or trait that does not stand in the plan."""

    ALLOW = "allow"
    OMIT = "omit"  # the property is taken out; an event can only be allowed or blocked
    BLOCK = "block"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One event, or the traits of identify or group calls. `schema` is a JSON Schema of an object, as JSON text."""

    schema: str
    description: str = ""

    @property
    def written(self) -> dict[str, Any]:
        return msgspec.json.decode(self.schema)


class TrackingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """`sources` None = it is attached to none yet; `told` are destinations that hear of every violation."""

    id: int
    workspace: int
    name: str
    sources: frozenset[int]
    told: tuple[int, ...] = ()
    events: Mapping[str, Rule]
    identify: Rule | None = None
    group: Rule | None = None
    unplanned_events: Unplanned = Unplanned.ALLOW
    unplanned_properties: Unplanned = Unplanned.ALLOW
    unplanned_traits: Unplanned = Unplanned.ALLOW
    violations: Unplanned = Unplanned.ALLOW


class Places:
    """The names that a schema knows, and those of the objects within it. `ANYTHING` stands where it names none."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        named = schema.get("properties")
        properties = cast("dict[str, Any]", named) if isinstance(named, dict) else {}
        self.names: dict[str, Places | None] = {name: _within(each) for name, each in properties.items()}
        self.is_flat = not any(self.names.values())
        self.patterns = "patternProperties" in schema

    def unplanned(self, fields: Mapping[str, Any], above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
        """Paths to what stands in `fields` and not in the plan, the outermost of each."""
        if self.patterns:
            return []
        found: list[tuple[str | int, ...]] = []
        for name, value in fields.items():
            if name not in self.names:
                found.append((*above, name))
            elif (within := self.names[name]) is None:
                continue
            elif isinstance(value, dict):
                found += within.unplanned(cast("dict[str, Any]", value), (*above, name))
            elif isinstance(value, list):
                for number, item in enumerate(cast("list[Any]", value)):
                    if isinstance(item, dict):
                        found += within.unplanned(cast("dict[str, Any]", item), (*above, name, number))
        return found


def _within(schema: Any) -> Places | None:
    """What it says of the objects below, also as items of a list; None when it names nothing there."""
    if not isinstance(schema, dict):
        return None
    below = cast("dict[str, Any]", schema)
    if "properties" in below:
        return Places(below)
    return _within(below["items"]) if "items" in below else None


@lru_cache(maxsize=4096)
def places(schema: str) -> Places:
    return Places(msgspec.json.decode(schema))
