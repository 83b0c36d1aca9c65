"""All that is computed in a workspace, in an order in which nothing is asked before what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from heard import fql
from heard.audiences.aggregates import Aggregate
from heard.audiences.audience import Audience, Computed, ComputedTrait, Phase
from heard.audiences.conditions import Condition, MemberOf, Performed, Traits, leaves, performed
from heard.errors import Invalid

Listener = tuple[Computed, int, Performed | Aggregate]
"""Who counts an event, under which number, and what of it."""


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """Of one workspace, in order. `listening`: by canonical event name."""

    all: tuple[Audience | ComputedTrait, ...] = ()
    by_id: Mapping[int, Audience | ComputedTrait] = {}
    by_name: Mapping[str, Audience] = {}
    listening: Mapping[str, tuple[Listener, ...]] = {}
    counted: Mapping[int, tuple[Performed | Aggregate, ...]] = {}  # by id: the events that each counts
    reached: Mapping[int, frozenset[int]] = {}  # by id: what may change when it does, itself too
    minding_traits: frozenset[int] = frozenset()  # what may change when a trait of the contact does

    def __bool__(self) -> bool:
        return bool(self.all)


NOTHING = Book()


def book(computed: Iterable[Audience | ComputedTrait]) -> Book:
    """Raises Invalid when audiences rest on each other in a circle."""
    ordered = in_order(computed)
    listening: dict[str, list[Listener]] = {}
    for each in ordered:
        if each.phase != Phase.NEW:
            for number, asked in enumerate(counted_by(each)):
                listening.setdefault(asked.event, []).append((each, number, asked))
    reached = _reached(ordered)
    return Book(
        all=ordered,
        by_id={each.id: each for each in ordered},
        by_name={each.name: each for each in ordered if isinstance(each, Audience)},
        listening={event: tuple(listeners) for event, listeners in listening.items()},
        counted={each.id: tuple(counted_by(each)) for each in ordered},
        reached=reached,
        minding_traits=frozenset[int]().union(*(reached[each.id] for each in ordered if _minds_traits(each))),
    )


def _reached(ordered: tuple[Audience | ComputedTrait, ...]) -> dict[int, frozenset[int]]:
    by_key = {each.key: each.name for each in ordered}
    reached: dict[int, frozenset[int]] = {}
    for each in reversed(ordered):
        above = [
            other.id
            for other in ordered
            if isinstance(other, Audience) and each.name in set(rests_on(other.condition, by_key))
        ]
        reached[each.id] = frozenset({each.id}).union(*(reached.get(number, frozenset({number})) for number in above))
    return reached


def _minds_traits(each: Audience | ComputedTrait) -> bool:
    return isinstance(each, Audience) and any(isinstance(leaf, Traits) for leaf in leaves(each.condition))


def counted_by(each: Audience | ComputedTrait) -> list[Performed] | list[Aggregate]:
    """The events it counts."""
    return performed(each.condition) if isinstance(each, Audience) else [each.aggregate]


def in_order(computed: Iterable[Audience | ComputedTrait]) -> tuple[Audience | ComputedTrait, ...]:
    """What something rests on stands before it.

    Raises:
        Invalid: they go round in a circle; the sentence names it.
    """
    waiting = {each.name: each for each in computed if isinstance(each, Audience)}
    traits = [each for each in computed if isinstance(each, ComputedTrait)]
    by_key = {each.key: each.name for each in waiting.values()}
    ordered: dict[str, Audience] = {}

    def visit(audience: Audience, way: tuple[str, ...]) -> None:
        if audience.name in ordered:
            return
        if audience.name in way:
            circle = [*way[way.index(audience.name) :], audience.name]
            raise Invalid(f"These audiences go round in a circle: {' -> '.join(circle)}.")
        for name in rests_on(audience.condition, by_key):
            if name in waiting:
                visit(waiting[name], (*way, audience.name))
        ordered[audience.name] = audience

    for audience in waiting.values():
        visit(audience, ())
    return (*traits, *ordered.values())


def rests_on(condition: Condition, by_key: Mapping[str, str] = {}) -> Iterator[str]:
    """Names of audiences that it asks for, also by their trait where `by_key` says whose it is."""
    for leaf in leaves(condition):
        if isinstance(leaf, MemberOf):
            yield leaf.audience
        elif isinstance(leaf, Traits):
            for path in fql.fields(fql.parse(leaf.where)):
                if len(path) > 1 and path[0] == "traits" and path[1] in by_key:
                    yield by_key[path[1]]
