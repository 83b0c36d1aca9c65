"""A mail that came back to the sender's mailbox, posted whole by the mail server that received it.

    delivery status   multipart/report with message/delivery-status   RFC 3464, read with RFC 3463's codes
    complaint         multipart/report with message/feedback-report   RFC 5965 (ARF)
    automatic answer  told by its headers                             RFC 3834, and what Exchange and others add
    anything else     a person wrote it: it is none of ours

Anybody can send such a mail, so what it says is believed only where it quotes the Message-ID of a mail of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from email import policy
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.utils import parseaddr, parsedate_to_datetime
from hashlib import blake2b
from typing import Any

from heard.channels.email.refusals import is_nobody
from heard.channels.email.reports.provider import Provider
from heard.channels.email.reports.said import MOST, message_id, one_line
from heard.deliveries.notice import Notice, NoticeKind
from heard.errors import Invalid

COMPLAINTS = frozenset({"abuse", "fraud"})  # Feedback-Type; `not-spam`, `opt-out` and the rest are none
_SAID = re.compile(r"\s*[45]\d\d[ -](5\.\d{1,3}\.\d{1,3})\b")  # "550 5.1.1 no such user"
AUTOMATIC_HEADERS = ("X-Auto-Response-Suppress", "X-Autoreply", "X-Autorespond", "X-Autoresponder")
AUTOMATIC_PRECEDENCE = frozenset({"bulk", "junk", "list", "auto_reply"})


def read(body: bytes) -> list[Notice]:
    mail = BytesParser(policy=policy.compat32).parsebytes(body)
    if not any(name in mail for name in ("From", "Date", "Received", "Message-ID", "Content-Type")):
        raise Invalid("Post the mail as it came, with its headers.")
    name = message_id(_text(mail, "Message-ID")) or blake2b(body, digest_size=16).hexdigest()
    at = _when(_text(mail, "Date"))
    parts = {part.get_content_type(): part for part in mail.walk()}
    if (status := parts.get("message/delivery-status")) is not None:
        return list(_returned(status, _quoted(mail), _notification(mail), name, at))
    if (feedback := parts.get("message/feedback-report")) is not None:
        return list(_complained(feedback, _quoted(mail), name, at))
    if is_automatic(mail):
        author = parseaddr(_text(mail, "From"))[1]
        answers = message_id(_text(mail, "In-Reply-To").split(" ")[0])
        return [Notice(kind=NoticeKind.AUTO_REPLY, id=name, address=author, message_id=answers, at=at)]
    return []


def is_automatic(mail: Message) -> bool:
    """Whether a program answered: out of office, a ticket number, a mailing list."""
    submitted = _text(mail, "Auto-Submitted").split(";")[0].strip().lower()
    if submitted not in ("", "no"):
        return True
    return (
        any(name in mail for name in AUTOMATIC_HEADERS)
        or _text(mail, "Precedence").strip().lower() in AUTOMATIC_PRECEDENCE
    )


def _returned(status: Message, quoted: Message | None, words: str, name: str, at: datetime | None) -> Iterator[Notice]:
    """One notice a recipient. Delayed, relayed and expanded are no failures. `words`: what it says to people."""
    for number, group in enumerate(_groups(status)):
        action = _text(group, "Action").strip().lower()
        if action not in ("failed", "delivered") or number > MOST:
            continue
        address = _address(_text(group, "Original-Recipient")) or _address(_text(group, "Final-Recipient"))
        said = _after_semicolon(_text(group, "Diagnostic-Code")) or _said_of(address, words)
        code = _code(_text(group, "Status").split("(")[0].strip(), said)
        kind = NoticeKind.DELIVERED if action == "delivered" else NoticeKind.SOFT
        if action == "failed" and is_nobody(code):
            kind = NoticeKind.HARD
        yield Notice(
            kind=kind,
            id=f"{name} {number}",
            address=address,
            message_id=message_id(_text(quoted, "Message-ID")),
            at=at,
            detail=one_line(said or code),
        )


def _said_of(address: str, words: str) -> str:
    """What the notification says of a recipient, where the report itself does not: OpenSMTPD writes `Status: 5.0.0` and
    nothing more, and above it `lily@aldrin.example: 550 5.1.1 no such user`."""
    found = re.search(rf"^\s*<?{re.escape(address)}>?:[ \t]+(\d{{3}}[ -].*)$", words, re.M | re.I) if address else None
    return found[1].strip() if found else ""


def _notification(mail: Message) -> str:
    """The part of a report that is for people: the first text."""
    return next((_decoded(part) for part in mail.walk() if part.get_content_type() == "text/plain"), "")


def _code(status: str, said: str) -> str:
    """The status; where it is missing or says no more than "failed" (Exim writes 5.0.0), the code in what was said."""
    finer = _SAID.match(said)
    return finer[1] if finer and status in ("", "5.0.0") else status


def _complained(feedback: Message, quoted: Message | None, name: str, at: datetime | None) -> Iterator[Notice]:
    """Most providers take the person's address out, so it is the quoted Message-ID that tells who it was."""
    fields = next(iter(_groups(feedback)), None)
    kind = _text(fields, "Feedback-Type").strip().lower()
    if kind in COMPLAINTS:
        yield Notice(
            kind=NoticeKind.COMPLAINT,
            id=name,
            address=_text(fields, "Original-Rcpt-To").strip().strip("<>"),
            message_id=message_id(_text(quoted, "Message-ID")),
            at=at,
            detail=one_line(kind),
        )


def _groups(report: Message) -> list[Message]:
    """The groups of fields of a report: one about the mail, then one a recipient; each is read as headers are."""
    payload: Any = report.get_payload()
    if isinstance(payload, list):
        found: list[Message] = []
        for part in payload:
            inner = part.get_payload()
            found += [part] if part.keys() or not isinstance(inner, str) else [HeaderParser().parsestr(inner)]
        return found
    text = _decoded(report)
    blocks = text.replace("\r\n", "\n").split("\n\n")
    return [HeaderParser().parsestr(block) for block in blocks if block.strip()]


def _quoted(mail: Message) -> Message | None:
    """Our mail, or its headers, as far as the report gives them back."""
    for part in mail.walk():
        if part.get_content_type() == "message/rfc822":
            payload: Any = part.get_payload()
            if isinstance(payload, list) and payload:
                return payload[0]
        if part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers"):
            text = _decoded(part)
            return HeaderParser().parsestr(text.lstrip())
    return None


def _decoded(part: Message) -> str:
    payload: Any = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _address(field: str) -> str:
    """`rfc822; ted@mosby.example` -> the address."""
    return _after_semicolon(field).strip("<>")


def _after_semicolon(field: str) -> str:
    kind, semicolon, rest = field.partition(";")
    return (rest if semicolon else kind).strip()


def _text(mail: Message | None, name: str) -> str:
    """A header as text, whatever is in it; "" = there is none."""
    return "" if mail is None else str(mail.get(name, ""))


def _when(date: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    return at if at.tzinfo else None


DSN = Provider(
    name="dsn",
    title="Mails that come back",
    read=read,
    help="Have the mail server that receives for the sender's address post each mail to this address, for example from "
    "a pipe in /etc/aliases.",
    anybody=True,
)
