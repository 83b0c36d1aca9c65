"""Everything that can be known beforehand of the messages of one source, type and event.

Of the filters, that is most: what is left to ask of them (`remainder`) is asked once a message, however many
destinations ask it, and reads only the parts of the message that it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from heard import fql
from heard.fql.tree import Expression, Path
from heard.fql.write import text_of
from heard.messages.message import Message
from heard.routing import document, reasons, switches
from heard.routing.answer import Refusal
from heard.routing.destination import Destination
from heard.routing.document import Document
from heard.routing.filters import Holds, Objector
from heard.routing.remainder import FALSE, TRUE, Known, remainder
from heard.routing.word import read_object

PARTS = ("properties", "context", "traits")  # what a document can be made of without reading the whole message
NO_PATHS = frozenset[Path]()
IDS = frozenset({("userId",), ("anonymousId",)})


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One destination in one lane. Its refusals here are the same for every message."""

    destination: Destination
    names: tuple[str, ...]
    closed: Refusal | None  # not connected, off, or not its type of call
    switch: Refusal | None
    broken: Refusal | None  # a filter of it cannot be read
    asks: Sequence[Objector]

    @property
    def unless_told(self) -> Refusal | None:
        """The answer for a message that says nothing of its own, before filters."""
        return self.closed or self.switch or self.broken


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A condition with those who ask it: (place of the destination, how early it asks, the filter)."""

    holds: Holds | None  # None = always
    askers: tuple[tuple[int, int, Objector], ...]


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    candidates: tuple[Candidate, ...]
    quiet: tuple[Refusal | None, ...]  # the answers where the message says nothing of its own, before filters
    quiet_questions: tuple[Question, ...]  # of the destinations that are open then
    questions: tuple[Question, ...]  # of all that may be open
    parts: tuple[str, ...] | None  # what the questions read; None = it takes the whole message

    def filtered(self, message: Message, questions: tuple[Question, ...]) -> dict[int, Refusal]:
        """What the filters refuse: the first refusal of each destination, by its place."""
        read = self._read(message)
        person = message.user_id or message.anonymous_id or ""
        earliest: dict[int, int] = {}
        refused: dict[int, Refusal] = {}
        for question in questions:
            if question.holds is None or question.holds(read):
                for place, rank, each in question.askers:
                    if rank < earliest.get(place, rank + 1) and each.refuses(person):
                        earliest[place], refused[place] = rank, each.refusal
        return refused

    def _read(self, message: Message) -> Document:
        """As much of the message's document as the questions read."""
        if self.parts is None:
            return document.of(message)
        read: Document = {
            "event": message.event,
            "userId": message.user_id,
            "anonymousId": message.anonymous_id,
        }
        for part in self.parts:
            read[part] = read_object(getattr(message, part))
        return read


def lane(candidates: Sequence[Candidate], known: Known, functions: dict[str, Holds]) -> Lane:
    """The lane of messages of which `known` is so. `functions` remembers conditions by their text, for all lanes."""
    left: dict[str, tuple[Expression, str]] = {}  # of a condition as it is written: what is left, also as text
    paths: set[Path] = set()
    is_open = [place for place, each in enumerate(candidates) if not each.closed and not each.broken]
    for place in is_open:
        for each in candidates[place].asks:
            if each.written not in left:
                condition = remainder(each.condition, known)
                is_open_question = condition is not TRUE and condition is not FALSE
                left[each.written] = condition, text_of(condition) if is_open_question else ""
                paths |= fql.fields(condition) if is_open_question else NO_PATHS
    quiet = [place for place in is_open if not candidates[place].switch]
    return Lane(
        candidates=tuple(candidates),
        quiet=tuple(each.unless_told for each in candidates),
        quiet_questions=_questions(candidates, quiet, left, functions),
        questions=_questions(candidates, is_open, left, functions),
        parts=_parts(known, paths),
    )


def closed(destination: Destination, source: int, type: str) -> Refusal | None:  # noqa: A002
    """The workspace's no to a whole source or type of call."""
    if destination.sources is not None and source not in destination.sources:
        return reasons.not_connected(destination)
    if not destination.enabled:
        return reasons.disabled(destination)
    return None if type in destination.methods else reasons.method_not_supported(destination, type)


def switch(destination: Destination, source: int, known: Known, names: Mapping[int, str]) -> Refusal | None:
    """The workspace's no to an event. `names` of sources, for the no to one of them."""
    event = known.get("event")
    if known["type"] != "track" or event is None or switches.is_on(destination.switches, event, source):
        return None
    alone = source in switches.own(destination.switches, event)
    return reasons.event_switch(destination, event, names.get(source, "this source") if alone else None)


def _questions(
    candidates: Sequence[Candidate],
    places: Sequence[int],
    left: Mapping[str, tuple[Expression, str]],
    functions: dict[str, Holds],
) -> tuple[Question, ...]:
    askers: dict[str, list[tuple[int, int, Objector]]] = {}
    for place in places:
        for rank, each in enumerate(candidates[place].asks):
            condition, text = left[each.written]
            if condition is FALSE:
                continue
            if text and text not in functions:
                functions[text] = fql.predicate(condition)
            askers.setdefault(text, []).append((place, rank, each))
    return tuple(Question(holds=functions.get(text), askers=tuple(each)) for text, each in askers.items())


def _parts(known: Known, paths: Iterable[Path]) -> tuple[str, ...] | None:
    """The parts of a message that these paths read; None when only the whole message will do.

    A path that ends at a part, like `properties`, takes the whole message: there null is null. So do the traits of an
    identify, which a `Message` has with those of its context, and the event of anything but a track: it may be no text.
    """
    parts: set[str] = set()
    for path in paths:
        if path in IDS or (path == ("event",) and known["type"] == "track"):
            continue
        if len(path) < 2 or path[0] not in PARTS or (path[0] == "traits" and known["type"] == "identify"):
            return None
        parts.add(path[0])
    return tuple(sorted(parts))
