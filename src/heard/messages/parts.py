"""The parts of a message as the fast decoders leave them: its own fields as text, what is inside objects as bytes."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

EMPTY = b"{}"
NOTHING = Raw(EMPTY)
OPEN = EMPTY[0]


class Unusable(Exception):
    """This one message cannot be taken. `args` are the reason and the detail."""


class Item(msgspec.Struct, rename="camel", gc=False):
    """A message's own fields, unread beyond their types."""

    type: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    message_id: str | None = None
    event: str | None = None
    name: Any = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None
    traits: Raw = NOTHING
    properties: Raw = NOTHING
    context: Raw = NOTHING
    integrations: Raw = NOTHING


class Envelope(msgspec.Struct, rename="camel", gc=False):
    """What lies around the messages of a batch."""

    batch: list[Raw]
    sent_at: Any = None
    context: Raw = NOTHING
    integrations: Raw = NOTHING


read_item = msgspec.json.Decoder(Item).decode
read_envelope = msgspec.json.Decoder(Envelope).decode
_parts = msgspec.json.Decoder(dict[str, Raw]).decode
_dump = msgspec.json.Encoder().encode


def part(raw: Raw, field: str) -> bytes:
    """An object's bytes, `{}` for null and for what is absent.

    Raises:
        Unusable: it is something else.
    """
    text = bytes(raw)
    if text[0] == OPEN:
        return text
    if text == b"null":
        return EMPTY
    raise Unusable("not_an_object", f"`{field}` must be a JSON object.")


def shared_part(raw: Raw) -> bytes:
    """The same of an envelope, where something else is no message's fault: it counts as absent."""
    text = bytes(raw)
    return text if text[0] == OPEN else EMPTY


def under(lower: bytes, upper: bytes) -> bytes:
    """Both objects in one; a key of `upper` wins."""
    if lower == EMPTY:
        return upper
    return lower if upper == EMPTY else _dump(_parts(lower) | _parts(upper))


def with_shared(body: bytes, field: bytes, own: Raw, value: bytes) -> bytes:
    """A message's `body` with `value` in `field`, where it has `own`. Where it has nothing, `value` goes to the end."""
    if own is NOTHING:
        return b'%b,"%b":%b}' % (body.rstrip()[:-1], field, value)
    return _dump(_parts(body) | {field.decode(): Raw(value)})


def with_context_traits(traits: bytes, context: bytes) -> bytes:
    """An identify's traits over those in its context."""
    if b'"traits"' not in context:
        return traits
    inner = _parts(context).get("traits")
    return traits if inner is None else under(shared_part(inner), traits)
