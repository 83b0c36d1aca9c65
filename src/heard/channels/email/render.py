"""An invitation becomes a mail.

What all mails of a campaign share is rendered, encoded and cut once (`Skeleton`); a mail is then a join of octets. Each
mark stands between two soft line breaks of the quoted-printable text, so what is filled in is encoded by itself.
"""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache

import msgspec

from heard import replace
from heard.accounts.workspace import Brand
from heard.channels.email import headers, look
from heard.channels.email.address import Mailbox, mailbox, reachable
from heard.channels.email.invitation import Invitation
from heard.channels.email.mail import Mail
from heard.errors import DeliveryFailed
from heard.ids import message_id
from heard.surveys.locales import locale
from heard.surveys.wording import Wording

NOWHERE = Mailbox("", "feedback@localhost")  # the sender while a workspace has not named one
BOUNDARY = b"=_heard"  # `=_` never occurs in quoted-printable text
SOFT_BREAK = b"=\r\n"

_MARK = re.compile(r"\x11(\w+)\x12")
_BETWEEN = (
    b'--%b\r\nContent-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    % BOUNDARY,
    b'\r\n--%b\r\nContent-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    % BOUNDARY,
    b"\r\n--%b--\r\n" % BOUNDARY,
)


class Skeleton(msgspec.Struct, frozen=True):
    """All that the mails of one campaign have in common."""

    sender: Mailbox
    head: bytes  # From, Reply-To, MIME and the other headers that never differ
    text: tuple[bytes | str, ...]  # encoded octets; a `str` names what is filled in between
    html: tuple[bytes | str, ...]


def render(invitation: Invitation, *, at: datetime) -> Mail:
    """The mail of an invitation. The same invitation `at` the same moment gives the same octets.

    Raises:
        DeliveryFailed: permanent, when no mail can be addressed to `to_address`.
        Invalid: the brand's own addresses or colour cannot be used.
    """
    recipient = reachable(invitation.to_address)
    if recipient is None:
        raise DeliveryFailed("No mail can be addressed to what this contact has as its address.", permanent=True)
    bones = skeleton(
        invitation.brand, invitation.wording, invitation.at_most, invitation.logos, invitation.image is not None
    )
    subject = _subject(invitation)
    why = _why(invitation)
    return Mail(
        delivery_id=invitation.delivery_id,
        at=at,
        sender=bones.sender.address,
        recipient=recipient,
        utf8=not recipient.isascii(),
        counts_opens=invitation.image is not None,
        content=b"".join(
            (
                headers.mailbox("To", Mailbox(invitation.to_name or "", recipient)),
                headers.text("Subject", subject),
                _date(at.replace(microsecond=0)),
                headers.header("Message-ID", message_id(invitation.delivery_id, bones.sender.domain)),
                _answers_to(invitation, bones.sender.domain),
                headers.header("List-Unsubscribe", f"<{invitation.unsubscribe}>"),
                bones.head,
                _BETWEEN[0],
                *_filled(bones.text, _for_text(invitation, why)),
                _BETWEEN[1],
                *_filled(bones.html, _for_html(invitation, subject, why)),
                _BETWEEN[2],
            )
        ),
    )


@lru_cache(256)
def skeleton(brand: Brand, wording: Wording, at_most: timedelta | None, logos: str, image: bool = False) -> Skeleton:
    sender = mailbox(brand.from_, field="brand.from") if brand.from_ else NOWHERE
    if not sender.name:
        sender = Mailbox(brand.name, sender.address)
    as_html, as_text = look.look(brand, wording, at_most, logos, image=image)
    reply_to = headers.mailbox("Reply-To", mailbox(brand.reply_to, field="brand.reply_to")) if brand.reply_to else b""
    return Skeleton(
        sender=sender,
        head=b"".join(
            (
                headers.mailbox("From", sender),
                reply_to,
                # RFC 8058: the provider's own button posts to the link above; a link alone only shows a page.
                headers.header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
                # RFC 3834: nobody's holiday notice should come back as if it were an answer.
                headers.header("Auto-Submitted", "auto-generated"),
                headers.header("MIME-Version", "1.0"),
                headers.header("Content-Type", f'multipart/alternative; boundary="{BOUNDARY.decode()}"'),
                b"\r\n",
            )
        ),
        text=_cut(as_text),
        html=_cut(as_html),
    )


