"""How many of those who were asked have answered, by any attribute: non-response beside the score.

Those who answered are taken with the traits frozen with their answer, the others with today's: nobody knows what they
would have been.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Mapping
from time import monotonic
from typing import Any, TypeVar

import msgspec

from heard.fql import evaluate, fields, predicate
from heard.fql.tree import Expression
from heard.fql.values import canonical
from heard.store.analytics import Analytics
from heard.store.analytics_question import Known
from heard.store.asked import Asked, Everybody
from heard.store.directory import Directory

T = TypeVar("T")
OF_THE_ANSWER = frozenset({"value", "category", "comment"})  # who did not answer has none
FOR = 60.0  # seconds
MOST_KEPT = 12
_document = msgspec.json.Decoder(dict[str, Any])


class Rate(msgspec.Struct, frozen=True):
    asked: int
    answered: int

    @property
    def share(self) -> float:
        return self.answered / self.asked


class Rates(msgspec.Struct, frozen=True):
    """By value as canonical JSON text. `about`: from a sample."""

    by_value: Mapping[str, Rate]
    about: bool


class Remembered:
    """What is good for a minute: who was asked, and what there is to filter by."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()

    def fields(self, analytics: Analytics, workspace: int) -> list[Known]:
        return self.get(("fields", workspace), lambda: analytics.fields(workspace))

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        found = self._kept.get(key)
        if found is not None and monotonic() - found[0] < FOR:
            return found[1]
        made = make()
        self._kept[key] = (monotonic(), made)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return made


def rates(everybody: Everybody, directory: Directory, *, where: Expression | None, by: Expression) -> Rates | None:
    """Answered and asked by the value of `by`, of those `where` is true of; None when either looks at the answer.

    Raises:
        Invalid: the expression asks for what only answers have.
    """
    looked_at = {path[0] for each in (where, by) if each is not None for path in fields(each)}
    if looked_at & OF_THE_ANSWER:
        return None
    wanted = predicate(where) if where is not None else None
    value_of = evaluate(by)
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for each in everybody.asked:
        document = _known(each, directory, looked_at)
        if wanted is not None and not wanted(document):
            continue
        value = canonical(value_of(document))
        asked[value] += 1
        answered[value] += each.frozen is not None
    return Rates({value: Rate(n, answered[value]) for value, n in asked.items()}, about=everybody.about)


def _known(asked: Asked, directory: Directory, looked_at: set[str]) -> dict[str, Any]:
    """What an expression over answers may look at, as far as it does."""
    known: dict[str, Any] = {}
    if "traits" in looked_at:
        known["traits"] = _document.decode(asked.traits if asked.frozen is None else asked.frozen)
    if "now" in looked_at:
        known["now"] = {"traits": _document.decode(asked.traits)}
    if "properties" in looked_at:
        known["properties"] = _document.decode(asked.properties)
    if looked_at - {"traits", "now", "properties"}:
        campaign = directory.campaigns[asked.campaign]
        known |= {
            "campaign": campaign.name,
            "channel": asked.channel,
            "survey": directory.surveys[campaign.survey].name,
            "userId": asked.user_id,
            "user_id": asked.user_id,
        }
    return known
