"""Why somebody is not asked: the words that the page, the API and the tests share."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class Reason(StrEnum):
    CAMPAIGN_NOT_RUNNING = "campaign_not_running"
    CONDITIONS_NOT_MET = "conditions_not_met"
    EVENT_TOO_OLD = "event_too_old"
    NOT_IDENTIFIED = "not_identified"
    NO_ADDRESS = "no_address"
    UNSUBSCRIBED = "unsubscribed"
    INACTIVE = "inactive"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    CONSENT_DENIED = "consent_denied"
    NOT_IN_AUDIENCE = "not_in_audience"
    TOO_NEW = "too_new"
    SAMPLED_OUT = "sampled_out"
    CAMPAIGN_THROTTLE = "campaign_throttle"
    METRIC_QUIET_PERIOD = "metric_quiet_period"
    WORKSPACE_QUIET_PERIOD = "workspace_quiet_period"
    ASKED_WITHIN_24H = "asked_within_24h"
    ALREADY_INVITED = "already_invited"
    ALREADY_ANSWERED = "already_answered"
    CAMPAIGN_DAILY_CAP = "campaign_daily_cap"
    QUOTA_REACHED = "quota_reached"
    INTAKE_LIMIT = "intake_limit"


class Objection(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rule's no. `until` is the first moment it would no longer object; None = not by waiting."""

    reason: Reason
    until: datetime | None = None
    detail: str = ""  # the evidence, in one sentence
    since: datetime | None = None  # what a wait is counted from: the ask that is too near, the day they became known
    period: timedelta | None = None  # how long the rule keeps apart, as it was set then
    campaign: int | None = None  # whose ask that was
    by_wish: bool = False  # the period is what they asked for themselves
