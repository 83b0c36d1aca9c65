"""Mailgun's webhooks: one event a request, with a signature in the body.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks and events; securing-webhooks for the signature.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from heard.channels.email.reports.provider import Headers, Provider
from heard.channels.email.reports.said import at, document, message_id, moment, one_line, text
from heard.deliveries.notice import Notice, NoticeKind
from heard.errors import Invalid

WHO = "Mailgun"
# Why Mailgun gave up for good; whatever is not here is a refusal of this mail, not of the mailbox.
REASONS: Mapping[str, NoticeKind | None] = {
    "bounce": NoticeKind.HARD,
    "suppress-bounce": NoticeKind.HARD,
    "suppress-complaint": NoticeKind.COMPLAINT,
    "suppress-unsubscribe": None,
}


def read(body: bytes) -> list[Notice]:
    """A temporary failure is left out: Mailgun tries on, and says `permanent` when it gives up."""
    event = at(document(body, WHO), "event-data")
    if not isinstance(event, dict):
        raise Invalid(f"{WHO} sends event-data, and this has none.", field="event-data")
    kind = _kind(event)
    if kind is None:
        return []
    return [
        Notice(
            kind=kind,
            id=text(event, "id") or f"{text(event, 'event')} {text(event, 'timestamp')} {text(event, 'recipient')}",
            address=text(event, "recipient"),
            message_id=message_id(at(event, "message", "headers", "message-id")),
            at=moment(at(event, "timestamp")),
            detail=one_line(
                text(event, "delivery-status", "code"),
                text(event, "delivery-status", "message") or text(event, "delivery-status", "description"),
            ),
        )
    ]


def proof(body: bytes, _: Headers, secret: str) -> str | None:
    """HMAC-SHA256 of the timestamp and the token, by the webhook signing key. It says nothing of the event itself."""
    signed = at(document(body, WHO), "signature")
    said = text(signed, "timestamp") + text(signed, "token")
    right = hmac.new(secret.encode(), said.encode("utf-8", "replace"), "sha256").hexdigest()
    if hmac.compare_digest(right.encode(), text(signed, "signature").encode("utf-8", "replace")):
        return None
    return "The signature is not of the HTTP webhook signing key that Settings > Mail has for Mailgun."


def _kind(event: Any) -> NoticeKind | None:
    match text(event, "event"):
        case "failed" if text(event, "severity") == "permanent":
            return REASONS.get(text(event, "reason"), NoticeKind.SOFT)
        case "complained":
            return NoticeKind.COMPLAINT
        case "delivered":
            return NoticeKind.DELIVERED
        case _:
            return None


MAILGUN = Provider(
    name="mailgun",
    title=WHO,
    read=read,
    help="Sending, Webhooks: this address for Delivered Messages, Permanent Failure and Spam Complaints.",
    secret="HTTP webhook signing key",
    proof=proof,
)
