"""A destination's filters, read once and asked often.

They are asked in Segment's order: samples, then drops; within a kind as they are listed. `drop_properties` and
`allow_properties` refuse nothing: `shape` applies them when a message goes out. A filter that cannot be read withholds
everything, whatever it is for: letting through what somebody wanted stopped cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from heard import fql
from heard.fql.tree import Expression, Path
from heard.routing import reasons
from heard.routing.answer import Refusal
from heard.routing.destination import Destination, Filter
from heard.routing.remainder import TRUE
from heard.routing.sampling import sample

ALL = "all"  # the condition that is true of everything

SAMPLE, DROP, DROP_PROPERTIES, ALLOW_PROPERTIES = "sample", "drop", "drop_properties", "allow_properties"
ACTIONS = (SAMPLE, DROP, DROP_PROPERTIES, ALLOW_PROPERTIES)
"""In the order in which they act."""

Holds = Callable[[Mapping[str, Any]], bool]


class Objector(msgspec.Struct, frozen=True, kw_only=True):
    """A filter that can refuse: where its condition is true, and for a sample where the person is not in it."""

    written: str  # the condition as its author wrote it
    condition: Expression
    is_in: Callable[[str], bool] | None  # of a sample
    refusal: Refusal

    def refuses(self, person: str) -> bool:
        """Whether it does where its condition is true. `person` is the userId, else the anonymousId."""
        return self.is_in is None or not self.is_in(person)


def objectors(destination: Destination) -> tuple[Objector, ...]:
    """The filters that can refuse, in the order in which they are asked.

    Raises:
        fql.Invalid: one cannot be read; `problem` says so without raising.
    """
    numbered = list(enumerate(destination.filters, 1))
    return tuple(
        _objector(destination, number, each)
        for action in (SAMPLE, DROP)
        for number, each in numbered
        if each.action == action
    )


def problem(destination: Destination) -> Refusal | None:
    """The refusal of everything, for the first filter that cannot be read."""
    for number, each in enumerate(destination.filters, 1):
        try:
            holds(each.condition)
            for path in each.paths:
                path_of(path)
        except fql.Invalid as error:
            return reasons.filter_invalid(destination, number, str(error))
        if each.action not in ACTIONS:
            return reasons.filter_invalid(destination, number, f"there is no action {each.action}")
    return None


def holds(condition: str) -> Holds | None:
    """A condition as a function; None for "all".

    Raises:
        fql.Invalid: it is no expression.
    """
    return None if condition == ALL else fql.predicate(condition)


def path_of(written: str) -> Path:
    """("properties", "email") of "properties.email".

    Raises:
        fql.Invalid: it is not the name of a field.
    """
    expression = fql.parse(written)
    if not isinstance(expression, fql.Field):
        raise fql.Invalid(f"expected a field, such as properties.email, not {written}", position=1)
    return expression.path


def _objector(destination: Destination, number: int, each: Filter) -> Objector:
    is_sample = each.action == SAMPLE
    refusal = reasons.sampled_out if is_sample else reasons.filtered
    return Objector(
        written=each.condition,
        condition=TRUE if each.condition == ALL else fql.parse(each.condition),
        is_in=sample(destination.id, each.condition, each.share) if is_sample else None,
        refusal=refusal(destination, number, each),
    )
