"""A privacy request, in the words of Segment's Public API: whom it is about, what is to be done, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

MOST_SUBJECTS = 5000
LONGEST_SUBJECT = 512  # characters


class Type(StrEnum):
    SUPPRESS_WITH_DELETE = "SUPPRESS_WITH_DELETE"
    DELETE_ONLY = "DELETE_ONLY"
    SUPPRESS_WITH_DELETE_INTERNAL = "SUPPRESS_WITH_DELETE_INTERNAL"
    DELETE_INTERNAL = "DELETE_INTERNAL"
    SUPPRESS_ONLY = "SUPPRESS_ONLY"
    UNSUPPRESS = "UNSUPPRESS"

    @property
    def suppresses(self) -> bool:
        return self in SUPPRESSING

    @property
    def deletes(self) -> bool:
        return self in DELETING

    @property
    def is_told(self) -> bool:
        """Whether destinations hear of it; `INTERNAL` stays in the house."""
        return self in TOLD


SUPPRESSING = frozenset({Type.SUPPRESS_WITH_DELETE, Type.SUPPRESS_WITH_DELETE_INTERNAL, Type.SUPPRESS_ONLY})
DELETING = frozenset(
    {Type.SUPPRESS_WITH_DELETE, Type.SUPPRESS_WITH_DELETE_INTERNAL, Type.DELETE_ONLY, Type.DELETE_INTERNAL}
)
TOLD = frozenset({Type.SUPPRESS_WITH_DELETE, Type.DELETE_ONLY})


class SubjectType(StrEnum):
    USER_ID = "USER_ID"
    EMAIL = "EMAIL"  # ours: everybody behind an address


class State(StrEnum):
    INITIALIZED = "INITIALIZED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"  # it went wrong again and again; the next start tries once more


NEXT: Mapping[State, frozenset[State]] = {
    State.INITIALIZED: frozenset({State.RUNNING, State.FINISHED}),
    State.RUNNING: frozenset({State.FINISHED, State.FAILED}),
    State.FAILED: frozenset({State.RUNNING}),
    State.FINISHED: frozenset(),
}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How far one destination has been told. `pending`: places in the regulation's list of whom to tell it about."""

    destination: int
    name: str
    state: State
    pending: tuple[int, ...] = ()
    attempts: int = 0  # that failed in a row
    first_at: datetime | None = None  # of these
    next_at: datetime | None = None
    done: int = 0
    given_up: int = 0
    reason: str = ""


class Regulation(msgspec.Struct, frozen=True, kw_only=True):
    """`subjects`, `found` and `tell` say who it is about; None once that is nobody's business any more."""

    id: int
    workspace: int
    type: Type
    subject_type: SubjectType
    subjects: tuple[str, ...] | None
    marks: tuple[str, ...]
    count: int
    state: State
    erased: int  # of the subjects, in their order
    tell: tuple[str, ...] | None  # userIds that were found, for destinations
    told: tuple[Told, ...]
    removed: dict[str, int]  # what it took away, by kind
    by: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        return not NEXT[self.state]


class ImpossibleStep(ValueError):
    """A regulation does not go that way."""


def moved(regulation: Regulation, to: State, now: datetime) -> Regulation:
    """The only way to another state.

    Raises:
        ImpossibleStep: from here it does not go there.
    """
    if to not in NEXT[regulation.state]:
        raise ImpossibleStep(f"A regulation that is {regulation.state} does not become {to}.")
    return msgspec.structs.replace(
        regulation, state=to, finished_at=now if to in (State.FINISHED, State.FAILED) else None
    )
