"""A destination's form: made from the fields of its kind, read back as the workspace file would write it.

What is kept secret never comes back into the form: it is said to be kept, and an empty field leaves it so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from heard.destinations.destination import Field, Kind
from heard.destinations.kinds import with_defaults
from heard.errors import Invalid
from heard.routing.destination import Destination
from heard.sources.source import Source

LONGEST = 20_000  # characters of any one field
AREAS = ("map", "template")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the kind as the form shows it. `kept`: names of a map, or that a secret is there."""

    field: Field
    written: str = ""
    on: bool = False
    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()  # of `kept`, what somebody wants to be rid of

    @property
    def id(self) -> str:
        return f"settings-{self.field.name}"

    @property
    def name(self) -> str:
        return f"settings.{self.field.name}"


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """`some`: only `sources` (by name) feed it, else every one."""

    name: str
    enabled: bool
    some: bool
    sources: tuple[str, ...]
    entries: tuple[Entry, ...]


def blank(kind: Kind, name: str) -> Form:
    defaults = with_defaults(kind.type, {})
    entries = tuple(_entry(field, defaults.get(field.name)) for field in kind.fields)
    return Form(name=name, enabled=True, some=False, sources=(), entries=entries)


def of(destination: Destination, kind: Kind, sources: Sequence[Source]) -> Form:
    """The form of a destination as it is kept."""
    values = with_defaults(destination.type, destination.settings)
    fed = destination.sources or ()
    return Form(
        name=destination.name,
        enabled=destination.enabled,
        some=destination.sources is not None,
        sources=tuple(each.name for each in sources if each.id in fed),
        entries=tuple(_entry(field, values.get(field.name)) for field in kind.fields),
    )


def read(fields: Any, before: Form) -> Form:
    """What somebody wrote, over what is kept. `fields` is the form of the request."""

    def text(name: str) -> str:
        return str(fields.get(name) or "")[:LONGEST].replace("\r\n", "\n")

    entries = tuple(
        msgspec.structs.replace(
            entry,
            written=text(entry.name).strip() if entry.field.kind not in AREAS else text(entry.name),
            on=bool(text(entry.name)),
            dropped=tuple(str(each) for each in fields.getall(f"{entry.name}.drop", []) if str(each) in entry.kept),
        )
        for entry in before.entries
    )
    return Form(
        name=text("name").strip(),
        enabled=bool(text("enabled")),
        some=text("fed_by") == "some",
        sources=tuple(str(each) for each in fields.getall("sources", [])),
        entries=entries,
    )


def written(form: Form, kind: Kind, kept: Mapping[str, Any]) -> dict[str, Any]:
    """As the workspace file has it; `kept` are the settings there are. None takes a setting away.

    Raises:
        Invalid: naming the field.
    """
    if form.some and not form.sources:
        raise Invalid("Choose at least one source, or every source.", field="sources")
    settings: dict[str, Any] = {}
    for entry in form.entries:
        if (value := _value(entry, kept.get(entry.field.name))) is not KEEP:
            settings[entry.field.name] = value
    return {
        "name": form.name,
        "type": kind.type,
        "enabled": form.enabled,
        "sources": list(form.sources) if form.some else None,
        "settings": settings,
    }


KEEP = object()
"""A setting of which the form says nothing: it stays as it is."""


def _value(entry: Entry, kept: Any) -> Any:
    field, said = entry.field, entry.written
    match field.kind:
        case "secret":
            return said or (None if entry.dropped else KEEP)
        case "switch":
            return entry.on
        case "list" | "categories":
            return [each.strip() for each in said.replace("\n", ",").split(",") if each.strip()] or None
        case "number":
            return _number(said) if said else None
        case "map":
            left = {name: value for name, value in (kept or {}).items() if name not in entry.dropped}
            return {**left, **_pairs(said, entry.name)} or None
        case _:
            return (said if said.strip() else None) if said != field.default else (kept and said)


def _number(said: str) -> Any:
    """A number where it is one; else as it was written, for the field to refuse."""
    plain = said.replace(",", "").replace(" ", "")
    try:
        return int(plain) if plain.isascii() and plain.isdigit() else float(plain)
    except ValueError:
        return said


def _pairs(said: str, place: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for line in said.split("\n"):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise Invalid(f"{place}: Write one a line, as Name: value.", field=place)
        pairs[name.strip()] = value.strip()
    return pairs


def _entry(field: Field, value: Any) -> Entry:
    match field.kind:
        case "secret":
            return Entry(field=field, kept=(field.name,) if value else ())
        case "map":
            return Entry(field=field, kept=tuple(value or ()))
        case "switch":
            return Entry(field=field, on=bool(value))
        case "list" | "categories":
            return Entry(field=field, written=", ".join(value or ()))
        case "number":
            return Entry(field=field, written="" if value is None else f"{value:g}" if value < 1e6 else f"{value:.0f}")
        case _:
            return Entry(field=field, written="" if value is None else str(value))
