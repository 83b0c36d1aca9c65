"""A message as it is routed: what filters read and what destinations get.

    timestamp            when it happened, corrected by the sender's clock (`messages.timestamps`)
    originalTimestamp    the `timestamp` as it was sent, whatever it was; without one, `timestamp` again
    receivedAt           when it was received
    type, messageId      as Heard knows them: the path may have said the type, and a missing id was made
    ids                  as text; one that was sent as null, "" or blank is null
    writeKey             left out: it is nobody's business downstream

Everything else is as the sender sent it, with the batch's `context` and `integrations` under the message's own. Times
are RFC 3339 in UTC with milliseconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from heard.messages.lenient import id_text
from heard.messages.message import Message

Document = dict[str, Any]

_fields = msgspec.json.Decoder(dict[str, Any]).decode


def of(message: Message) -> Document:
    """The document of a message that has just been read."""
    return routed(
        message.body,
        type=message.type,
        message_id=message.id,
        user_id=message.user_id,
        anonymous_id=message.anonymous_id,
        at=message.at,
        received_at=message.received_at,
    )


def routed(
    body: bytes,
    *,
    type: str,  # noqa: A002  (the fields of a message as it is kept)
    message_id: str,
    user_id: str | None,
    anonymous_id: str | None,
    at: datetime,
    received_at: datetime,
) -> Document:
    """The document of a message as it is kept. `body` is the JSON of an accepted message; times are aware and UTC.

    Raises:
        msgspec.MsgspecError: `body` is not a JSON object (so it was never accepted).
    """
    document = _fields(body)
    document.pop("writeKey", None)
    when = written(at)
    sent = document.get("timestamp")
    if sent is None:
        sent = document.get("originalTimestamp")
    document["type"] = type
    document["messageId"] = message_id
    document["timestamp"] = when
    document["originalTimestamp"] = when if sent is None else sent
    document["receivedAt"] = when if received_at is at else written(received_at)
    for field, known in (("userId", user_id), ("anonymousId", anonymous_id)):
        if known is not None or field in document:
            document[field] = known
    for field in ("previousId", "groupId"):
        if field in document:
            said = id_text(document[field])
            document[field] = None if isinstance(said, str) and not said.strip() else said
    return document


def written(moment: datetime) -> str:
    """2026-11-22T12:00:00.000Z. `moment` is aware and UTC."""
    return f"{moment.isoformat(timespec='milliseconds')[:-6]}Z"
