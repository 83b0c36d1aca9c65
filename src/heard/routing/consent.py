"""The consent that a message carries, `context.consent.categoryPreferences`: which category the person said yes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

UPDATED = "Segment Consent Preference Updated"
"""The track by which a person's changed preferences travel; it goes out whatever they are."""

Preferences = Mapping[str, Any]
UNREADABLE: Preferences = {}
"""Stands for consent that was sent in a form nobody can read. It permits nothing; compare with `is`."""


def preferences(context: Mapping[str, Any]) -> Preferences | None:
    """What was said yes or no to; None when the message says nothing, and then nothing is enforced.

    No `consent`, null, and an object without `categoryPreferences` say nothing. An empty `categoryPreferences` is a no
    to everything.
    """
    consent: Any = context.get("consent")
    if isinstance(consent, dict):
        consent = cast("dict[str, Any]", consent).get("categoryPreferences")
    if consent is None:
        return None
    if isinstance(consent, dict) and isinstance(context["consent"], dict):
        return cast("dict[str, Any]", consent)
    return UNREADABLE


def missing(categories: Iterable[str], given: Preferences) -> tuple[str, ...]:
    """The categories without an exact true. One that the message does not name has none."""
    return tuple(category for category in categories if given.get(category) is not True)
