"""What a survey sends back of its answers: events, and traits of who answered, to destinations outside.

to: [Segment]
events: {answered: NPS Answered}
properties: [value, comment]
traits: {NPS_rating: value}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, cast

import msgspec

from heard.errors import Invalid


class Moment(StrEnum):
    """What happens to an invitation that others may want to know."""

    VIEWED = "viewed"  # the first sign of a person
    ANSWERED = "answered"  # the first answer
    COMPLETED = "completed"  # the last question was answered, or half an hour passed after the last answer
    DISMISSED = "dismissed"  # in the app only


FIELDS = (
    "value", "category", "comment", "survey", "campaign", "channel", "metric", "response_id", "answered_at",
)  # fmt: skip
"""What can be said of an answer."""
KEYS = ("to", "events", "properties", "traits")
LONGEST_NAME = 200
MOST_TRAITS = 20


class SendBack(msgspec.Struct, frozen=True, kw_only=True):
    """`to` are destinations; `properties` of the events; `traits` by their name, each a field of the answer."""

    to: tuple[int, ...]
    events: Mapping[Moment, str] = {}
    properties: tuple[str, ...] = FIELDS
    traits: Mapping[str, str] = {}


def read(written: object, place: str) -> dict[str, Any]:
    """As it is kept: `to` by name still, the rest checked.

    Raises:
        Invalid: naming the key (`surveys[0].send_back.events.answered`) and the fix.
    """
    said = _mapping(written, place, KEYS)
    to = said.get("to")
    if not isinstance(to, list) or not to or not all(isinstance(each, str) for each in cast("list[Any]", to)):
        raise Invalid(f"{place}.to: write a list of destinations, like [Segment].", field=f"{place}.to")
    kept: dict[str, Any] = {"to": list(dict.fromkeys(cast("list[str]", to)))}
    events = _mapping(said.get("events") or {}, f"{place}.events", tuple(Moment))
    kept["events"] = {moment: _name(name, f"{place}.events.{moment}") for moment, name in events.items()}
    if (properties := said.get("properties")) is not None:
        kept["properties"] = _properties(properties, f"{place}.properties")
    traits = _mapping(said.get("traits") or {}, f"{place}.traits", None)
    if len(traits) > MOST_TRAITS:
        raise Invalid(f"{place}.traits: at most {MOST_TRAITS} traits.", field=f"{place}.traits")
    for trait, field in traits.items():
        _name(trait, f"{place}.traits")
        _field(field, f"{place}.traits.{trait}")
    kept["traits"] = dict(traits)
    if not kept["events"] and not kept["traits"]:
        raise Invalid(f"{place}: name an event or a trait to send.", field=place)
    return {key: value for key, value in kept.items() if value != {}}


def of_settings(settings: Mapping[str, Any]) -> SendBack:
    """As `read` kept it, `to` by number."""
    return SendBack(
        to=tuple(settings["to"]),
        events={Moment(moment): name for moment, name in settings.get("events", {}).items()},
        properties=tuple(settings.get("properties", FIELDS)),
        traits=settings.get("traits", {}),
    )


def _mapping(value: object, place: str, known: Collection[str] | None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid(f"{place}: write keys and values.", field=place)
    said = cast("Mapping[str, Any]", value)
    for key in said:
        if known is not None and key not in known:
            raise Invalid(f"{place}.{key}: there is no such key. Known: {', '.join(known)}.", field=f"{place}.{key}")
    return said


def _name(value: object, place: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= LONGEST_NAME or not value.isprintable():
        raise Invalid(f"{place}: write a name of 1 to {LONGEST_NAME} characters.", field=place)
    return value.strip()


def _properties(value: object, place: str) -> list[str]:
    if not isinstance(value, list):
        raise Invalid(f"{place}: write a list of {', '.join(FIELDS)}.", field=place)
    for each in cast("list[Any]", value):
        _field(each, place)
    return list(dict.fromkeys(cast("list[str]", value)))


def _field(value: object, place: str) -> None:
    if value not in FIELDS:
        raise Invalid(f"{place}: write one of {', '.join(FIELDS)}.", field=place)
