"""The kept answer to "ask this person now?": one row per campaign, contact and trigger, refusals too.

That one fact gives the why page, safe redelivery, replay and dry runs. A decision is never overwritten: when it
changes, what it was before goes to `revisions` with the moment and the cause.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from heard.deliveries.reasons import Objection


class Outcome(StrEnum):
    INVITED = "invited"
    DECLINED = "declined"
    HELD = "held"  # waits for an identify that may follow its track


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision was until `at`, and why it changed."""

    at: datetime
    outcome: Outcome
    objections: tuple[Objection, ...] = ()
    cause: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    workspace: int
    campaign: int
    trigger: str
    message_id: str
    event: str
    event_at: datetime
    user_id: str | None
    anonymous_id: str | None = None  # what the message came under, where it had no userId
    contact: int | None
    at: datetime
    outcome: Outcome
    objections: tuple[Objection, ...] = ()
    revisions: tuple[Revision, ...] = ()
    delivery: str | None = None
    held_until: datetime | None = None


def revised(decision: Decision, *, at: datetime, cause: str, **changes: object) -> Decision:
    """The decision after a change of mind, with what it was before kept."""
    before = Revision(at=at, outcome=decision.outcome, objections=decision.objections, cause=cause)
    return msgspec.structs.replace(decision, revisions=(*decision.revisions, before), **changes)
