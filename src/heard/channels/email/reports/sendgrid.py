"""Twilio SendGrid's Event Webhook: a list of events.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from heard.channels.email.reports.provider import Headers, Provider
from heard.channels.email.reports.said import at, document, each, message_id, moment, one_line, text
from heard.deliveries.notice import Notice, NoticeKind
from heard.errors import Invalid

WHO = "SendGrid"
SIGNATURE, SIGNED_AT = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
# Why SendGrid did not even try. Its other reasons are about the account or the content, not about the mailbox.
DROPPED: Mapping[str, NoticeKind] = {
    "bounced address": NoticeKind.HARD,
    "invalid": NoticeKind.HARD,
    "spam reporting address": NoticeKind.COMPLAINT,
}


def read(body: bytes) -> list[Notice]:
    """`deferred` is left out: SendGrid tries on, and says `bounce` when it gives up."""
    events = document(body, WHO)
    if not isinstance(events, list):
        raise Invalid(f"{WHO} sends a list of events, and this is none.")
    return [_notice(kind, event) for event in each({"events": events}, "events") if (kind := _kind(event)) is not None]


def proof(body: bytes, headers: Headers, secret: str) -> str | None:
    """ECDSA over the timestamp and the body as it came, by the key that SendGrid shows."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    key = _key(secret)
    if SIGNATURE not in headers:
        return "The request is not signed. Switch on Signed Event Webhook Requests in SendGrid."
    try:
        key.verify(b64decode(headers[SIGNATURE]), headers.get(SIGNED_AT, "").encode() + body, ec.ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error):
        return "The signature is not of the verification key that Settings > Mail has for SendGrid."
    return None


def _key(secret: str) -> Any:
    """
    Raises:
        Invalid: it is no such key.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(b64decode(secret))
    except (ValueError, binascii.Error):
        key = None
    if not isinstance(key, EllipticCurvePublicKey):
        raise Invalid("This is no key. Copy the verification key from the Event Webhook of SendGrid.", field=WHO)
    return key


def _notice(kind: NoticeKind, event: Any) -> Notice:
    return Notice(
        kind=kind,
        id=text(event, "sg_event_id") or f"{text(event, 'sg_message_id')} {text(event, 'event')}",
        address=text(event, "email"),
        message_id=message_id(at(event, "smtp-id")),
        at=moment(at(event, "timestamp")),
        detail=one_line(text(event, "reason") or text(event, "response") or text(event, "status")),
    )


def _kind(event: Any) -> NoticeKind | None:
    match text(event, "event"):
        case "bounce":
            return NoticeKind.SOFT if text(event, "type") == "blocked" else NoticeKind.HARD
        case "dropped":
            return DROPPED.get(text(event, "reason").strip().lower())
        case "spamreport":
            return NoticeKind.COMPLAINT
        case "delivered":
            return NoticeKind.DELIVERED
        case _:
            return None


SENDGRID = Provider(
    name="sendgrid",
    title=WHO,
    read=read,
    help="Settings, Mail Settings, Event Webhook: this address, with Delivered, Bounced, Dropped and Spam Reports.",
    secret="verification key of the signed Event Webhook",
    proof=proof,
)
