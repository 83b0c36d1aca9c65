"""What is on the log of somebody who was suppressed meanwhile is kept without them."""

from __future__ import annotations

import msgspec

from heard.contacts.suppression import Suppressed
from heard.deliveries.reasons import Reason
from heard.destinations import surveys
from heard.messages.message import Message, Rejected

SUPPRESSED = Reason.SUPPRESSED.value


def unless_suppressed(message: Message | Rejected, suppressed: Suppressed) -> Message | Rejected:
    """What the collector took before the suppression reached it is kept as a count, with nothing about the person."""
    if isinstance(message, Message):
        said = (message.user_id, message.anonymous_id, message.previous_id)
        mailboxes = (surveys.email_in(message), _email_in_context(message))
    else:
        said, mailboxes = (message.user_id,), ()
    if not suppressed.holds(said, mailboxes):
        return message
    return Rejected(
        source=message.source,
        id=None,
        type=message.type,
        user_id=None,
        event=None,
        received_at=message.received_at,
        reason=SUPPRESSED,
        detail="A privacy request suppresses this person.",
        body=b"{}",
    )


def _email_in_context(message: Message) -> str | None:
    if b'"email"' not in message.context:
        return None
    said = msgspec.json.decode(message.context).get("traits")
    email = said.get("email") if isinstance(said, dict) else None
    return email if isinstance(email, str) else None
