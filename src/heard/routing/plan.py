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

from collections.abc import Sequence
from functools import lru_cache

from heard.messages.message import Message
from heard.routing import filters, integrations, lane
from heard.routing import word as words
from heard.routing.answer import Refusal, Routing
from heard.routing.destination import Destination
from heard.routing.document import Document
from heard.routing.lane import Candidate, Lane
from heard.routing.word import EMPTY, Wish, Word

KNOWN_BY_HEART = 1024  # bytes of an `integrations` object up to which its meaning is remembered


class Plan:
    """The routing of one workspace."""

    def __init__(self, destinations: Sequence[Destination]) -> None:
        self.destinations = tuple(destinations)
        self._names = tuple(
            tuple(name for name in each.names if name != integrations.NOBODY) for each in self.destinations
        )
        self._broken = tuple(map(filters.problem, self.destinations))
        self._objectors = tuple(
            () if broken else filters.objectors(each)
            for each, broken in zip(self.destinations, self._broken, strict=True)
        )
        self._minds_consent = any(each.consent_categories for each in self.destinations)
        # the events that a switch or a filter names; all others are alike
        self._events = frozenset[str]().union(
            *(each.switches for each in self.destinations),
            *(objector.events or () for asked in self._objectors for objector in asked),
        )
        self._lanes: dict[tuple[int, str, str | None], tuple[Lane, Routing]] = {}
        self._answer = lru_cache(maxsize=1024)(self._routing)
        self._wishes = lru_cache(maxsize=256)(self._read_wishes)

    def route(self, message: Message) -> Routing:
        """Who gets it, and why not the others. The same message always has the same answer."""
        event = message.event
        key = (message.source, message.type, event if event in self._events else None)
        known, answer = self._lanes.get(key) or self._lane(*key)
        word = self._word(message)
        if word is not None:
            return self._as_told(message, known, word)
        if not known.filtering:
            return answer
        document = known.read(message)
        person = message.user_id or message.anonymous_id or ""
        answers: list[Refusal | None] | None = None
        for each in known.filtering:
            refusal = filters.objection(each.asked, document, person)
            if refusal is not None:
                answers = answers or list(known.quiet)
                answers[each.place] = refusal
        return answer if answers is None else self._answer(tuple(answers))

    def _as_told(self, message: Message, known: Lane, word: Word) -> Routing:
        """The same for a message that says something of its own."""
        document: Document | None = None
        person = message.user_id or message.anonymous_id or ""
        answers: list[Refusal | None] = []
        for each in known.candidates:
            wish = word.wishes[each.place] if word.wishes else None
            refusal = each.closed or words.objection(each.destination, each.names, wish, message=message, word=word)
            if refusal is None and wish is None:
                refusal = each.switch
            refusal = refusal or each.broken
            if refusal is None and each.asked:
                document = document or known.read(message)
                refusal = filters.objection(each.asked, document, person)
            answers.append(refusal)
        return self._answer(tuple(answers))

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

    def _lane(self, source: int, type: str, event: str | None) -> tuple[Lane, Routing]:  # noqa: A002
        candidates = tuple(
            Candidate(
                place=place,
                destination=each,
                names=self._names[place],
                closed=lane.closed(each, source, type),
                switch=lane.switch(each, type, event),
                broken=self._broken[place],
                asked=tuple(one for one in self._objectors[place] if one.may_hold(type, event)),
            )
            for place, each in enumerate(self.destinations)
        )
        known = lane.lane(type, candidates)
        self._lanes[source, type, event] = made = known, self._routing(known.quiet)
        return made
