"""Errors of a file that speaks of many, said of the one that a form or a request is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from heard.errors import Invalid

T = TypeVar("T")


def without_place(work: Callable[[], T], *places: str) -> T:
    """What `work` gives; what it has to say is about `settings.url`, not `destination.settings.url`."""
    try:
        return work()
    except Invalid as problem:
        raise bare(problem, *places) from None


def bare(problem: Invalid, *places: str) -> Invalid:
    """The same problem, without the first of these places that leads it."""
    field, text = problem.field or "", str(problem)
    for place in places:
        if field == place or field.startswith(f"{place}."):
            field, text = field.removeprefix(place).lstrip("."), text.removeprefix(place).lstrip(".")
            text = text if field else text.removeprefix(": ")
            break
    return Invalid(text, field=field or None)
