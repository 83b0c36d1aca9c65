"""What a destination's property filters make of a document before it goes out.

First all `drop_properties`, then all `allow_properties`, each where its condition is true of the document as it was
before any of them. A path is written like a field of FQL, `properties.email`, with a backslash before an odd character,
and leads through lists as well: `properties.products.price` is the price of every product.

Dropping removes the path. Allowing keeps, in each object that holds an allowed path, only what is allowed there and
what leads to something allowed further in; objects that hold none are left alone: ("properties.total",
"properties.coupon") leaves `properties` with two fields and `context` as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, cast

import msgspec

from heard.routing.destination import Destination, Filter
from heard.routing.filters import ALLOW_PROPERTIES, DROP_PROPERTIES, Holds, holds, path_of

ESSENTIAL = frozenset({"type", "messageId", "timestamp"})
"""A message without them is none, so no filter takes them away."""

Tree = dict[str, Any]
"""Names to trees; {} is where a path ends."""


class _Shaping(msgspec.Struct, frozen=True):
    holds: Holds | None
    drops: bool
    paths: Tree


def shaped(document: dict[str, Any], destination: Destination) -> dict[str, Any]:
    """The document as this destination gets it. What does not change is shared with `document`, so change neither.

    Raises:
        fql.Invalid: a filter cannot be read. The plan refuses every message then, so this is a slip of the caller.
    """
    result = document
    for each in _shapings(destination.filters):
        if each.holds is None or each.holds(document):
            result = _without(result, each.paths) if each.drops else _only(result, each.paths)
    return result


@lru_cache(maxsize=256)
def _shapings(filters: tuple[Filter, ...]) -> tuple[_Shaping, ...]:
    return tuple(
        _Shaping(holds(each.condition), action == DROP_PROPERTIES, _tree(each.paths, action))
        for action in (DROP_PROPERTIES, ALLOW_PROPERTIES)
        for each in filters
        if each.action == action
    )


def _tree(written: Iterable[str], action: str) -> Tree:
    """All paths in one tree. A path covers what lies beyond its end."""
    paths = {path_of(each) for each in written}
    if action == DROP_PROPERTIES:
        paths = {path for path in paths if path[0] not in ESSENTIAL}
    elif any(len(path) == 1 for path in paths):
        paths |= {(name,) for name in ESSENTIAL}
    tree: Tree = {}
    for path in paths:
        if not any(path[:length] in paths for length in range(1, len(path))):
            here = tree
            for name in path:
                here = here.setdefault(name, {})
    return tree


def _without(value: Any, paths: Tree) -> Any:
    """`value` without what the paths lead to; itself when nothing is there."""
    if isinstance(value, list):
        return _each(cast("list[Any]", value), paths, _without)
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    return _changed(
        fields,
        keeps=lambda name: paths.get(name) != {},
        within=lambda name, old: _without(old, paths[name]) if name in paths else old,
    )


def _only(value: Any, paths: Tree) -> Any:
    """`value` with, in each object that holds an allowed path, only what is allowed or leads there."""
    if isinstance(value, list):
        return _each(cast("list[Any]", value), paths, _only)
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    holds_one = {} in paths.values()
    return _changed(
        fields,
        keeps=lambda name: not holds_one or name in paths,
        within=lambda name, old: _only(old, inner) if (inner := paths.get(name)) else old,
    )


def _changed(
    fields: dict[str, Any], *, keeps: Callable[[str], bool], within: Callable[[str, Any], Any]
) -> dict[str, Any]:
    new = {name: within(name, old) for name, old in fields.items() if keeps(name)}
    return fields if len(new) == len(fields) and all(new[name] is fields[name] for name in new) else new


def _each(items: list[Any], paths: Tree, do: Callable[[Any, Tree], Any]) -> list[Any]:
    new = [do(item, paths) for item in items]
    return items if all(one is other for one, other in zip(new, items, strict=True)) else new
