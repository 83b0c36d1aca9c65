"""A delivery is one invitation and its life: the table of moves is all of it, and `move` the one door through it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from heard.deliveries.ledger import TouchKind
from heard.errors import HeardError


class State(StrEnum):
    SCHEDULED = "scheduled"
    SENDING = "sending"  # committed before the mail is handed over
    SENT = "sent"
    UNKNOWN = "unknown"  # nobody knows whether the mail went out; shown, and not sent again by itself
    FAILED = "failed"
    CANCELLED = "cancelled"
    ANSWERED = "answered"
    EXPIRED = "expired"


class HandedTo(StrEnum):
    """What a mail was given to. A file is there under its name or it is not; what a server took, it alone knows."""

    OUTBOX = "outbox"
    SERVER = "server"


NEXT: Mapping[State, frozenset[State]] = {
    State.SCHEDULED: frozenset({State.SENDING, State.CANCELLED, State.FAILED, State.UNKNOWN}),
    State.SENDING: frozenset({State.SENT, State.FAILED, State.UNKNOWN, State.SCHEDULED, State.ANSWERED}),
    State.SENT: frozenset({State.ANSWERED, State.EXPIRED, State.FAILED}),
    State.UNKNOWN: frozenset({State.ANSWERED, State.SENT, State.SCHEDULED, State.EXPIRED, State.FAILED}),
    State.FAILED: frozenset({State.ANSWERED}),
    State.CANCELLED: frozenset(),
    State.ANSWERED: frozenset({State.EXPIRED}),
    State.EXPIRED: frozenset(),
}

OPEN_FOR = timedelta(days=30)  # how long an answer can be given or changed
RETRY_FIRST = timedelta(seconds=30)
RETRY_CAP = timedelta(hours=1)
GIVE_UP_AFTER = 78  # attempts: seven in the first hour, then one an hour: about three days


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    id: str  # deterministic: the same campaign, contact, trigger and kind give the same id, Message-ID and link
    workspace: int
    decision: int
    campaign: int
    survey: int
    contact: int
    user_id: str | None
    address: str
    channel: str
    kind: TouchKind
    state: State
    due_at: datetime
    event: str
    event_at: datetime
    properties: bytes = b"{}"  # of the triggering event, to be frozen with the answer
    sent_at: datetime | None = None
    attempts: int = 0
    error: str | None = None
    campaign_version: int | None = None  # of when it was decided; None = before versions were noted here
    survey_version: int | None = None
    handed_to: HandedTo | None = None  # the last time; None = it never was, or before this was noted
    counts_opens: bool = False  # the mail that was handed over has a picture that tells when it is loaded

    @property
    def closes_at(self) -> datetime:
        return (self.sent_at or self.due_at) + OPEN_FOR


class ImpossibleMove(HeardError):
    """A delivery was asked to do what its life does not allow."""


def move(delivery: Delivery, to: State, **changes: object) -> Delivery:
    """The delivery in its next state. Raises ImpossibleMove when the table does not allow it."""
    if to not in NEXT[delivery.state]:
        raise ImpossibleMove(f"A delivery that is {delivery.state} cannot become {to}.")
    return msgspec.structs.replace(delivery, state=to, **changes)


def retry_at(delivery: Delivery, *, now: datetime) -> datetime | None:
    """When to try again after a passing failure; None = after about three days of trying, give up.

    Doubles from 30 seconds, capped at an hour: attempts 1, 2, 3 -> after 30 s, 60 s, 120 s.
    """
    if delivery.attempts >= GIVE_UP_AFTER:
        return None
    return now + min(RETRY_FIRST * 2 ** min(max(delivery.attempts, 1) - 1, 10), RETRY_CAP)
