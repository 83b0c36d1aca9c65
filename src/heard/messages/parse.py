"""From an accepted request to its messages, each judged by itself: one bad message never costs its neighbours.

Two doors. The fast one is prebuilt msgspec decoders over the bytes, parts that nobody looks into left as they are. A
message that it refuses, and one that databases would choke on (NUL, numbers beyond 64 bits), goes through `lenient`.

What a message must have: a known `type` (on `/v1/track` and the like the path says it); `userId` or `anonymousId`;
`event` for track, `groupId` for group, `userId` and `previousId` for alias. Null, "" and blank mean absent. A batch's
`context` and `integrations` lie under those of each message; its `sentAt` is that of each message; its `messageId` and
`timestamp` name the request and say nothing about the messages.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Raw

from heard.messages import lenient, timestamps
from heard.messages.accepted import Accepted
from heard.messages.depth import is_deep, may_be_deep
from heard.messages.limits import MAX_BATCH, MAX_MESSAGE_BYTES, MAX_MESSAGE_ID, MAX_NAME
from heard.messages.message import TYPES, Message, Rejected

EMPTY = b"{}"
OPEN = EMPTY[0]
NOTHING = Raw(EMPTY)


def read(accepted: Accepted, *, offset: int) -> list[Message | Rejected]:
    """The messages of one request in their order. `offset` is that of the log record: it makes ids for those without.

    Never raises for what a sender can send.
    """
    envelope = _envelope(accepted)
    request = _Request(accepted, offset, envelope)
    if accepted.kind != "batch":
        return [request.message(accepted.body, 0)]
    messages = [request.message(item, index) for index, item in enumerate(map(bytes, envelope.batch))]
    return messages if len(messages) <= MAX_BATCH else [_one_of_too_many(one, len(messages)) for one in messages]


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


_item = msgspec.json.Decoder(Item).decode
_envelope_fast = msgspec.json.Decoder(Envelope).decode
_parts = msgspec.json.Decoder(dict[str, Raw]).decode
_raw = msgspec.json.Decoder(Raw).decode
_dump = msgspec.json.Encoder().encode

NUL = rb"\u0000"
SHAPE = bytes(48 if chr(byte) in "0123456789" else 101 if chr(byte) in "eE" else byte if byte == 43 else 32 for byte in range(256))
"""A body seen through this is its digits as 0, its e and E as e, its plus signs, and blanks."""
LONG_NUMBER = b"0" * 19
LONG_EXPONENT = re.compile(rb"0e\+?000")
IN_A_NUMBER = re.compile(rb"[:,\[\s]-?[0-9][0-9.]*\Z")
LOOK_BACK = 40


class _Unusable(Exception):
    """`args` are the reason and the detail."""


class _Request:
    """What all messages of one request share."""

    def __init__(self, accepted: Accepted, offset: int, envelope: Envelope) -> None:
        self.source = accepted.source
        self.kind = None if accepted.kind == "batch" else accepted.kind
        self.received_at = timestamps.EARLIEST + timedelta(microseconds=accepted.received_at)
        self.sent_at = timestamps.read(envelope.sent_at)
        self.context = _object(envelope.context) or EMPTY
        self.integrations = _object(envelope.integrations) or EMPTY
        self.made_id = f"heard-{accepted.received_at}-{offset}"
        self.is_plain = _is_plain(accepted.body)

    def message(self, body: bytes, index: int) -> Message | Rejected:
        item: Item | None = None
        try:
            if len(body) > MAX_MESSAGE_BYTES:
                raise _Unusable("message_too_large", f"The message is over {MAX_MESSAGE_BYTES:,} bytes; send less.")
            item, body = self._read(body)
            return self._checked(item, body, index)
        except _Unusable as problem:
            return self._rejected(body, item, *problem.args)

    def _read(self, body: bytes) -> tuple[Item, bytes]:
        if self.is_plain or _is_plain(body):
            try:
                return _item(body), body
            except (msgspec.MsgspecError, RecursionError):
                pass
        return _mended(body)

    def _checked(self, item: Item, body: bytes, index: int) -> Message:
        kind = self.kind or item.type
        if kind not in TYPES:
            raise _Unusable("unknown_type", f"`type` is {kind!r:.80}; it must be one of {', '.join(sorted(TYPES))}.")
        user_id, anonymous_id, previous_id, group_id = item.user_id, item.anonymous_id, item.previous_id, item.group_id
        if user_id is not None:
            user_id = _id(user_id, "userId")
        if anonymous_id is not None:
            anonymous_id = _id(anonymous_id, "anonymousId")
        message_id, event = item.message_id, item.event
        if message_id is not None and len(message_id) > MAX_MESSAGE_ID:
            raise _Unusable(
                "message_id_too_long", f"`messageId` has {len(message_id)} characters; {MAX_MESSAGE_ID} are allowed."
            )
        if user_id is None and (anonymous_id is None or kind == "alias"):
            raise _Unusable("no_user_anon_id", _NO_ID[kind == "alias"])
        if previous_id is not None:
            previous_id = _id(previous_id, "previousId")
        if group_id is not None:
            group_id = _id(group_id, "groupId")
        if kind == "track":
            if event is None or not event.strip():
                raise _Unusable("event_missing", "A track needs `event`, the name of what happened, as text.")
            if len(event) > MAX_NAME:
                raise _Unusable("event_too_long", f"`event` has {len(event)} characters; {MAX_NAME} are allowed.")
        elif kind == "alias" and previous_id is None:
            raise _Unusable("no_previous_id", "An alias needs `previousId`, the id that `userId` was known by before.")
        elif kind == "group" and group_id is None:
            raise _Unusable("no_group_id", "A group call needs `groupId`.")
        text = item.timestamp or item.original_timestamp
        original = timestamps.parse(text) if text is not None else None
        sent = timestamps.parse(item.sent_at) if item.sent_at is not None else None
        context = EMPTY if item.context is NOTHING else _part(item.context, "context")
        if self.context is not EMPTY:
            context = _under(self.context, context)
        integrations = EMPTY if item.integrations is NOTHING else _part(item.integrations, "integrations")
        if self.integrations is not EMPTY:
            integrations = _under(self.integrations, integrations)
        traits = EMPTY if item.traits is NOTHING else _part(item.traits, "traits")
        return Message(
            source=self.source,
            id=message_id if message_id and not message_id.isspace() else f"{self.made_id}-{index}",
            type=kind,
            at=timestamps.when(original, sent or self.sent_at, self.received_at),
            original_at=original,
            received_at=self.received_at,
            user_id=user_id,
            anonymous_id=anonymous_id,
            previous_id=previous_id,
            group_id=group_id,
            event=event,
            name=item.name if type(item.name) is str else None,
            traits=_with_context_traits(traits, context) if kind == "identify" else traits,
            properties=EMPTY if item.properties is NOTHING else _part(item.properties, "properties"),
            context=context,
            integrations=integrations,
            body=body,
        )

    def _rejected(self, body: bytes, item: Item | None, reason: str, detail: str) -> Rejected:
        if item is None:
            item = _what_can_be_said(body)
        if not _is_plain(body) or not _is_json(body):
            body = _showable(body)
        return Rejected(
            source=self.source,
            id=item.message_id,
            type=self.kind or item.type,
            user_id=item.user_id,
            event=item.event,
            received_at=self.received_at,
            reason=reason,
            detail=detail,
            body=body,
        )


_NO_ID = (
    "Neither `userId` nor `anonymousId` is set; send at least one of them.",
    "An alias needs `userId`, the id that is to be known from now on.",
)


# ── the parts of a message ──


def _id(value: str, field: str) -> str | None:
    if not value or value.isspace():
        return None
    if len(value) > MAX_NAME:
        raise _Unusable("id_too_long", f"`{field}` has {len(value)} characters; {MAX_NAME} are allowed.")
    return value


def _part(raw: Raw, field: str) -> bytes:
    part = bytes(raw)
    if part[0] == OPEN:
        return part
    part = _object(raw)
    if part is None:
        raise _Unusable("not_an_object", f"`{field}` must be a JSON object.")
    return part


def _object(raw: Raw) -> bytes | None:
    """The object's bytes, `{}` for null, None for anything else."""
    part = bytes(raw)
    return part if part[:1] == b"{" else EMPTY if part == b"null" or not part else None


