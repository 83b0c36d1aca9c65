"""The part of a survey's form that says what goes out of its answers, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from heard.errors import Invalid
from heard.surveys.send_back import FIELDS, Moment, SendBack

EXPLAINED = {
    Moment.VIEWED: "A person opened it and did something",
    Moment.ANSWERED: "The first answer",
    Moment.COMPLETED: "The last question, or half an hour after the last answer",
    Moment.DISMISSED: "Closed without an answer; in the app only",
}
USUAL = {
    Moment.VIEWED: "NPS Viewed",
    Moment.ANSWERED: "NPS Answered",
    Moment.COMPLETED: "NPS Completed",
    Moment.DISMISSED: "NPS Dismissed",
}


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """`traits` as lines of `name = field`."""

    to: tuple[str, ...] = ()
    events: Mapping[str, str] = {}
    properties: tuple[str, ...] = FIELDS
    traits: str = ""


def of_survey(back: SendBack | None, names: Mapping[int, str]) -> Form:
    if back is None:
        return Form()
    return Form(
        to=tuple(names[number] for number in back.to if number in names),
        events={moment.value: name for moment, name in back.events.items()},
        properties=back.properties,
        traits="\n".join(f"{trait} = {field}" for trait, field in back.traits.items()),
    )


def of_fields(fields: Any) -> Form:
    def texts(name: str) -> tuple[str, ...]:
        return tuple(str(each)[:1000] for each in fields.getall(name, []))

    events = {moment.value: str(fields.get(f"back_{moment}") or "").strip()[:1000] for moment in Moment}
    return Form(
        to=texts("back_to"),
        events={moment: name for moment, name in events.items() if name},
        properties=texts("back_property"),
        traits=str(fields.get("back_traits") or "")[:10_000],
    )


def written(form: Form) -> dict[str, Any] | None:
    """As the workspace file has it; None when nobody is to be told.

    Raises:
        Invalid: with `field` `send_back.traits`: a line is not `name = field`.
    """
    if not form.to:
        return None
    traits: dict[str, str] = {}
    for line in form.traits.splitlines():
        if not line.strip():
            continue
        trait, equals, field = (part.strip() for part in line.partition("="))
        if not equals or not trait or not field:
            raise Invalid(f"Write each line as a trait, = and a field: {line.strip()!r}.", field="send_back.traits")
        traits[trait] = field
    said: dict[str, Any] = {"to": list(form.to), "events": dict(form.events), "traits": traits}
    if set(form.properties) != set(FIELDS):
        said["properties"] = list(form.properties)
    return said
