"""Amazon SES: notifications and events, as Amazon SNS sends them, in its envelope or raw.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html and event-publishing-retrieving-sns-contents.html
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from heard.channels.email.reports.provider import Headers, Provider
from heard.channels.email.reports.said import at, document, each, message_id, moment, one_line, text
from heard.deliveries.notice import Notice, NoticeKind
from heard.errors import Invalid

WHO = "Amazon SES"
SNS = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")


def read(body: bytes) -> list[Notice]:
    """A delay is no bounce: SES still tries. A complaint that says "not spam" is none."""
    said = document(body, WHO)
    if at(said, "Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        return []
    event = document(text(said, "Message").encode(), WHO) if at(said, "Type") == "Notification" else said
    if not isinstance(event, dict) or "mail" not in event:
        return _refuse(event)
    kind = text(event, "eventType") or text(event, "notificationType")
    if kind == "Bounce":
        return list(_bounced(event))
    if kind == "Complaint" and text(event, "complaint", "complaintFeedbackType") != "not-spam":
        return list(_complained(event))
    if kind == "Delivery":
        return list(_delivered(event))
    return []


def topic(body: bytes) -> str:
    """The ARN of the SNS topic that a request is from; "" where it comes without the envelope."""
    return text(document(body, WHO), "TopicArn")


def confirmation(body: bytes) -> str | None:
    """What has to be opened so that SNS goes on; None = nothing. Only an address of SNS itself is believed."""
    said = document(body, WHO)
    if at(said, "Type") != "SubscriptionConfirmation":
        return None
    url = text(said, "SubscribeURL")
    try:
        parts = urlsplit(url)
        genuine = parts.scheme == "https" and parts.netloc == parts.hostname and SNS.fullmatch(parts.netloc)
    except ValueError:
        genuine = None
    if not genuine:
        raise Invalid("The SubscribeURL does not lead to Amazon SNS, so it is not opened.", field="SubscribeURL")
    return url


def proof(body: bytes, headers: Headers, secret: str) -> str | None:
    """By the topic alone; that SNS itself says so is in its signature (`sns.py`)."""
    given = topic(body) or headers.get("x-amz-sns-topic-arn", "")
    return None if given == secret else "The request is not from the SNS topic that Settings > Mail names."


def _bounced(event: Any) -> Any:
    permanent = text(event, "bounce", "bounceType") == "Permanent"
    for who in each(event, "bounce", "bouncedRecipients"):
        yield Notice(
            kind=NoticeKind.HARD if permanent else NoticeKind.SOFT,
            id=f"{text(event, 'bounce', 'feedbackId')} {text(who, 'emailAddress')}",
            address=text(who, "emailAddress"),
            message_id=_ours(event),
            at=moment(at(event, "bounce", "timestamp")),
            detail=one_line(
                text(who, "diagnosticCode") or text(who, "status") or text(event, "bounce", "bounceSubType")
            ),
        )


def _complained(event: Any) -> Any:
    for who in each(event, "complaint", "complainedRecipients"):
        yield Notice(
            kind=NoticeKind.COMPLAINT,
            id=f"{text(event, 'complaint', 'feedbackId')} {text(who, 'emailAddress')}",
            address=text(who, "emailAddress"),
            message_id=_ours(event),
            at=moment(at(event, "complaint", "timestamp")),
            detail=one_line(
                text(event, "complaint", "complaintFeedbackType"), text(event, "complaint", "complaintSubType")
            ),
        )


def _delivered(event: Any) -> Any:
    for address in each(event, "delivery", "recipients"):
        if isinstance(address, str):
            yield Notice(
                kind=NoticeKind.DELIVERED,
                id=f"{text(event, 'mail', 'messageId')} delivered {address}",
                address=address,
                message_id=_ours(event),
                at=moment(at(event, "delivery", "timestamp")),
                detail=one_line(text(event, "delivery", "smtpResponse")),
            )


def _ours(event: Any) -> str | None:
    """SES gives a mail a Message-ID of its own; ours stands among the headers, where SES is told to pass them on."""
    for header in each(event, "mail", "headers"):
        if text(header, "name").lower() == "message-id":
            return message_id(at(header, "value"))
    return message_id(at(event, "mail", "commonHeaders", "messageId"))


def _refuse(event: Any) -> list[Notice]:
    if isinstance(event, dict) and text(event, "notificationType") == "AmazonSnsSubscriptionSucceeded":
        return []
    raise Invalid(f"This is no notification of {WHO}: it names no mail.", field="mail")


SES = Provider(
    name="ses",
    title=WHO,
    read=read,
    help="Make an SNS topic with an HTTPS subscription to this address (Heard confirms it by itself), and set it for "
    "Bounce, Complaint and Delivery in the identity's notifications, with the original headers included.",
    secret="ARN of the SNS topic",
    proof=proof,
)
