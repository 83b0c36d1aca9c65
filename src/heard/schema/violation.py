"""A violation: where a message is not as the tracking plan has it, and what was done about it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    UNPLANNED_EVENT = "unplanned_event"
    UNPLANNED_FIELD = "unplanned_field"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    WRONG_VALUE = "wrong_value"


SEGMENTS_NAMES = {
    Kind.UNPLANNED_EVENT: "Unplanned Event",
    Kind.UNPLANNED_FIELD: "Unplanned Property",
    Kind.MISSING: "Required",
    Kind.WRONG_TYPE: "Invalid Type",
    Kind.WRONG_VALUE: "Invalid Value",
}
"""`violationType` of the event that tells of it."""


class Done(StrEnum):
    """What was done about it."""

    ALLOWED = "allowed"
    OMITTED = "omitted"
    BLOCKED = "blocked"


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """`field` as the message has it (`properties.total`), empty for the whole message. `detail` never quotes a value:
    it is kept for longer than the person who sent it may want to be."""

    kind: Kind
    field: str
    detail: str
    done: Done
