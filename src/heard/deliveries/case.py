"""Everything that may influence whether somebody is asked; what is not here cannot matter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any

import msgspec

from heard.campaigns.campaign import Campaign
from heard.contacts.consent import Said
from heard.contacts.contact import Contact
from heard.contacts.standing import Kind
from heard.deliveries.ledger import Touches

DAY = timedelta(days=1)


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """The message that asks for a decision. Conditions are judged on `document` (see `heard.fql`)."""

    key: str  # unique per workspace for ever: "<source>:<messageId>"
    message_id: str
    event: str
    at: datetime  # corrected
    received_at: datetime
    user_id: str | None  # the message's, else the one its anonymous id is known to belong to
    anonymous_id: str | None = None  # what it came under, where it had no userId
    document: Mapping[str, Any]
    consent: Mapping[str, bool] | None = None  # context.consent.categoryPreferences, when it was sent


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What holds over all campaigns of a workspace."""

    quiet_period: timedelta | None = None
    max_event_age: timedelta = DAY
    late_identify: timedelta = timedelta(minutes=10)
    consent_categories: tuple[str, ...] = ()  # what the surveys destination needs consent to


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """How many a campaign has invited, this decision left out: in all, and by the UTC day on which they are due."""

    total: int = 0
    by_day: Mapping[date, int] = {}

    def with_one_more(self, at: datetime) -> Invited:
        day = at.astimezone(UTC).date()
        return Invited(total=self.total + 1, by_day={**self.by_day, day: self.by_day.get(day, 0) + 1})


class Membership(Enum):
    """Of the campaign's audience; whoever is asked about without one is in."""

    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"  # the audience is still being computed


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One question: may `campaign` ask this person at `due`?

    `trigger` is None when nothing happened yet ("what would be decided now"): the rules about the event then hold
    their peace. `contact` is None when the person was never identified.
    """

    campaign: Campaign
    policy: Policy
    now: datetime
    due: datetime
    trigger: Trigger | None
    contact: Contact | None
    standing: frozenset[Kind] = frozenset()
    less_often: bool = False  # they asked to be asked less often
    unwanted_survey: str | None = None  # the campaign's survey by name, where they want it no more
    touches: Touches = Touches()  # this person's, by contact or mailbox; the delivery's own left out
    metric_quiet_period: timedelta | None = None
    conditions_met: bool = True  # `campaign.where` judged on the trigger's document
    invited: Invited = Invited()
    membership: Membership = Membership.IN
    is_listed: bool = True  # on the campaign's list, where that is its recipients
    consent: Mapping[str, Said] = {}  # what is on record of each category, by their newest word
    already_invited: bool = False  # for this very trigger; or by the campaign, where it asks each person once
    already_answered: bool = False  # this very delivery
