"""The consent that a message carries, `context.consent.categoryPreferences`: which category the person said yes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, cast

import msgspec

UPDATED = "Segment Consent Preference Updated"
"""The track by which a person's changed preferences travel; it goes out whatever they are."""

Preferences = Mapping[str, Any]
UNSAID: Preferences = {}
"""Stands for consent that has to say something and does not. It permits nothing; compare with `is`."""

NOTHING: Mapping[str, bool] = {}
KNOWN_BY_HEART = 1024  # bytes of a `consent` object up to which its meaning is remembered


class _Context(msgspec.Struct):
    consent: msgspec.Raw = msgspec.Raw(b"null")


_consent_in = msgspec.json.Decoder(_Context).decode
_read = msgspec.json.Decoder(Any).decode


def said(context: bytes) -> Mapping[str, bool]:
    """What a message says of each category that it names: an exact true is a yes, everything else a no.

    Empty where it names none. `context` is a JSON object.
    """
    if b'"consent"' not in context:
        return NOTHING
    consent = bytes(_consent_in(context).consent)
    return _known_by_heart(consent) if len(consent) <= KNOWN_BY_HEART else _said(consent)


def _said(consent: bytes) -> Mapping[str, bool]:
    document = _read(consent)
    given: Any = cast("dict[str, Any]", document).get("categoryPreferences") if isinstance(document, dict) else None
    if not isinstance(given, dict):
        return NOTHING
    return {category: yes is True for category, yes in cast("dict[str, Any]", given).items()}


_known_by_heart = lru_cache(maxsize=1024)(_said)  # most people say one of a few things, with every message


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
