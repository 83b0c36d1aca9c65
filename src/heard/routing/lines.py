"""A filter as its author writes it, a line of the workspace file; and back.

{if: "type = 'track' and contains(event, 'Debug')", then: drop}
{if: all, then: {sample: 25%}}
{if: "event = 'Order Completed'", then: {drop_properties: [properties.email, context.ip]}}
{if: all, then: {allow_properties: [properties.total, properties.currency]}}
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, cast

from heard import fql
from heard.errors import Invalid
from heard.routing.destination import Filter
from heard.routing.filters import ACTIONS, ALLOW_PROPERTIES, DROP, DROP_PROPERTIES, SAMPLE, holds, path_of
from heard.routing.shape import ESSENTIAL

KEYS = ("if", "then")
WRITE_THEN = (
    "write drop, {sample: 25%}, {drop_properties: [properties.email]} or {allow_properties: [properties.total]}"
)


def read_filter(line: object, place: str) -> Filter:
    """The filter that a line stands for. `place` is where it stands, like "destinations[0].filters[2]".

    Raises:
        Invalid: naming the field (`destinations[0].filters[2].then`) and the fix.
    """
    if not isinstance(line, Mapping):
        raise _invalid(place, "write a filter as {if: \"event = 'Order Completed'\", then: drop}")
    keys = cast("Mapping[Any, Any]", line)
    for key in keys:
        if key not in KEYS:
            raise _invalid(f"{place}.{key}", "there is no such key; a filter has `if` and `then`")
    condition, then = keys.get("if"), keys.get("then")
    if not isinstance(condition, str) or not condition.strip():
        raise _invalid(f"{place}.if", "write a condition in FQL, such as \"event = 'Order Completed'\", or all")
    action, what = _action(then, f"{place}.then")
    made = Filter(
        condition=condition.strip(),
        action=action,
        share=_share(what, f"{place}.then.{SAMPLE}") if action == SAMPLE else 1.0,
        paths=_paths(what, f"{place}.then.{action}") if action in (DROP_PROPERTIES, ALLOW_PROPERTIES) else (),
    )
    check(made, place)
    return made


def written(each: Filter) -> dict[str, Any]:
    """The line of a filter: `read_filter` makes the same filter of it."""
    then: Any = each.action
    if each.action == SAMPLE:
        then = {SAMPLE: f"{_plain(Decimal(repr(each.share)) * 100)}%"}
    elif each.action != DROP:
        then = {each.action: list(each.paths)}
    return {"if": each.condition, "then": then}


def check(each: Filter, place: str = "filter") -> None:
    """Raises Invalid, naming the field and the fix, for a filter that cannot be obeyed as it is."""
    try:
        holds(each.condition)
    except fql.Invalid as error:
        raise _invalid(f"{place}.if", str(error)) from None
    where = f"{place}.then"
    if each.action not in ACTIONS:
        raise _invalid(where, WRITE_THEN)
    if each.action == SAMPLE and not 0 < each.share <= 1:
        raise _invalid(f"{where}.{SAMPLE}", "write a share above 0% and up to 100%, like 25%; for none at all, drop")
    if each.action in (DROP_PROPERTIES, ALLOW_PROPERTIES):
        if not each.paths:
            raise _invalid(f"{where}.{each.action}", "list at least one field, such as [properties.email]")
        for written_path in each.paths:
            _check_path(written_path, each.action, f"{where}.{each.action}")


def _action(then: object, where: str) -> tuple[str, Any]:
    if then == DROP:
        return DROP, None
    if isinstance(then, str) and then in ACTIONS:
        example = {SAMPLE: "25%"}.get(then, "[properties.email]")
        raise _invalid(where, f"say what to {then.replace('_', ' ')}: {{{then}: {example}}}")
    if not isinstance(then, Mapping) or len(cast("Mapping[Any, Any]", then)) != 1:
        raise _invalid(where, WRITE_THEN)
    ((action, what),) = cast("Mapping[Any, Any]", then).items()
    if action == DROP or action not in ACTIONS:
        near = get_close_matches(str(action), ACTIONS, n=1)
        raise _invalid(f"{where}.{action}", f"did you mean {near[0]}?" if near else WRITE_THEN)
    return action, what


def _share(value: object, where: str) -> float:
    """`25%` or 0.25, to the last digit."""
    text = str(value).strip()
    try:
        share = float(Decimal(text[:-1]) / 100 if text.endswith("%") else Decimal(text))
    except (InvalidOperation, OverflowError):
        raise _invalid(where, "write a share above 0% and up to 100%, like 25%") from None
    return share


def _paths(value: object, where: str) -> tuple[str, ...]:
    listed = cast("list[Any]", value) if isinstance(value, list) else []
    if not listed or not all(isinstance(path, str) for path in listed):
        raise _invalid(where, "write a list of fields, such as [properties.email, context.ip]")
    return tuple(path.strip() for path in listed)


def _check_path(written_path: str, action: str, where: str) -> None:
    try:
        path = path_of(written_path)
    except fql.Invalid as error:
        raise _invalid(where, f"`{written_path}` is no field: {error}") from None
    if action == DROP_PROPERTIES and path[0] in ESSENTIAL:
        raise _invalid(where, f"`{written_path}` cannot be dropped; every message has a {path[0]}")
    if action == ALLOW_PROPERTIES and len(path) == 1:
        raise _invalid(where, f"name fields within an object: {written_path}.total, not `{written_path}`")


def _plain(number: Decimal) -> str:
    digits = f"{number:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _invalid(field: str, fix: str) -> Invalid:
    return Invalid(f"{field}: {fix}{'' if fix.endswith('?') else '.'}", field=field)
