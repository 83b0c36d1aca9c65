"""Which events a destination gets: from every source, or from one alone.

A word stands for every source (`{"Order Completed": false}`), or for some by their number, with `*` for the rest
(`{"Order Completed": {"*": false, "2": true}}`). A source's own word wins; where nothing is said, an event is on.
"""

from __future__ import annotations

from collections.abc import Mapping

REST = "*"
Switch = bool | dict[str, bool]
Switches = Mapping[str, Switch]
"""By the exact name of the event."""


def general(switches: Switches, event: str) -> bool:
    """What holds for a source of which nothing is said."""
    said = switches.get(event, True)
    return said if isinstance(said, bool) else said.get(REST, True)


def own(switches: Switches, event: str) -> dict[int, bool]:
    """What is said of single sources, by number."""
    said = switches.get(event, True)
    return {} if isinstance(said, bool) else {int(number): on for number, on in said.items() if number != REST}


def is_on(switches: Switches, event: str, source: int) -> bool:
    said = switches.get(event, True)
    return said if isinstance(said, bool) else said.get(str(source), said.get(REST, True))


def with_general(switches: Switches, event: str, on: bool) -> dict[str, Switch]:
    """Another word for every source; what is said of single ones stays."""
    return _with(switches, event, on, own(switches, event))


def with_own(switches: Switches, event: str, source: int, on: bool) -> dict[str, Switch]:
    """Another word for one source; none is needed where it says what holds for every other."""
    rest = general(switches, event)
    others = {number: said for number, said in own(switches, event).items() if number != source}
    return _with(switches, event, rest, others if on == rest else {**others, source: on})


def _with(switches: Switches, event: str, rest: bool, single: Mapping[int, bool]) -> dict[str, Switch]:
    """On is what an event is without a word, so only what is off, or differs, is written down."""
    others = {name: said for name, said in switches.items() if name != event}
    if not single:
        return others if rest else {**others, event: False}
    return {**others, event: {**({} if rest else {REST: False}), **{str(each): on for each, on in single.items()}}}
