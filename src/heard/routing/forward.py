"""A message on its way to a destination outside: what became of it, once it was not simply taken at the first try.

waiting for its turn       no row: it stands behind the destination's cursor
taken at the first try     no row: it stands before the cursor
retrying -> delivered      some try failed, a later one did not
retrying -> dead           refused for good, or tried for too long; kept whole, to be sent again by hand
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from heard.errors import HeardError

TRIES_KEPT = 20  # of one message, the newest; also the oldest where it shows that somebody asked once more


class State(StrEnum):
    RETRYING = "retrying"
    DELIVERED = "delivered"
    DEAD = "dead"


NEXT: Mapping[State, frozenset[State]] = {
    State.RETRYING: frozenset({State.RETRYING, State.DELIVERED, State.DEAD}),
    State.DEAD: frozenset({State.RETRYING}),  # somebody asked for it
    State.DELIVERED: frozenset({State.RETRYING}),  # sent again by hand
}


class ImpossibleMove(HeardError):
    """The lifecycle has no such step."""


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One request and what came of it. `status` None = no answer; `seconds` until it, or until it was given up."""

    at: datetime
    status: int | None
    reason: str
    detail: str
    seconds: float


class Forward(msgspec.Struct, frozen=True, kw_only=True):
    """`message` is its number, `day` the table it stands in. `request` and `answer` are of the last try, cut.

    `run` is 0 as it came, else the number under which it goes out once more: its delivery id is another then.
    """

    workspace: int
    destination: int
    message: int
    day: int
    state: State
    attempts: int
    first_at: datetime
    last_at: datetime
    next_at: datetime | None
    reason: str
    tries: tuple[Try, ...] = ()
    request: str = ""
    answer: str = ""
    run: int = 0

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody asked for it: it goes out once more, or was given up and its time began anew."""
        return self.run != 0 or (len(self.tries) > 0 and self.tries[0].at < self.first_at)


def tried(forward: Forward, to: State, made: Try, *, next_at: datetime | None, request: str, answer: str) -> Forward:
    """After one more try.

    Raises:
        ImpossibleMove: the lifecycle has no such step.
    """
    return msgspec.structs.replace(
        moved(forward, to),
        attempts=forward.attempts + 1,
        last_at=made.at,
        next_at=next_at,
        reason=made.reason,
        tries=_newest((*forward.tries, made), first_at=forward.first_at),
        request=request,
        answer=answer,
    )


def again(forward: Forward, *, now: datetime, run: int | None = None) -> Forward:
    """Somebody wants it sent again: its time to be tried begins anew, what was tried stays on record.

    `run` where it was taken before, by a receiver that may drop what comes twice.
    """
    run = forward.run if run is None else run
    return msgspec.structs.replace(moved(forward, State.RETRYING), first_at=now, next_at=now, run=run)


def _newest(tries: tuple[Try, ...], *, first_at: datetime) -> tuple[Try, ...]:
    newest = tries[-TRIES_KEPT:]
    return (tries[0], *newest[1:]) if tries[0].at < first_at else newest


def moved(forward: Forward, to: State) -> Forward:
    if to not in NEXT[forward.state]:
        raise ImpossibleMove(f"A forward that is {forward.state} cannot become {to}.")
    return msgspec.structs.replace(forward, state=to)
