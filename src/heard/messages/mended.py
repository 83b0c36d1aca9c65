"""Messages through the second door (`lenient`): slower, patient, and never raising anything but `Unusable`."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import Raw

from heard.messages import lenient, timestamps
from heard.messages.depth import is_deep
from heard.messages.limits import MAX_DEPTH
from heard.messages.parts import EMPTY, Envelope, Item, Unusable, read_item
from heard.messages.plain import is_plain

IDS = ("userId", "anonymousId", "previousId", "groupId", "messageId")
TIMES = ("timestamp", "originalTimestamp", "sentAt")
NAMES = ("type", "event")

Fields = dict[str, Any]

_raw = msgspec.json.Decoder(Raw).decode


def mended_item(body: bytes) -> tuple[Item, bytes]:
    """The message and its JSON, both mended.

    Raises:
        Unusable: there is no mending it.
    """
    try:
        if is_deep(body):
            raise RecursionError
        fields = lenient.mend(lenient.load(body))
    except RecursionError:
        detail = f"The message is nested more than {MAX_DEPTH} levels deep; flatten it."
        raise Unusable("too_deep", detail) from None
    except ValueError as problem:
        raise Unusable("not_json", f"The message is not JSON: {problem}.") from None
    if not isinstance(fields, dict):
        raise Unusable("not_an_object", "A message must be a JSON object.")
    fields = cast(Fields, fields)
    body = lenient.dump(fields)
    for field in IDS:
        fields[field] = lenient.id_text(fields.get(field))
        if not isinstance(fields[field], str | None):
            raise Unusable("id_not_text", f"`{field}` must be text (or a number, which is read as text).")
    for field in TIMES:
        moment = timestamps.read(fields.get(field))
        fields[field] = moment.isoformat() if moment else None
    for field in NAMES:
        if not isinstance(fields.get(field), str):
            fields.pop(field, None)
    return read_item(lenient.dump(fields)), body


def mended_envelope(body: bytes) -> Envelope:
    """The batch, each message by itself so that a bad one is only its own."""
    try:
        fields: Fields = lenient.load(body)
        return Envelope(
            batch=[Raw(_kept(item)) for item in fields["batch"]],
            sent_at=fields.get("sentAt"),
            context=Raw(_kept(fields.get("context"))),
            integrations=Raw(_kept(fields.get("integrations"))),
        )
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        # The collector refuses such a body, so this one came another way: one message that says so.
        return Envelope(batch=[Raw(body)])


def mended_part(part: bytes) -> bytes:
    """A batch's `context` or `integrations` as every database takes it; `{}` where there is no mending it."""
    try:
        mended = _kept(lenient.load(part))
    except (ValueError, RecursionError):
        return EMPTY
    return EMPTY if mended is TOO_DEEP_TO_WRITE else mended


def what_can_be_said(body: bytes) -> Item:
    """The fields by which a person may find a message that could not be read."""
    try:
        return read_item(body)
    except (msgspec.MsgspecError, RecursionError):
        pass
    try:
        fields = lenient.load(body)
    except (ValueError, RecursionError):
        return Item()
    if not isinstance(fields, dict):
        return Item()
    known = {field: value for field, value in cast(Fields, fields).items() if isinstance(value, str)}
    return Item(
        **{name: lenient.mend(known[field]) for name, field in _FINDABLE.items() if field in known},
    )


_FINDABLE = {"type": "type", "user_id": "userId", "message_id": "messageId", "event": "event"}


def showable(body: bytes) -> bytes:
    """`body` as JSON for the debugger that every database takes: mended, else its text under `unread`."""
    try:
        _raw(body)
        if is_plain(body):
            return body
    except (msgspec.MsgspecError, RecursionError):
        pass
    try:
        return lenient.dump(lenient.mend(lenient.load(body)))
    except (ValueError, RecursionError):
        return lenient.dump({"unread": lenient.mend(body.decode("utf-8", "replace"))})


def _kept(value: Any) -> bytes:
    try:
        return lenient.dump(lenient.mend(value))
    except RecursionError:
        return TOO_DEEP_TO_WRITE


TOO_DEEP_TO_WRITE = b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)
"""Stands for such a message, and is read as `too_deep` like the message itself."""
