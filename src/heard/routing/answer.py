"""Who gets a message, and for everybody else why not: the answer as a value, and as the text that is kept with it.

{"to":[1,3],"not":{"2":["event_switch","\\"Page Scrolled\\" is switched off for Warehouse hook; ..."]},"unfed":[4]}

Destinations that the source does not feed are written as their numbers alone: it is so of most, and the same for every
message. Where there are more than a few, and with older messages, nothing is written of them.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

NOT_FED = "not_connected"  # the reason of which only the numbers are written down
MOST_UNFED = 32  # numbers that are written with a message
TO = '{"to":['  # how the text begins; the ids of those who get it follow, until the first ]
KEPT = 1024  # answers in memory as text and as value; a workspace has a few


class Refusal(msgspec.Struct, frozen=True, array_like=True, cache_hash=True, gc=False):
    """`reason` is a word of `Reason`; `detail` a sentence that names what to change."""

    reason: str
    detail: str


class Routing(msgspec.Struct, frozen=True, cache_hash=True):
    """Every destination of the workspace by its id, in the order of the workspace, once: in `to` or in `refused`.

    In one that is read back those that the source did not feed come last, without a sentence. One that is not `whole`
    leaves them out.
    """

    to: tuple[int, ...] = ()
    refused: tuple[tuple[int, Refusal], ...] = ()
    whole: bool = True

    def refusal(self, destination: int) -> Refusal | None:
        """Why this destination does not get it; None when it does, and when that was not written down."""
        if destination in self.to:
            return None
        return next((refusal for place, refusal in self.refused if place == destination), None)


class _Written(msgspec.Struct, rename={"refused": "not"}):
    to: tuple[int, ...]
    refused: dict[int, Refusal] | msgspec.UnsetType = msgspec.UNSET
    unfed: tuple[int, ...] | msgspec.UnsetType = msgspec.UNSET


UNFED = Refusal(NOT_FED, "")
_read = msgspec.json.Decoder(_Written).decode


@lru_cache(maxsize=KEPT)
def encode(routing: Routing) -> str:
    """The text to keep with the message."""
    refused = {place: refusal for place, refusal in routing.refused if refusal.reason != NOT_FED}
    unfed = tuple(place for place, refusal in routing.refused if refusal.reason == NOT_FED)
    is_whole = routing.whole and len(unfed) <= MOST_UNFED
    written = _Written(routing.to, refused or msgspec.UNSET, unfed if is_whole else msgspec.UNSET)
    return msgspec.json.encode(written).decode()


@lru_cache(maxsize=KEPT)
def decode(text: str) -> Routing:
    """The answer behind a kept text.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    written = _read(text)
    refused = tuple(written.refused.items()) if written.refused else ()
    if written.unfed is msgspec.UNSET:
        return Routing(written.to, refused, whole=False)
    return Routing(written.to, (*refused, *((place, UNFED) for place in written.unfed)))
