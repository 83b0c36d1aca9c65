"""What can go wrong, in the words of the person who can mend it."""

from __future__ import annotations


class HeardError(Exception):
    """Something Heard could not do; the message says what, and how to mend it, in one sentence."""


class Invalid(HeardError):
    """A value that was given cannot be used. `field` names it as its author wrote it (`campaigns[0].throttle`)."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(HeardError):
    """What was asked for does not exist in this workspace."""


class DeliveryFailed(HeardError):
    """A channel or destination did not take what we gave it.

    `permanent` decides what happens next: a permanent failure is kept and never retried (unknown mailbox, revoked
    hook); anything else is retried with backoff. `ambiguous` means that nobody knows: the other side may have taken
    it (the connection died between the final dot and the answer), so it is shown as unknown and not sent again.
    `unreachable`: it is not about what we gave, nobody is there to take anything.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, ambiguous: bool = False, unreachable: bool = False
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.ambiguous = ambiguous
        self.unreachable = unreachable


class InUse(HeardError):
    """Another process has the data folder open; a moment later it may answer, or be gone."""
