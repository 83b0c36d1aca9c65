"""What a mail server's refusal means: try again, give up on this mail, or give up on this mailbox.

A refusal of the envelope's sender, of our name or of our password is about us: it would meet every mail alike, so it
never costs one mail its life; it is retried until a person has mended it.
"""

from __future__ import annotations

import re
from enum import Enum

from heard.errors import DeliveryFailed


class Stage(Enum):
    """How far a hand-over had come when the server answered."""

    CONNECT = "connecting"  # greeting, EHLO, STARTTLS, AUTH
    SENDER = "MAIL"
    RECIPIENT = "RCPT"
    DATA = "DATA"  # the command, or the answer after the final dot


class MailboxRefused(DeliveryFailed):
    """The server says that nobody can be reached at this address: a hard bounce. The mailbox is marked `bounced`."""


_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")  # RFC 3463
_NOBODY = {"1.1", "1.2", "1.3", "1.6", "1.10", "2.1"}  # no such mailbox, no such domain, moved away, disabled
_NOBODY_BASIC = {550, 551, 553}  # where a server gives no enhanced code


def refused(stage: Stage, code: int, answer: str) -> DeliveryFailed:
    """The failure that a reply of 400 and more stands for (RFC 5321, 4.2)."""
    said = f"The mail server answered {code} {_shown(answer)}"
    if stage is Stage.CONNECT:
        return DeliveryFailed(said, unreachable=True)
    if code < 500 or stage is Stage.SENDER:
        return DeliveryFailed(said)
    enhanced = _ENHANCED.match(answer.lstrip())
    status = f"{enhanced[2]}.{enhanced[3]}" if enhanced else None
    if enhanced and enhanced[1] == "4":
        return DeliveryFailed(said)  # "550 4.2.1 ...": the finer code is the one somebody thought about
    if status == "2.2" or (code == 552 and status is None):
        return DeliveryFailed(said)  # the mailbox is full (5321, 4.5.3.1.10 wants a bare 552 read as 452)
    if stage is Stage.RECIPIENT and (status in _NOBODY if status else code in _NOBODY_BASIC):
        return MailboxRefused(said, permanent=True)
    return DeliveryFailed(said, permanent=True)


def is_nobody(status: str) -> bool:
    """Whether a status of RFC 3463, like `5.1.1`, says that nobody can be reached at the address, now or later."""
    enhanced = _ENHANCED.fullmatch(status.strip())
    return enhanced is not None and enhanced[1] == "5" and f"{enhanced[2]}.{enhanced[3]}" in _NOBODY


def _shown(answer: str) -> str:
    """The server's words on one line; they end up in a table and on a page."""
    return " ".join(answer.encode("utf-8", "replace").decode().split())[:300]
