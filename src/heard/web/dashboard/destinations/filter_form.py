"""One filter as a form: a condition, what happens then, and to how much or to which fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from heard.errors import Invalid
from heard.routing.destination import Filter
from heard.routing.filters import ALL, ALLOW_PROPERTIES, DROP, DROP_PROPERTIES, SAMPLE
from heard.routing.lines import written

LONGEST = 5000  # characters of a condition
ACTIONS_SAID: Mapping[str, str] = {
    DROP: "Drop the message",
    SAMPLE: "Let a share of people through",
    DROP_PROPERTIES: "Remove fields",
    ALLOW_PROPERTIES: "Keep only these fields",
}


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the form; `place` is that of the filter being edited, from 0."""

    condition: str = ""
    action: str = DROP
    share: str = ""
    paths: str = ""
    place: int | None = None

    @property
    def is_begun(self) -> bool:
        """Whether what the action needs has been written, as far as it needs anything."""
        return bool(self.share if self.action == SAMPLE else self.paths)


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """`at`: condition, share, paths or action."""

    at: str
    text: str


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A filter in words: `What happens` where `condition`."""

    act: str
    detail: str
    condition: str
    everything: bool


def read(fields: Any) -> Draft:
    def text(name: str) -> str:
        return str(fields.get(name) or "").replace("\r\n", "\n").strip()[:LONGEST]

    action = text("then")
    return Draft(
        condition=text("condition"),
        action=action if action in ACTIONS_SAID else DROP,
        share=text("share"),
        paths=text("paths"),
        place=place_in(fields),
    )


def place_in(fields: Any) -> int | None:
    said = str(fields.get("place") or "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 4 else None


def draft_of(filters: Sequence[Filter], place: int | None) -> Draft:
    """A filter, back in the form; an empty form where there is none at this place."""
    if place is None or place >= len(filters):
        return Draft()
    each = filters[place]
    share = written(each)["then"].get(SAMPLE, "") if each.action == SAMPLE else ""
    return Draft(condition=each.condition, action=each.action, share=share, paths="\n".join(each.paths), place=place)


def line(draft: Draft) -> dict[str, Any]:
    """As the workspace file has it.

    Raises:
        Invalid: no field is named where fields are needed.
    """
    then: Any = DROP
    if draft.action == SAMPLE:
        then = {SAMPLE: draft.share}
    elif draft.action != DROP:
        paths = [each.strip() for each in draft.paths.replace(",", "\n").split("\n") if each.strip()]
        if not paths:
            raise Invalid("Write at least one field, like properties.email.", field=f"filter.then.{draft.action}")
        then = {draft.action: paths}
    return {"if": draft.condition, "then": then}


def wrong(problem: Invalid) -> Wrong:
    """At which field it is, and what to say there."""
    place, text = problem.field or "", str(problem)
    text = text.removeprefix(f"{place}: ")
    known = {".if": "condition", f".{SAMPLE}": "share", f".{DROP_PROPERTIES}": "paths", f".{ALLOW_PROPERTIES}": "paths"}
    at = next((field for end, field in known.items() if place.endswith(end)), "condition")
    return Wrong(at=at, text=text[:1].upper() + text[1:])


def said(each: Filter) -> Said:
    match each.action:
        case "drop":
            act, detail = "Drop", ""
        case "sample":
            act, detail = f"Let {written(each)['then'][SAMPLE]} of people through", ""
        case "drop_properties":
            act, detail = "Remove", ", ".join(each.paths)
        case _:
            act, detail = "Keep only", ", ".join(each.paths)
    return Said(act=act, detail=detail, condition=each.condition, everything=each.condition == ALL)