def _answers_to(invitation: Invitation, domain: str) -> bytes:
    """RFC 5322, 3.6.4: mail clients show a reminder below the mail it reminds of."""
    if invitation.reminds_of is None:
        return b""
    first = message_id(invitation.reminds_of.delivery_id, domain)
    return headers.header("In-Reply-To", first) + headers.header("References", first)


def _cut(body: str) -> tuple[bytes | str, ...]:
    """Encoded text and the names of marks, in turn. All but the last stretch end in a soft break, as do the marks."""
    pieces = _MARK.split(body)  # text, name, text, name, ..., text
    last = len(pieces) - 1
    return tuple(
        piece if index % 2 else _quoted(piece) + (b"" if index == last else SOFT_BREAK)
        for index, piece in enumerate(pieces)
    )


def _filled(pieces: tuple[bytes | str, ...], values: dict[str, str]) -> Iterator[bytes]:
    encoded = {name: _quoted(value) + SOFT_BREAK for name, value in values.items()}
    return (encoded[piece] if isinstance(piece, str) else piece for piece in pieces)


def _quoted(text: str) -> bytes:
    return binascii.b2a_qp(text.encode()).replace(b"\n", b"\r\n")


def _for_text(invitation: Invitation, why: str) -> dict[str, str]:
    return {
        "intro": "\n\n".join((_replaced(invitation.template.intro, invitation, str), *_reminds(invitation))),
        "outro": f"{outro}\n\n" if (outro := _replaced(invitation.template.outro, invitation, str).strip()) else "",
        "link": invitation.link,
        "leave": invitation.unsubscribe,
        "why": why,
    }


def _for_html(invitation: Invitation, subject: str, why: str) -> dict[str, str]:
    return {
        "title": html.escape(subject),
        "intro": "<br><br>".join(
            (
                _replaced(invitation.template.intro, invitation, replace.to_html),
                *(html.escape(sentence) for sentence in _reminds(invitation)),
            )
        ),
        "outro": look.closing(_replaced(invitation.template.outro.strip(), invitation, replace.to_html)),
        "link": html.escape(invitation.link),
        "leave": html.escape(invitation.unsubscribe),
        "hidden": html.escape(invitation.hidden),
        **({"image": html.escape(invitation.image)} if invitation.image else {}),
        "why": html.escape(why),
    }


def _replaced(template: str, invitation: Invitation, escape: Callable[[str], str]) -> str:
    return replace.replace(template, brand=invitation.brand.name, traits=invitation.traits, escape=escape)


def _subject(invitation: Invitation) -> str:
    subject = headers.one_line(_replaced(invitation.template.subject, invitation, str))
    if invitation.reminds_of is None:
        return subject
    return locale(invitation.wording.language).mail.reminder_subject.format(subject=subject)


def _reminds(invitation: Invitation) -> tuple[str, ...]:
    """What a reminder says below the greeting."""
    if invitation.reminds_of is None:
        return ()
    return (locale(invitation.wording.language).mail.reminder.format(day=invitation.reminds_of.day),)


def _why(invitation: Invitation) -> str:
    say = locale(invitation.wording.language).mail
    because = headers.one_line(invitation.because or "")
    if not because:
        return say.no_reason.format(brand=headers.one_line(invitation.brand.name))
    return say.because.format(because=because)


@lru_cache(64)
def _date(at: datetime) -> bytes:
    return headers.header("Date", format_datetime(at))
