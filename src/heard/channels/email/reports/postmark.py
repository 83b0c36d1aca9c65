"""Postmark's webhooks: one event a request.

https://postmarkapp.com/developer/webhooks/webhooks-overview, and its types of bounces in bounce-api.
"""

from __future__ import annotations

from typing import Any

from heard.channels.email.reports.provider import Provider
from heard.channels.email.reports.said import at, document, message_id, moment, one_line, text
from heard.deliveries.notice import Notice, NoticeKind
from heard.errors import Invalid

WHO = "Postmark"
HARD = frozenset({"HardBounce", "BadEmailAddress", "ManuallyDeactivated"})
AUTOMATIC = frozenset({"AutoResponder", "ChallengeVerification"})
NO_BOUNCE = frozenset({"Subscribe", "Unsubscribe", "AddressChange", "OpenRelayTest", "TemplateRenderingFailed"})


def read(body: bytes) -> list[Notice]:
    event = document(body, WHO)
    kind = text(event, "RecordType")
    if not kind:
        raise Invalid(f"{WHO} says in RecordType what it tells, and this does not.", field="RecordType")
    told = _kind(event)
    if told is None:
        return []
    return [
        Notice(
            kind=told,
            id=f"{kind} {text(event, 'ID') or text(event, 'MessageID')} {_address(event)}",
            address=_address(event),
            message_id=message_id(at(event, "Metadata", "message-id")),
            at=moment(at(event, "BouncedAt") or at(event, "DeliveredAt")),
            detail=one_line(text(event, "Details") or text(event, "Description")),
        )
    ]


def _kind(event: Any) -> NoticeKind | None:
    match text(event, "RecordType"):
        case "SpamComplaint":
            return NoticeKind.COMPLAINT
        case "Delivery":
            return NoticeKind.DELIVERED
        case "Bounce":
            return _bounce(text(event, "Type"))
        case _:
            return None


def _bounce(kind: str) -> NoticeKind | None:
    if kind in HARD:
        return NoticeKind.HARD
    if kind == "SpamComplaint":
        return NoticeKind.COMPLAINT
    if kind in AUTOMATIC:
        return NoticeKind.AUTO_REPLY
    return None if kind in NO_BOUNCE else NoticeKind.SOFT


def _address(event: Any) -> str:
    return text(event, "Email") or text(event, "Recipient")


POSTMARK = Provider(
    name="postmark",
    title=WHO,
    read=read,
    help="In the message stream, Webhooks, Add webhook: this address, with Delivery, Bounce and Spam Complaint. "
    "Postmark signs nothing: the address is what it has to know.",
)