def _under(lower: bytes, upper: bytes) -> bytes:
    """Both objects in one; a key of `upper` wins."""
    if lower == EMPTY:
        return upper
    return lower if upper == EMPTY else _dump(_parts(lower) | _parts(upper))


def _with_context_traits(traits: bytes, context: bytes) -> bytes:
    if b'"traits"' not in context:
        return traits
    inner = _parts(context).get("traits")
    return traits if inner is None else _under(_object(inner) or EMPTY, traits)


# ── the second door ──


def _is_plain(body: bytes) -> bool:
    """No NUL, no number beyond 64 bits, no deep nesting: nothing that a database chokes on. Errs towards False.

    Read off the bytes, since the fast decoders leave most of a message unread (decoding all of it would take three
    times as long). A UUID may look like `1e234`; what stands before the digits tells it from a number.
    """
    shape = body.translate(SHAPE)
    if NUL in body or LONG_NUMBER in shape or may_be_deep(body):
        return False
    for found in LONG_EXPONENT.finditer(shape):
        place = found.start() + 1
        if IN_A_NUMBER.search(body, max(0, place - LOOK_BACK), place):
            return False
    return True


def _mended(body: bytes) -> tuple[Item, bytes]:
    try:
        if is_deep(body):
            raise RecursionError
        fields = lenient.mend(lenient.load(body))
    except RecursionError:
        raise _Unusable("too_deep", "The message is nested more than 64 levels deep; flatten it.") from None
    except ValueError as problem:
        raise _Unusable("not_json", f"The message is not JSON: {problem}.") from None
    if not isinstance(fields, dict):
        raise _Unusable("not_an_object", "A message must be a JSON object.")
    body = lenient.dump(fields)
    for field in ("userId", "anonymousId", "previousId", "groupId", "messageId"):
        fields[field] = lenient.id_text(fields.get(field))
        if not isinstance(fields[field], str | None):
            raise _Unusable("id_not_text", f"`{field}` must be text (or a number, which is read as text).")
    for field in ("timestamp", "originalTimestamp", "sentAt"):
        moment = timestamps.read(fields.get(field))
        fields[field] = moment.isoformat() if moment else None
    for field in ("type", "event"):
        if not isinstance(fields.get(field), str):
            fields.pop(field, None)
    return _item(lenient.dump(fields)), body


