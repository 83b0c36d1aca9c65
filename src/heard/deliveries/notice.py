"""What became of a mail after the mail server had taken it, as whoever carried it on tells us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class NoticeKind(StrEnum):
    HARD = "hard"  # nobody can be reached at this address
    SOFT = "soft"  # it came back this time: a full mailbox, a filter, a server that was down for days
    COMPLAINT = "complaint"  # the person marked it as spam
    DELIVERED = "delivered"
    AUTO_REPLY = "auto_reply"  # out of office, and the like: no answer, and nothing wrong


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One event about one mail."""

    kind: NoticeKind
    id: str  # the provider's own; told again, it is the same
    address: str  # "" where the report does not say, as complaints often do not
    message_id: str | None = None  # of our mail, without <>; None = the report does not quote it
    at: datetime | None = None  # None = when we received it
    detail: str = ""  # in the words of whoever refused it, on one line
