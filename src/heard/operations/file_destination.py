"""A destination as the workspace file and the forms write it, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from heard.destinations import kinds
from heard.errors import Invalid
from heard.routing.destination import Filter
from heard.routing.lines import read_filter
from heard.routing.switches import REST, Switch, Switches

LONGEST_NAME = 100
KEYS = ("name", "type", "enabled", "sources", "settings", "events", "filters")
EVERY_SOURCE = "every source"  # in a switch: those that it does not name
MOST_FILTERS, MOST_EVENTS = 50, 5000


class DestinationLine(msgspec.Struct, frozen=True, kw_only=True):
    """`sources` by name, None = every one. `switches`: which events it gets, by exact name; one that is absent is on.

    A switch for single sources names them, with `every source` for the rest. `switches` and `filters` UNSET = as they
    are: pages and API change them, and a file need not know.
    """

    name: str
    type: str
    sources: tuple[str, ...] | None
    settings: dict[str, Any]
    enabled: bool = True
    switches: dict[str, Switch] | UnsetType = UNSET
    filters: tuple[Filter, ...] | UnsetType = UNSET


def destination_line(line: dict[str, Any], place: str, *, allow_private: bool) -> DestinationLine:
    """One destination; `place` leads what there is to say against it.

    Raises:
        Invalid: naming the place and the fix.
    """
    for key in line:
        if key not in KEYS:
            raise Invalid(f"{place}.{key}: there is no such key. Known: {', '.join(KEYS)}.", field=f"{place}.{key}")
    kind = line.get("type")
    if not isinstance(kind, str) or kind not in kinds.KINDS:
        raise Invalid(f"{place}.type: write one of {', '.join(kinds.KINDS)}.", field=f"{place}.type")
    enabled = line.get("enabled", True)
    if not isinstance(enabled, bool):
        raise Invalid(f"{place}.enabled: write true or false.", field=f"{place}.enabled")
    settings = line.get("settings") or {}
    if not isinstance(settings, dict):
        raise Invalid(f"{place}.settings: write keys and values.", field=f"{place}.settings")
    return DestinationLine(
        name=_name(line.get("name"), f"{place}.name"),
        type=kind,
        sources=_sources(line, f"{place}.sources"),
        settings=kinds.read_settings(kind, settings, f"{place}.settings", allow_private=allow_private),
        enabled=enabled,
        switches=_switches(line.get("events"), f"{place}.events"),
        filters=_filters(line.get("filters"), f"{place}.filters"),
    )


def _sources(line: dict[str, Any], place: str) -> tuple[str, ...] | None:
    """Without a word, every source; so it is with all destinations alike."""
    fed = line.get("sources")
    if fed is None:
        return None
    if not isinstance(fed, list) or not all(isinstance(name, str) for name in fed):
        raise Invalid(f"{place}: write a list of names of sources.", field=place)
    return tuple(dict.fromkeys(fed))


def _switches(written: object, place: str) -> dict[str, Switch] | UnsetType:
    if written is None:
        return UNSET
    if not isinstance(written, dict) or not all(isinstance(name, str) for name in written):
        raise Invalid(f"{place}: write the names of events, each with true or false.", field=place)
    if len(written) > MOST_EVENTS:
        raise Invalid(f"{place}: at most {MOST_EVENTS:,} events can be switched; use a filter.", field=place)
    for name, said in written.items():
        if not (isinstance(said, bool) or (isinstance(said, dict) and said and _is_by_source(said))):
            raise Invalid(
                f"{place}.{name}: write true or false, or names of sources, each with true or false.",
                field=f"{place}.{name}",
            )
    return dict(written)


def _is_by_source(said: dict[Any, Any]) -> bool:
    return all(isinstance(name, str) and isinstance(on, bool) for name, on in said.items())


def with_numbers(switches: Switches, sources: Mapping[str, int], place: str) -> dict[str, Switch]:
    """As they are kept, of what a line says.

    Raises:
        Invalid: there is no such source.
    """
    return {
        event: said if isinstance(said, bool) else _numbered(said, sources, f"{place}.events.{event}")
        for event, said in switches.items()
    }


def _numbered(said: Mapping[str, bool], sources: Mapping[str, int], place: str) -> dict[str, bool]:
    for name in said:
        if name != EVERY_SOURCE and name not in sources:
            raise Invalid(
                f"{place}: there is no source {name!r}. Sources: {', '.join(sources) or 'none'}.", field=place
            )
    return {REST if name == EVERY_SOURCE else str(sources[name]): on for name, on in said.items()}


def with_names(switches: Switches, sources: Mapping[int, str]) -> dict[str, Switch]:
    """As a line says it, of what is kept."""
    names = {str(number): name for number, name in sources.items()} | {REST: EVERY_SOURCE}
    return {
        event: said if isinstance(said, bool) else {names[each]: on for each, on in said.items() if each in names}
        for event, said in switches.items()
    }


def _filters(written: object, place: str) -> tuple[Filter, ...] | UnsetType:
    if written is None:
        return UNSET
    if not isinstance(written, list):
        raise Invalid(f"{place}: write a list, each line like {{if: \"type = 'page'\", then: drop}}.", field=place)
    if len(written) > MOST_FILTERS:
        raise Invalid(f"{place}: at most {MOST_FILTERS} filters; join conditions with `or`.", field=place)
    return tuple(read_filter(line, f"{place}[{number}]") for number, line in enumerate(written))


def _name(value: object, place: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= LONGEST_NAME:
        raise Invalid(f"{place}: write a name of 1 to {LONGEST_NAME} characters.", field=place)
    return value.strip()
