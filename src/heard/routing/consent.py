"""The consent that a message carries, `context.consent.categoryPreferences`: which category the person said yes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

UPDATED = "Segment Consent Preference Updated"
"""The track by which a person's changed preferences travel; it goes out whatever they are."""

Preferences = Mapping[str, Any]
UNSAID: Preferences = {}
"""Stands for consent that has to say something and does not. It permits nothing; compare with `is`."""


def preferences(context: Mapping[str, Any], *, names_destinations: Callable[[], bool]) -> Preferences | None:
    """What was said yes or no to; None when nothing is enforced.

    No `consent`, or null, enforces nothing. Neither does one without `categoryPreferences`, unless the message names
    destinations in `integrations`: then it is a no to everything (Segment's table of the two objects has it so). An
    empty `categoryPreferences` is a no to everything, and so is anything that is no object: it holds no yes.
    """
    consent: Any = context.get("consent")
    if consent is None:
        return None
    if not isinstance(consent, dict):
        return UNSAID
    given: Any = cast("dict[str, Any]", consent).get("categoryPreferences")
    if given is None:
        return UNSAID if names_destinations() else None
    return cast("dict[str, Any]", given) if isinstance(given, dict) else UNSAID


def missing(categories: Iterable[str], given: Preferences) -> tuple[str, ...]:
    """The categories without an exact true. One that the message does not name has none."""
    return tuple(category for category in categories if given.get(category) is not True)
