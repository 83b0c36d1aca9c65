"""From an accepted request to its messages, each judged by itself: one bad message never costs its neighbours.

Two doors. The fast one is prebuilt msgspec decoders over the bytes, parts that nobody looks into left as they are
(`parts`). A message that it refuses, and one that databases would choke on (`plain`), goes through the second one
(`mended`).

What a message must have: a known `type` (on `/v1/track` and the like the path says it); `userId` or `anonymousId`;
`event` for track, `groupId` for group, `userId` and `previousId` for alias. Null, "" and blank mean absent. A batch's
`context` and `integrations` lie under those of each message; its `sentAt` is that of each message; its `messageId` and
`timestamp` name the request and say nothing about the messages. On `/hooks/segment` times were corrected before they
came here: `timestamp` is taken as it is, and `sentAt`, which is on the first sender's clock, says nothing more.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from heard.messages import timestamps
from heard.messages.accepted import Accepted
from heard.messages.limits import MAX_BATCH, MAX_MESSAGE_BYTES, MAX_MESSAGE_ID, MAX_NAME, MAX_SHARED_BYTES
from heard.messages.mended import mended_envelope, mended_item, mended_part, showable, what_can_be_said
from heard.messages.message import TYPES, Message, Rejected
from heard.messages.parts import (
    EMPTY,
    NOTHING,
    Envelope,
    Item,
    Unusable,
    part,
    read_envelope,
    read_item,
    shared_part,
    under,
    with_context_traits,
    with_shared,
)
from heard.messages.plain import is_plain


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


class _Request:
    """What all messages of one request share."""

    def __init__(self, accepted: Accepted, offset: int, envelope: Envelope) -> None:
        self.source = accepted.source
        self.kind = accepted.kind if accepted.kind in TYPES else None
        self.is_corrected = accepted.kind == "hook"
        self.received_at = timestamps.EARLIEST + timedelta(microseconds=accepted.received_at)
        self.sent_at = timestamps.read(envelope.sent_at)
        self.made_id = f"heard-{accepted.received_at}-{offset}"
        self.is_plain = is_plain(accepted.body)
        self.context = self._shared(envelope.context)
        self.integrations = self._shared(envelope.integrations)
        shared = (part for part in (self.context, self.integrations) if part != EMPTY)
        self.shared_bytes = sum(map(len, shared)) * len(envelope.batch)

    def _shared(self, raw: msgspec.Raw) -> bytes:
        part = EMPTY if raw is NOTHING else shared_part(raw)
        return part if part == EMPTY or self.is_plain or is_plain(part) else mended_part(part)

    def message(self, body: bytes, index: int) -> Message | Rejected:
        item: Item | None = None
        try:
            if len(body) > MAX_MESSAGE_BYTES:
                raise Unusable("message_too_large", f"The message is over {MAX_MESSAGE_BYTES:,} bytes; send less.")
            if self.shared_bytes > MAX_SHARED_BYTES:
                raise Unusable("message_too_large", _TOO_MUCH_SHARED)
            item, body = self._read(body)
            return self._checked(item, body, index)
        except Unusable as problem:
            return self._rejected(body, item, *problem.args)

    def _read(self, body: bytes) -> tuple[Item, bytes]:
        if self.is_plain or is_plain(body):
            try:
                return read_item(body), body
            except (msgspec.MsgspecError, RecursionError):
                pass
        return mended_item(body)

    def _checked(self, item: Item, body: bytes, index: int) -> Message:
        kind = self.kind or item.type
        if kind not in TYPES:
            raise Unusable("unknown_type", f"`type` is {kind!r:.80}; it must be one of {', '.join(sorted(TYPES))}.")
        user_id, anonymous_id, previous_id, group_id = item.user_id, item.anonymous_id, item.previous_id, item.group_id
        if user_id is not None:
            user_id = _id(user_id, "userId")
        if anonymous_id is not None:
            anonymous_id = _id(anonymous_id, "anonymousId")
        message_id, event = item.message_id, item.event
        if message_id is not None and len(message_id) > MAX_MESSAGE_ID:
            raise Unusable(
                "message_id_too_long", f"`messageId` has {len(message_id)} characters; {MAX_MESSAGE_ID} are allowed."
            )
        if user_id is None and (anonymous_id is None or kind == "alias"):
            raise Unusable("no_user_anon_id", _NO_ID[kind == "alias"])
        if previous_id is not None:
            previous_id = _id(previous_id, "previousId")
        if group_id is not None:
            group_id = _id(group_id, "groupId")
        if kind == "track":
            if event is None or not event.strip():
                raise Unusable("event_missing", "A track needs `event`, the name of what happened, as text.")
            if len(event) > MAX_NAME:
                raise Unusable("event_too_long", f"`event` has {len(event)} characters; {MAX_NAME} are allowed.")
        elif kind == "alias" and previous_id is None:
            raise Unusable("no_previous_id", "An alias needs `previousId`, the id that `userId` was known by before.")
        elif kind == "group" and group_id is None:
            raise Unusable("no_group_id", "A group call needs `groupId`.")
        text = item.timestamp or item.original_timestamp
        original = timestamps.parse(text) if text is not None else None
        sent = timestamps.parse(item.sent_at) if item.sent_at is not None and not self.is_corrected else None
        context = EMPTY if item.context is NOTHING else part(item.context, "context")
        if self.context != EMPTY:
            context = under(self.context, context)
            body = with_shared(body, b"context", item.context, context)
        integrations = EMPTY if item.integrations is NOTHING else part(item.integrations, "integrations")
        if self.integrations != EMPTY:
            integrations = under(self.integrations, integrations)
            body = with_shared(body, b"integrations", item.integrations, integrations)
        traits = EMPTY if item.traits is NOTHING else part(item.traits, "traits")
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
            traits=with_context_traits(traits, context) if kind == "identify" else traits,
            properties=EMPTY if item.properties is NOTHING else part(item.properties, "properties"),
            context=context,
            integrations=integrations,
            body=body,
        )

    def _rejected(self, body: bytes, item: Item | None, reason: str, detail: str) -> Rejected:
        if item is None:
            item = what_can_be_said(body)
        return Rejected(
            source=self.source,
            id=item.message_id,
            type=self.kind or item.type,
            user_id=item.user_id,
            event=item.event,
            received_at=self.received_at,
            reason=reason,
            detail=detail,
            body=showable(body),
        )


_TOO_MUCH_SHARED = (
    f"The batch's `context` and `integrations` come to over {MAX_SHARED_BYTES:,} bytes with a copy in each of its "
    "messages; send smaller batches, or less in them."
)

_NO_ID = (
    "Neither `userId` nor `anonymousId` is set; send at least one of them.",
    "An alias needs `userId`, the id that is to be known from now on.",
)


def _id(value: str, field: str) -> str | None:
    if not value or value.isspace():
        return None
    if len(value) > MAX_NAME:
        raise Unusable("id_too_long", f"`{field}` has {len(value)} characters; {MAX_NAME} are allowed.")
    return value


def _envelope(accepted: Accepted) -> Envelope:
    if accepted.kind != "batch":
        return Envelope(batch=[])
    try:
        return read_envelope(accepted.body)
    except (msgspec.MsgspecError, RecursionError):
        return mended_envelope(accepted.body)


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
