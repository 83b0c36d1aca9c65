"""Is a message as the tracking plan has it, and what becomes of it?

    a track of an event that the plan does not list     an unplanned event
    a field that its rule does not name                 an unplanned property, or trait
    what the rule's JSON Schema objects to              missing, of the wrong type, of a wrong value

What the plan says of each of the three is done: the message goes on as it is, what is wrong is taken out and named
in `context.protocols`, or the message is blocked. Pages, screens and aliases are not planned. Where a message is as the
plan has it, nothing is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from heard.messages.again import again
from heard.messages.message import Message, Rejected
from heard.schema.tracking_plan import Rule, TrackingPlan, Unplanned, places
from heard.schema.validate import Fault, Path, validator
from heard.schema.violation import Done, Kind, Violation

BLOCKED = "blocked_by_plan"
MOST_KEPT = 50  # violations of one message

Found = list[tuple[Fault, Unplanned]]
"""What is wrong, and what the plan says is to happen."""

_DONE = {Unplanned.ALLOW: Done.ALLOWED, Unplanned.OMIT: Done.OMITTED, Unplanned.BLOCK: Done.BLOCKED}
_document = msgspec.json.Decoder(dict[str, Any]).decode


class Judged(msgspec.Struct, frozen=True):
    """`message` is the one that was judged, one without what was taken out, or a rejection."""

    message: Message | Rejected
    violations: tuple[Violation, ...] = ()


def judge(message: Message, fields: Mapping[str, Any], plan: TrackingPlan) -> Judged:
    """`fields`: its properties or traits, as `fields_of` gives them."""
    found = _found(message, fields, plan)
    if not found:
        return Judged(message)
    worst = max((then for _, then in found), key=[Unplanned.ALLOW, Unplanned.OMIT, Unplanned.BLOCK].index)
    if worst is Unplanned.BLOCK:
        violations = _violations(message, [(fault, _or_allowed(then, Unplanned.BLOCK)) for fault, then in found])
        return Judged(_rejected(message, violations, plan), violations)
    taken = [fault.path for fault, then in found if then is Unplanned.OMIT and fault.kind is not Kind.MISSING]
    done = [(fault, Unplanned.ALLOW if fault.kind is Kind.MISSING else then) for fault, then in found]
    violations = _violations(message, done)
    return Judged(_without(message, taken, violations) if taken else message, violations)


def _found(message: Message, fields: Mapping[str, Any], plan: TrackingPlan) -> Found:
    match message.type:
        case "track":
            rule = plan.events.get(message.event or "")
            if rule is None:
                fault = Fault(Kind.UNPLANNED_EVENT, (), "The plan does not list this event.")
                return [(fault, plan.unplanned_events)]
            unplanned = plan.unplanned_properties
        case "identify":
            rule, unplanned = plan.identify, plan.unplanned_traits
        case "group":
            rule, unplanned = plan.group, plan.unplanned_traits
        case _:
            return []
    return [] if rule is None else _against(rule, fields, unplanned, plan.violations)


def _against(rule: Rule, fields: Mapping[str, Any], unplanned: Unplanned, wrong: Unplanned) -> Found:
    known, valid = places(rule.schema), validator(rule.schema)
    if known.is_flat and fields.keys() <= known.names.keys() and valid.is_valid(fields):
        return []
    detail = "The plan does not name it."
    found: Found = [(Fault(Kind.UNPLANNED_FIELD, path, detail), unplanned) for path in known.unplanned(fields)]
    if not valid.is_valid(fields):
        found += [(fault, wrong) for fault in valid.faults(fields)]
    return found[:MOST_KEPT]


def _or_allowed(then: Unplanned, done: Unplanned) -> Unplanned:
    """Of a message that is blocked nothing is taken out."""
    return then if then is done else Unplanned.ALLOW


def _violations(message: Message, found: Found) -> tuple[Violation, ...]:
    top = "traits" if message.type in ("identify", "group") else "properties"
    return tuple(
        Violation(kind=fault.kind, field=_written(top, fault), detail=fault.detail, done=_DONE[then])
        for fault, then in found
    )


def _written(top: str, fault: Fault) -> str:
    """`properties.products.price`: a list is passed through, so that a thousand products have one fault."""
    if fault.kind is Kind.UNPLANNED_EVENT:
        return ""
    return ".".join((top, *(part for part in fault.path if isinstance(part, str))))


def _rejected(message: Message, violations: Iterable[Violation], plan: TrackingPlan) -> Rejected:
    first = next(each for each in violations if each.done is Done.BLOCKED)
    said = f"{first.field}: {first.detail}" if first.field else first.detail
    return Rejected(
        source=message.source,
        id=message.id,
        type=message.type,
        user_id=message.user_id,
        event=message.event,
        received_at=message.received_at,
        reason=BLOCKED,
        detail=f"{plan.name} blocks it. {said}",
        body=message.body,
    )


def _without(message: Message, paths: Iterable[Path], violations: Iterable[Violation]) -> Message:
    """The message without what the paths lead to. An identify's traits may stand in its context as well."""
    document = _document(message.body)
    tops = ("traits",) if message.type in ("identify", "group") else ("properties",)
    for path in sorted(paths, key=len, reverse=True):
        for top in tops:
            _take_out(document.get(top), path)
        if message.type == "identify" and isinstance(context := document.get("context"), dict):
            _take_out(cast("dict[str, Any]", context).get("traits"), path)
    omitted = sorted({each.field for each in violations if each.done is Done.OMITTED})
    context = document.setdefault("context", {})
    if isinstance(context, dict):
        said = [{"field": each.field, "description": each.detail} for each in violations]
        cast("dict[str, Any]", context)["protocols"] = {"omitted": omitted, "violations": said}
    return again(message, message.id, body=msgspec.json.encode(document)) or message


def _take_out(where: Any, path: Path) -> None:
    """Take away the field that the path ends at, or the one that holds the list it ends in."""
    names = list(path)
    while names and isinstance(names[-1], int):
        names.pop()
    for name in names[:-1]:
        if isinstance(where, dict) and name in where:
            where = cast("dict[Any, Any]", where)[name]
        elif isinstance(where, list) and isinstance(name, int) and name < len(cast("list[Any]", where)):
            where = cast("list[Any]", where)[name]
        else:
            return
    if names and isinstance(where, dict):
        cast("dict[Any, Any]", where).pop(names[-1], None)
