"""An answer as the scores see it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The present state of one response, with everything one may filter by.

    `revision` is larger than that of any change before; a later row with the same `id` takes the place of this one, and
    `deleted` takes it away. `traits` are the person's as they were at the answer, `properties` those of the event that
    led to the survey; both are JSON objects. Only verdict `human` counts in a score.
    """

    id: int
    revision: int
    workspace: int
    survey: str
    survey_id: int
    campaign: str | None = None
    channel: str | None = None
    user_id: str | None = None
    contact_id: int | None = None
    metric: str
    value: float | None = None
    category: str | None = None
    comment: str | None = None
    verdict: str = "human"
    answered_at: datetime
    traits: bytes = b"{}"
    properties: bytes = b"{}"
    deleted: bool = False
