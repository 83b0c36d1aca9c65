"""What a person said of each category of consent, from when on: a history that is only added to.

Every message may carry the whole object, so a word is kept only where it changes what holds at its moment. What counts
is when it was said and never when it arrived: the same words come to the same history in any order.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

import msgspec

from heard.messages.message import Message
from heard.routing import consent

Order = tuple[datetime, int, tuple[tuple[str, bool], ...]]


class Speaker(NamedTuple):
    """A user, or a browser or device while it is nobody's."""

    id: str
    anonymous: bool


class Word(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one message said. A category that it does not name keeps what was said of it before."""

    at: datetime  # by our clock, and never after it was received
    preferences: Mapping[str, bool]
    source: int
    message_id: str
    heard_at: datetime | None = None  # when it came onto the record of its person; older records do not say

    @property
    def order(self) -> Order:
        """Of two words of one moment, the one with fewer yeses is the later one, so that it counts."""
        return self.at, -sum(self.preferences.values()), tuple(sorted(self.preferences.items()))


class Said(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What holds of one category. `since`: the first word from which on it was said without a break."""

    yes: bool
    since: datetime


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A category that was not what it is from here on."""

    at: datetime
    category: str
    yes: bool
    source: int
    message_id: str


class History:
    """The words of one person that changed something, in the order in which they were said."""

    __slots__ = ("_agreed", "_last", "words")

    def __init__(self, words: Sequence[Word] = ()) -> None:
        self._set(sorted(words, key=_order) if len(words) > 1 else words)

    @property
    def now(self) -> dict[str, Said]:
        """What holds by the newest of them."""
        return consent_at(self)

    def repeats(self, word: Word) -> bool:
        """The common case: it was said after everything that is kept, and is no different."""
        return self._last is not None and self._last < word.at and word.preferences.items() <= self._agreed.items()

    def learn(self, said: Iterable[Word], again: Iterable[Word] = ()) -> list[Word]:
        """Take up what was said; gives the words that have to be kept.

        `again`: whatever else they said since the first of these, kept or not. A word that comes late cuts what held
        in two, and the first word after it that says the same as before is kept too: it is a change now.
        """
        new = sorted(said, key=_order)
        if all(map(self.repeats, new)):
            return []
        first = new[0].order
        new += [each for each in again if each.order > first]
        held: dict[str, Said] = {}
        kept: list[Word] = []
        for word, is_known in _in_order(self.words, new):
            if is_known or _changes(word, held):
                _hold(word, held)
                if not is_known:
                    kept.append(word)
        self._set(list(heapq.merge(self.words, kept, key=_order)))
        return kept

    def _set(self, words: Sequence[Word]) -> None:
        self.words = words
        self._last = words[-1].at if words else None
        self._agreed: dict[str, bool] = {}
        for word in words:
            self._agreed.update(word.preferences)


def word_of(message: Message) -> Word | None:
    """What a message says of consent; None where it says nothing."""
    said = consent.said(message.context)
    if not said:
        return None
    at = min(message.at, message.received_at)  # nothing is said after it was received
    return Word(at=at, preferences=said, source=message.source, message_id=message.id)


def consent_at(history: History, moment: datetime | None = None) -> dict[str, Said]:
    """What held of each category at a moment, its own words included; None = by the newest word.

    A category that nobody had spoken of by then is absent.
    """
    held: dict[str, Said] = {}
    for word in history.words:
        if moment is not None and word.at > moment:
            break
        _hold(word, held)
    return held


def changes(history: History) -> list[Change]:
    """Each time that a category became something else, the latest first."""
    held: dict[str, Said] = {}
    found: list[Change] = []
    for word in history.words:
        found += [
            Change(at=word.at, category=category, yes=yes, source=word.source, message_id=word.message_id)
            for category, yes in sorted(_items(word))
            if category not in held or held[category].yes is not yes
        ]
        _hold(word, held)
    return found[::-1]


def contradicts(history: History, word: Word) -> bool:
    """Whether it cuts what held in two, so that whatever was said after it has to be looked at again."""
    held: dict[str, Said] = {}
    for each in history.words:
        if each.at == word.at and any(word.preferences.get(name, yes) is not yes for name, yes in _items(each)):
            return True
        if each.order < word.order:
            _hold(each, held)
    return any(category in held and held[category].yes is not yes for category, yes in _items(word))


def differ(people: Sequence[Iterable[Word]]) -> bool:
    """Whether several who turn out to be one person did not always say the same of what more than one spoke of."""
    answers: dict[str, set[bool]] = {}
    spoke_of: dict[str, int] = {}
    for words in people:
        said = [(category, yes) for word in words for category, yes in _items(word)]
        for category, yes in said:
            answers.setdefault(category, set()).add(yes)
        for category in {category for category, _ in said}:
            spoke_of[category] = spoke_of.get(category, 0) + 1
    return any(len(answers[category]) > 1 for category, speakers in spoke_of.items() if speakers > 1)


def _order(word: Word) -> Order:
    return word.order


def _items(word: Word) -> Iterable[tuple[str, bool]]:
    return word.preferences.items()


def _in_order(known: Sequence[Word], new: list[Word]) -> Iterator[tuple[Word, bool]]:
    """Both together, and whether each is known; of two that say the same at one moment, the known one first."""
    tagged = [((*each.order, False), each, True) for each in known]
    tagged += [((*each.order, True), each, False) for each in new]
    return ((word, is_known) for _, word, is_known in sorted(tagged, key=itemgetter(0)))


def _changes(word: Word, held: Mapping[str, Said]) -> bool:
    return any((before := held.get(category)) is None or before.yes is not yes for category, yes in _items(word))


def _hold(word: Word, held: dict[str, Said]) -> None:
    for category, yes in _items(word):
        if category not in held or held[category].yes is not yes:
            held[category] = Said(yes=yes, since=word.at)