def _envelope(accepted: Accepted) -> Envelope:
    if accepted.kind != "batch":
        return Envelope(batch=[])
    try:
        return _envelope_fast(accepted.body)
    except (msgspec.MsgspecError, RecursionError):
        return _mended_envelope(accepted.body)


def _mended_envelope(body: bytes) -> Envelope:
    try:
        fields = lenient.load(body)
        items = fields["batch"]
        return Envelope(
            batch=[Raw(_kept(item)) for item in items],
            sent_at=fields.get("sentAt"),
            context=Raw(_kept(fields.get("context"))),
            integrations=Raw(_kept(fields.get("integrations"))),
        )
    except (ValueError, RecursionError, KeyError, TypeError):
        # The collector refuses such a body, so this one came another way: one message that says so.
        return Envelope(batch=[Raw(body)])


def _kept(value: Any) -> bytes:
    try:
        return lenient.dump(lenient.mend(value))
    except RecursionError:
        return b"[" * 70 + b"]" * 70  # stands for a message that is too deep to be written out; read as too_deep


# ── messages that go nowhere ──


def _what_can_be_said(body: bytes) -> Item:
    """The fields by which a person may find a message that could not be read."""
    try:
        return _item(body)
    except (msgspec.MsgspecError, RecursionError):
        pass
    try:
        fields = lenient.load(body)
    except (ValueError, RecursionError):
        return Item()
    if not isinstance(fields, dict):
        return Item()
    known = {
        key: lenient.mend(fields[key]) for key in ("type", "userId", "messageId", "event") if _is_text(fields, key)
    }
    return msgspec.convert(known, Item)


def _is_json(body: bytes) -> bool:
    try:
        _raw(body)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _showable(body: bytes) -> bytes:
    """JSON for the debugger that every database takes: the message mended, else its text under `unread`."""
    try:
        return lenient.dump(lenient.mend(lenient.load(body)))
    except (ValueError, RecursionError):
        return lenient.dump({"unread": lenient.mend(body.decode("utf-8", "replace"))})


def _is_text(fields: dict[str, Any], key: str) -> bool:
    return isinstance(fields.get(key), str)


def _one_of_too_many(one: Message | Rejected, count: int) -> Rejected:
    return Rejected(
        source=one.source,
        id=one.id,
        type=one.type,
        user_id=one.user_id,
        event=one.event,
        received_at=one.received_at,
        reason="batch_too_long",
        detail=f"The batch has {count:,} messages; {MAX_BATCH:,} are allowed. Send smaller batches.",
        body=one.body,
    )
