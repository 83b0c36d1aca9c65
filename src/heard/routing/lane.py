"""Everything that can be known beforehand of the messages of one source, type and event."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from heard.fql.tree import Path
from heard.messages.message import Message
from heard.routing import document, reasons
from heard.routing.answer import Refusal
from heard.routing.destination import Destination
from heard.routing.document import Document
from heard.routing.filters import Objector
from heard.routing.word import read_object

PARTS = ("properties", "context", "traits")  # what a document can be made of without reading the whole message
IDS = frozenset({("type",), ("event",), ("userId",), ("anonymousId",)})


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One destination in one lane. Its refusals here are the same for every message."""

    place: int  # in the plan
    destination: Destination
    names: tuple[str, ...]
    closed: Refusal | None  # not connected, off, or not its type of call
    switch: Refusal | None
    broken: Refusal | None  # a filter of it cannot be read
    asked: tuple[Objector, ...]  # the filters that may be true here

    @property
    def unless_told(self) -> Refusal | None:
        """The answer for a message that says nothing of its own, before filters."""
        return self.closed or self.switch or self.broken


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    candidates: tuple[Candidate, ...]
    quiet: tuple[Refusal | None, ...]  # the answers where the message says nothing of its own, before filters
    filtering: tuple[Candidate, ...]  # those whose filters have to be asked then
    parts: tuple[str, ...] | None  # what the filters read; None = it takes the whole message

    def read(self, message: Message) -> Document:
        """As much of the message's document as the filters read."""
        if self.parts is None:
            return document.of(message)
        read: Document = {
            "type": message.type,
            "event": message.event,
            "userId": message.user_id,
            "anonymousId": message.anonymous_id,
        }
        for part in self.parts:
            read[part] = read_object(getattr(message, part))
        return read


def lane(type: str, candidates: tuple[Candidate, ...]) -> Lane:  # noqa: A002
    open_ones = [each for each in candidates if not each.closed]
    return Lane(
        candidates=candidates,
        quiet=tuple(each.unless_told for each in candidates),
        filtering=tuple(each for each in open_ones if each.asked and not each.unless_told),
        parts=_parts(type, (path for each in open_ones for one in each.asked for path in one.reads)),
    )


def closed(destination: Destination, source: int, type: str) -> Refusal | None:  # noqa: A002
    """The workspace's no to a whole source or type of call."""
    if destination.sources is not None and source not in destination.sources:
        return reasons.not_connected(destination)
    if not destination.enabled:
        return reasons.disabled(destination)
    return None if type in destination.methods else reasons.method_not_supported(destination, type)


def switch(destination: Destination, type: str, event: str | None) -> Refusal | None:  # noqa: A002
    """The workspace's no to an event."""
    if type != "track" or event is None or destination.switches.get(event, True):
        return None
    return reasons.event_switch(destination, event)


def _parts(type: str, paths: Iterable[Path]) -> tuple[str, ...] | None:  # noqa: A002
    """The parts of a message that these paths read; None when only the whole message will do.

    A path that ends at a part, like `properties`, takes the whole message: there null is null. So do an identify's
    traits, which a `Message` has with those of its context, and the event of anything but a track: it may be no text.
    """
    parts: set[str] = set()
    for path in paths:
        if path in IDS and (path != ("event",) or type == "track"):
            continue
        if len(path) < 2 or path[0] not in PARTS or (path[0] == "traits" and type == "identify"):
            return None
        parts.add(path[0])
    return tuple(sorted(parts))
