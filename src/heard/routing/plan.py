"""Who gets a message, and why not the others.

Each destination is asked in this order, and the first no is the answer:

    connected to the source, switched on, takes this type of call    the workspace's word
    it came from there                                               nothing goes back to where it came from
    consent                                                          the person's word
    the `integrations` object; delivered in the page (`bundled`)     the sender's word
    the switch of its event                                          the workspace's, unless `integrations` names the
                                                                     destination with a yes
    its filters                                                      the workspace's last word

A plan is made when the workspace's destinations are read. What can be known of all messages of one source, type and
event (a *lane*) is computed once: most messages say nothing of their own, no filter can be true of them, and they cost
a look-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from heard import fql
from heard.messages.message import Message
from heard.routing import filters, integrations, lane, reasons
from heard.routing import word as words
from heard.routing.answer import Refusal, Routing
from heard.routing.destination import Destination
from heard.routing.filters import Holds
from heard.routing.lane import Candidate, Lane
from heard.routing.remainder import Known
from heard.routing.word import EMPTY, Wish, Word

KNOWN_BY_HEART = 1024  # bytes of an `integrations` object up to which its meaning is remembered
NAMELESS: Mapping[int, str] = {}
MOST_LANES = 2048  # an event that comes after so many others is asked every filter

Key = tuple[int, str] | tuple[int, str, str | None]
"""Of a lane: source, type, and the event where it is known and matters."""


class Plan:
    """The routing of one workspace. `sources`: their names, for reasons that are about one of them."""

    def __init__(self, destinations: Sequence[Destination], *, sources: Mapping[int, str] = NAMELESS) -> None:
        self.destinations, self._sources = tuple(destinations), sources
        self._names = tuple(
            tuple(name for name in each.names if name != integrations.NOBODY) for each in self.destinations
        )
        self._broken = tuple(map(filters.problem, self.destinations))
        self._objectors = tuple(
            () if broken else filters.objectors(each)
            for each, broken in zip(self.destinations, self._broken, strict=True)
        )
        self._minds_consent = any(each.consent_categories for each in self.destinations)
        self._switched = frozenset[str]().union(*(each.switches for each in self.destinations))
        self._minds_event = bool(self._switched) or any(
            path[0] == "event" for asked in self._objectors for each in asked for path in fql.fields(each.condition)
        )
        self._lanes: dict[Key, tuple[Lane, Routing]] = {}
        self._functions: dict[str, Holds] = {}
        self._answer = lru_cache(maxsize=1024)(self._routing)
        self._wishes = lru_cache(maxsize=256)(self._read_wishes)

    def route(self, message: Message) -> Routing:
        """Who gets it, and why not the others. The same message always has the same answer."""
        event = message.event
        if not self._minds_event or (event is None and b'"event"' in message.body):  # then it may be no text
            key = (message.source, message.type)
        else:
            key = (message.source, message.type, event)
        known, answer = self._lanes.get(key) or self._lane(key)
        word = self._word(message)
        if word is not None:
            return self._answer(self._as_told(message, known, word))
        if not known.quiet_questions or not (refused := known.filtered(message, known.quiet_questions)):
            return answer
        answers = list(known.quiet)
        for place, refusal in refused.items():
            answers[place] = refusal
        return self._answer(tuple(answers))

    def _as_told(self, message: Message, known: Lane, word: Word) -> tuple[Refusal | None, ...]:
        """The answers for a message that says something of its own."""
        filtered = known.filtered(message, known.questions) if known.questions else {}
        answers: list[Refusal | None] = []
        for place, each in enumerate(known.candidates):
            wish = word.wishes[place] if word.wishes else None
            refusal = each.closed or words.objection(each.destination, each.names, wish, message=message, word=word)
            if refusal is None and wish is None:
                refusal = each.switch
            elif each.switch is not None and refusal == reasons.named_false(each.destination.name):
                refusal = each.switch  # browsers know of switches, and write that no for them
            answers.append(refusal or each.broken or filtered.get(place))
        return tuple(answers)

    def _word(self, message: Message) -> Word | None:
        """What the message says; None when it changes nothing."""
        came_from = consent = wishes = None
        if message.context != EMPTY:
            came_from, consent = words.of_context(message, minds_consent=self._minds_consent)
        if message.integrations != EMPTY:
            is_short = len(message.integrations) <= KNOWN_BY_HEART
            wishes = (self._wishes if is_short else self._read_wishes)(message.integrations)
        bundled = words.of_page(message)
        if came_from is None and consent is None and wishes is None and not bundled:
            return None
        return Word(came_from=came_from, consent=consent, wishes=wishes, bundled=bundled)

    def _read_wishes(self, said: bytes) -> tuple[Wish, ...] | None:
        """What an `integrations` object says of each destination; None when it says nothing of any."""
        wishes = integrations.read(said)
        found = tuple(
            words.wish(each, names, wishes) for each, names in zip(self.destinations, self._names, strict=True)
        )
        return found if any(found) else None

    def _routing(self, answers: tuple[Refusal | None, ...]) -> Routing:
        asked = list(zip(self.destinations, answers, strict=True))
        return Routing(
            to=tuple(each.id for each, refusal in asked if refusal is None),
            refused=tuple((each.id, refusal) for each, refusal in asked if refusal is not None),
        )

    def _lane(self, key: Key) -> tuple[Lane, Routing]:
        if len(key) == 3 and len(self._lanes) >= MOST_LANES and key[2] not in self._switched:
            key = key[:2]
        if key in self._lanes:
            return self._lanes[key]
        known: Known = {"type": key[1]} if len(key) == 2 else {"type": key[1], "event": key[2]}
        candidates = [
            Candidate(
                destination=each,
                names=names,
                closed=lane.closed(each, key[0], key[1]),
                switch=lane.switch(each, key[0], known, self._sources),
                broken=broken,
                asks=asked,
            )
            for each, names, broken, asked in zip(
                self.destinations, self._names, self._broken, self._objectors, strict=True
            )
        ]
        made = lane.lane(candidates, known, self._functions)
        self._lanes[key] = made, self._routing(made.quiet)
        return self._lanes[key]
