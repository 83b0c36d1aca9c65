"""What is known of one person for every audience and computed trait, and what follows from it now.

`Entry` grows with each event; whether somebody is a member is never stored as a truth of its own but worked out from
the entries, the traits and the time. `value` is what the world was told last, so that only changes are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from heard import fql
from heard.audiences import aggregates, counting
from heard.audiences.aggregates import Aggregate
from heard.audiences.audience import Audience, ComputedTrait, Phase
from heard.audiences.conditions import Condition, Either, Every, MemberOf, Opposite, Performed, Traits
from heard.audiences.order import Book

SETTLED = frozenset({Phase.PEOPLE, Phase.LIVE})


NAMES = {"version": "v", "counts": "n", "running": "r", "value": "x", "introduced": "i"}


class Entry(msgspec.Struct, omit_defaults=True, rename=NAMES):
    """`counts` by the number of the condition, for an audience; `running` for a trait. `changes`: how often told.

    `introduced`: the newest introduction that went on when it was told last, so its destinations know.
    """

    version: int = 1
    counts: dict[int, list[int]] = {}
    running: dict[int, list[Any]] = {}
    value: Any = None
    changes: int = 0
    introduced: int = 0


Entries = dict[int, Entry]
"""By the number of the audience or trait."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The world is to be told `value` of `of`; `number` counts the changes of this person and computation."""

    of: Audience | ComputedTrait
    value: Any
    number: int


def entry_of(entries: Entries, each: Audience | ComputedTrait) -> Entry:
    """The entry to write to. Where the definition changed, the counts begin again; what was told stays told."""
    known = entries.get(each.id)
    if known is None or known.version != each.version:
        told = known or Entry()
        known = entries[each.id] = Entry(
            version=each.version, value=told.value, changes=told.changes, introduced=told.introduced
        )
    return known


def learn(
    entries: Entries,
    each: Audience | ComputedTrait,
    number: int,
    asked: Performed | Aggregate,
    properties: Mapping[str, Any],
    at: int,
    now: int,
) -> None:
    """One more event that `each` counts as its `number`th, which is `asked`; its `where` holds already."""
    entry = entry_of(entries, each)
    if isinstance(asked, Performed):
        entry.counts = {**entry.counts, number: counting.counted(asked, entry.counts.get(number, []), at)}
    elif (value := aggregates.found(asked, properties)) is not None:
        entry.running = aggregates.taken(asked, entry.running, value, at, now)


def values(
    book: Book, entries: Entries, person: Mapping[str, Any], now: int, *, only: frozenset[int] | None = None
) -> dict[int, Any]:
    """What everything comes to now; with `only` these alone, judged by what was told of the others.

    `person`: `{"traits", "userId", "email"}`, with the traits as they were told.
    What is still being computed keeps the value that was told last.
    """
    told: dict[int, Any] = {}

    def told_of(name: str) -> bool:
        if (audience := book.by_name.get(name)) is None:
            return False
        if audience.id in told:
            return bool(told[audience.id])
        return audience.id in entries and bool(entries[audience.id].value)

    traits = dict(person.get("traits") or {})
    document = {**person, "traits": traits}
    for each in book.all if only is None else [each for each in book.all if each.id in only]:
        entry = entries.get(each.id)
        if each.phase not in SETTLED:
            told[each.id] = entry.value if entry else None
            continue
        current = entry if entry is not None and entry.version == each.version else Entry()
        if isinstance(each, ComputedTrait):
            value = aggregates.value_of(each.aggregate, current.running, now)
        else:
            value = _is_member(each.condition, current, document, told_of, now)
        told[each.id] = value
        if each.on_contact and (value or (entry is not None and entry.changes)):
            traits[each.key] = value
    return told


def settle(
    book: Book, entries: Entries, person: Mapping[str, Any], now: int, *, only: frozenset[int] | None = None
) -> list[Change]:
    """Bring the entries to what is so now; gives what the world has to be told, in order.

    `only`: what may have changed, where that is known.
    """
    changes: list[Change] = []
    for number, value in values(book, entries, person, now, only=only).items():
        each = book.by_id[number]
        if each.phase not in SETTLED:
            continue
        known = entries.get(number)
        before = known.value if known else None
        if value == before or (not value and (known is None or not known.changes)):
            continue  # who never was a member is not told to have left
        entry = entry_of(entries, each)
        entry.value, entry.changes, entry.introduced = value, entry.changes + 1, each.introduced
        changes.append(Change(of=each, value=value, number=entry.changes))
    return changes


def due(book: Book, entries: Entries, now: int) -> int | None:
    """When time alone may change something next; None = never."""
    moments: list[int] = []
    for number, entry in entries.items():
        each = book.by_id.get(number)
        if each is None or entry.version != each.version:
            continue
        for place, asked in enumerate(book.counted[number]):
            moment = (
                counting.next_change(asked, entry.counts.get(place, []), now)
                if isinstance(asked, Performed)
                else aggregates.next_change(asked, entry.running, now)
            )
            if moment is not None:
                moments.append(moment)
    return min(moments, default=None)


def counts(asked: Performed | Aggregate, document: Mapping[str, Any]) -> bool:
    """Whether an event of that name counts."""
    return asked.where is None or fql.predicate(asked.where)(document)


def _is_member(
    condition: Condition, entry: Entry, document: Mapping[str, Any], told_of: Callable[[str], bool], now: int
) -> bool:
    place = 0

    def ask(part: Condition) -> bool:
        nonlocal place
        match part:
            case Performed():
                place += 1
                return counting.holds(part, entry.counts.get(place - 1, []), now)
            case Traits(where=where):
                return fql.predicate(where)(document)
            case MemberOf(audience=name):
                return told_of(name)
            case Opposite(of=inner):
                return not ask(inner)
            case Every(of=parts):
                return all(answers(parts))
            case Either(of=parts):
                return any(answers(parts))

    def answers(parts: tuple[Condition, ...]) -> list[bool]:
        return [ask(each) for each in parts]  # every part is asked, so that each finds its own number

    return ask(condition)
