"""Why a destination does not get a message: the words, in the order in which they are asked, and their sentences.

A sentence says nothing of the one message, only of what its sender or the workspace says, so that there are few of them
and they can be kept once. docs/reference/routing.md explains each word; a test compares.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from heard.routing.answer import NOT_FED, Refusal
from heard.routing.destination import Destination, Filter

LONGEST_CONDITION = 200  # characters of a condition in a sentence


class Reason(StrEnum):
    NOT_CONNECTED = NOT_FED
    DISABLED = "disabled"
    METHOD_NOT_SUPPORTED = "method_not_supported"
    ITS_OWN = "its_own"
    CONSENT_DENIED = "consent_denied"
    INTEGRATIONS_OBJECT = "integrations_object"
    BUNDLED = "bundled"
    EVENT_SWITCH = "event_switch"
    FILTER_INVALID = "filter_invalid"
    SAMPLED_OUT = "sampled_out"
    FILTERED = "filtered"


NO_DESTINATION = "no_destination"
"""What a message's own `reason` is where its source does not feed surveys: it is older than the word above."""

KEPT_FROM_SURVEYS = (NO_DESTINATION, *(each.value for each in Reason if each is not Reason.NOT_CONNECTED))
"""The reasons of messages that surveys did not get."""


def not_connected(destination: Destination) -> Refusal:
    detail = f"This source does not feed {destination.name}; add it to the destination's `sources`."
    return Refusal(Reason.NOT_CONNECTED.value, detail)


def was_not_connected(destination: Destination) -> Refusal:
    """Of a message with which it was not written down: it may also be older than the destination."""
    detail = f"Its source did not feed {destination.name} when it came, or {destination.name} was not there yet."
    return Refusal(Reason.NOT_CONNECTED.value, detail)


def was_not_there(destination: Destination) -> Refusal:
    """Of a message with which every destination is written down that there was."""
    return Refusal(Reason.NOT_CONNECTED.value, f"{destination.name} was not there yet when it came.")


def did_not_feed(destination: Destination) -> Refusal:
    """Of a message that came earlier and says so itself."""
    detail = f"Its source did not feed {destination.name} when it came; the destination's `sources` say which do."
    return Refusal(Reason.NOT_CONNECTED.value, detail)


def disabled(destination: Destination) -> Refusal:
    return Refusal(Reason.DISABLED.value, f"{destination.name} is switched off; switch it on to send to it again.")


def method_not_supported(destination: Destination, method: str) -> Refusal:
    takes = ", ".join(sorted(destination.methods)) or "nothing"
    return Refusal(Reason.METHOD_NOT_SUPPORTED.value, f"{destination.name} takes {takes}; this is a call of {method}.")


@lru_cache(maxsize=1024)
def its_own(name: str) -> Refusal:
    detail = f'It came from {name} itself (`context.heard.from` is "{name}") and does not go back there.'
    return Refusal(Reason.ITS_OWN.value, detail)


@lru_cache(maxsize=1024)
def consent_denied(name: str, categories: tuple[str, ...]) -> Refusal:
    listed = ", ".join(categories)
    detail = f"No consent to {listed}, which {name} needs: `context.consent.categoryPreferences` has to say true."
    return Refusal(Reason.CONSENT_DENIED.value, detail)


@lru_cache(maxsize=1024)
def consent_unsaid(name: str) -> Refusal:
    detail = f"`context.consent` does not say to what, and {name} needs it; send `categoryPreferences`, an object."
    return Refusal(Reason.CONSENT_DENIED.value, detail)


@lru_cache(maxsize=1024)
def named_false(name: str) -> Refusal:
    detail = f'The message\'s `integrations` object says "{name}": false; send true, or leave the name out.'
    return Refusal(Reason.INTEGRATIONS_OBJECT.value, detail)


@lru_cache(maxsize=1024)
def not_named(name: str) -> Refusal:
    detail = f'The message\'s `integrations` object says "All": false and does not name {name}; add "{name}": true.'
    return Refusal(Reason.INTEGRATIONS_OBJECT.value, detail)


@lru_cache(maxsize=1024)
def bundled(name: str) -> Refusal:
    detail = f'The page delivered it itself: "{name}" stands in the message\'s `_metadata.bundled`.'
    return Refusal(Reason.BUNDLED.value, detail)


def event_switch(destination: Destination, event: str, source: str | None = None) -> Refusal:
    """`source`: the one for which alone it is off."""
    comes = f" from {source}" if source is not None else ""
    detail = f'The event "{event}"{comes} is switched off for {destination.name}; switch it on in its `events`.'
    return Refusal(Reason.EVENT_SWITCH.value, detail)


def filter_invalid(destination: Destination, number: int, problem: str) -> Refusal:
    detail = f"Filter {number} of {destination.name} cannot be read, so nothing is sent until it is mended: {problem}."
    return Refusal(Reason.FILTER_INVALID.value, detail)


def sampled_out(destination: Destination, number: int, sample: Filter) -> Refusal:
    share = f"{sample.share * 100:g}%"
    detail = f"Filter {number} of {destination.name} lets {share} of people through, and not this one: {_said(sample)}."
    return Refusal(Reason.SAMPLED_OUT.value, detail)


def filtered(destination: Destination, number: int, drop: Filter) -> Refusal:
    return Refusal(Reason.FILTERED.value, f"Filter {number} of {destination.name} drops it: {_said(drop)}.")


def nothing_left(destination: Destination) -> Refusal:
    detail = f"The property filters of {destination.name} leave nothing of it that could be read."
    return Refusal(Reason.FILTERED.value, detail)


def _said(each: Filter) -> str:
    text = each.condition
    return text if len(text) <= LONGEST_CONDITION else f"{text[: LONGEST_CONDITION - 1]}…"
