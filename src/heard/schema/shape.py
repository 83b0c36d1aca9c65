"""The shape of what was sent: under which names values came, and of which types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

DEEPEST = 4  # objects within objects; what is further in counts as an object
LONGEST = 200  # characters of a path; what is longer has no name that a person would plan

Shape = tuple[tuple[str, ...], tuple[type, ...]]
"""Paths (`shipping.country`) and, place by place, the types of their values: keys of `TYPES`."""

TYPES: Mapping[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
    type(None): "null",
}
"""What JSON is read as, and what JSON Schema calls it."""


def shape_of(fields: Mapping[str, Any]) -> Shape:
    """Of an object with anything in it, objects within it included; the items of a list are not looked into."""
    types = tuple(map(type, fields.values()))
    if dict not in types and max(map(len, fields)) <= LONGEST:
        return tuple(fields), types
    found: list[tuple[str, type]] = []
    _walk(fields, "", 1, found)
    return tuple(path for path, _ in found), tuple(kind for _, kind in found)


def _walk(fields: Mapping[str, Any], above: str, depth: int, found: list[tuple[str, type]]) -> None:
    for name, value in fields.items():
        path = f"{above}.{name}" if above else name
        if len(path) > LONGEST:
            continue
        found.append((path, type(value)))
        if isinstance(value, dict) and depth < DEEPEST:
            _walk(cast("dict[str, Any]", value), path, depth + 1, found)
