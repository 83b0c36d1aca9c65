"""What a message itself says about where it may go.

Read only where its bytes hold the word that matters: most messages say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import msgspec

from heard.messages.message import Message
from heard.routing import consent, integrations, reasons
from heard.routing.answer import Refusal
from heard.routing.destination import Destination

EMPTY = b"{}"

Wish = Refusal | bool | None
"""Of the `integrations` object: a refusal, an explicit yes (True), or nothing said (None)."""

read_object = msgspec.json.Decoder(dict[str, Any]).decode


class Word(msgspec.Struct, kw_only=True):
    """`came_from` is the name of the destination that Heard has it from; `wishes` are by place in the plan."""

    came_from: str | None = None
    consent: consent.Preferences | None = None
    wishes: tuple[Wish, ...] | None = None
    bundled: frozenset[str] = frozenset()


class _Told(msgspec.Struct):
    metadata: Any = msgspec.field(name="_metadata", default=None)


_told = msgspec.json.Decoder(_Told).decode


def of_context(message: Message, *, minds_consent: bool) -> tuple[str | None, consent.Preferences | None]:
    """Where it came from, and the consent in it; None = it does not say."""
    may_say_consent = minds_consent and b'"consent"' in message.context and message.event != consent.UPDATED
    if not may_say_consent and b'"heard"' not in message.context:
        return None, None
    context = read_object(message.context)
    if not may_say_consent:
        return _came_from(context), None
    names = partial(integrations.names_destinations, message.integrations)
    return _came_from(context), consent.preferences(context, names_destinations=names)


def of_page(message: Message) -> frozenset[str]:
    """The destinations to which the page delivered it itself, by the names in `_metadata.bundled`."""
    if b'"bundled"' not in message.body:
        return frozenset()
    metadata = _told(message.body).metadata
    names: Any = cast("dict[str, Any]", metadata).get("bundled") if isinstance(metadata, dict) else None
    listed = cast("list[Any]", names) if isinstance(names, list) else []
    return frozenset(name for name in listed if isinstance(name, str))


def wish(destination: Destination, names: tuple[str, ...], wishes: Mapping[str, Any]) -> Wish:
    """What an `integrations` object says of a destination that is meant by these names."""
    word, name = integrations.said_of(wishes, names)
    if word is not False:
        return word
    return reasons.not_named(destination.name) if name == integrations.ALL else reasons.named_false(name)


def objection(
    destination: Destination, names: tuple[str, ...], said: Wish, *, message: Message, word: Word
) -> Refusal | None:
    """What the message has against this destination."""
    if word.came_from is not None and word.came_from in names:
        return reasons.its_own(word.came_from)
    if word.consent is not None and (refusal := _without_consent(destination, message.type, word.consent)):
        return refusal
    if isinstance(said, Refusal):
        return said
    in_the_page = word.bundled.intersection(names)
    return reasons.bundled(min(in_the_page)) if in_the_page else None


def _without_consent(destination: Destination, type: str, given: consent.Preferences) -> Refusal | None:  # noqa: A002
    missing = consent.missing(destination.consent_categories, given)
    if not missing:
        return None
    if given is consent.UNSAID:
        return reasons.consent_unsaid(destination.name)
    if destination.judges_consent_itself and type == "track":
        return None
    return reasons.consent_denied(destination.name, missing)


def _came_from(context: Mapping[str, Any]) -> str | None:
    heard: Any = context.get("heard")
    came_from: Any = cast("dict[str, Any]", heard).get("from") if isinstance(heard, dict) else None
    return came_from if isinstance(came_from, str) else None
