"""A campaign, and the states it moves through."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from heard.campaigns.window import Window


class Status(StrEnum):
    DRAFT = "draft"
    READY = "ready"  # waits for the first message that matches
    ACTIVE = "active"
    PAUSED = "paused"  # keeps what is scheduled, sends nothing
    COMPLETE = "complete"


# How long after an ask a campaign may ask the same contact again by itself.
SOONEST_AGAIN, LATEST_AGAIN = timedelta(days=30), timedelta(days=365)
LONGEST_DRIP = timedelta(days=365)
# A reminder is a touch, and 24 hours lie between any two; from 30 days on there is no answer to be given any more.
SOONEST_REMINDER, LATEST_REMINDER = timedelta(hours=24), timedelta(days=29)


class Channel(StrEnum):
    EMAIL = "email"
    LINK = "link"  # a public address, in mails and pages that others send


class LinkIdentity(StrEnum):
    """As whom a link may answer that nobody signed."""

    KNOWN = "known"  # as the contact it names
    SIGNED = "signed"  # as nobody


class Recipients(StrEnum):
    """Whom a campaign asks."""

    EVENT = "event"  # whoever does `event`
    API = "api"  # whom a program names
    LIST = "list"  # everybody on `list`
    AUDIENCE = "audience"  # every member of `audience`
    LINK = "link"  # whoever follows its link


GATHERED = frozenset({Recipients.LIST, Recipients.AUDIENCE})  # those that are asked wave by wave, not one by one


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """What members write of a mail. `{{ trait | default }}` is replaced; nothing else is understood."""

    subject: str = "{{ brand }}: one question"
    intro: str = "Hi {{ firstName | there }},"
    outro: str = ""  # stands below the scale: a word of thanks, a signature; "" = nothing


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """Ask `survey` of its `recipients`: mostly of whoever does `event`, `delay` after it. None = no such limit."""

    id: int
    workspace: int
    name: str
    survey: int
    metric: str  # the survey's kind: nps
    channel: Channel = Channel.EMAIL
    recipients: Recipients = Recipients.EVENT
    event: str | None = None  # None = no event triggers it
    where: str | None = None  # FQL over the event (`properties...`) and the contact (`traits...`)
    audience: str | None = None  # whose members alone are asked
    list: str | None = None  # its recipients; or, in other campaigns, where people are put when they are invited
    api: bool = False  # the one that is meant where a program names none
    delay: timedelta = timedelta(0)
    throttle: timedelta | None = None
    reminder: timedelta | None = None  # after the mail went out, to whoever has not answered; once
    recurring: timedelta | None = None  # after each ask, the same contact is asked again
    drip: timedelta | None = None  # its recipients are spread evenly over so many days
    older_than: timedelta | None = None
    sample: float = 1.0  # share of contacts, 0..1, sticky per contact
    window: Window | None = None
    daily_cap: int | None = None
    quota: int | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    forward_to: str | None = None  # where replies to its mails go; None = where the brand says
    template: Template = Template()
    link_identity: LinkIdentity = LinkIdentity.KNOWN
    link_turn: int = 0  # how often its link was made anew
    status: Status = Status.DRAFT
    version: int = 1


NEXT: Mapping[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.READY, Status.COMPLETE}),
    Status.READY: frozenset({Status.ACTIVE, Status.PAUSED, Status.DRAFT, Status.COMPLETE}),
    Status.ACTIVE: frozenset({Status.PAUSED, Status.COMPLETE}),
    Status.PAUSED: frozenset({Status.READY, Status.ACTIVE, Status.COMPLETE}),
    Status.COMPLETE: frozenset({Status.READY}),
}

RUNNING = frozenset({Status.READY, Status.ACTIVE})


def is_running(campaign: Campaign, at: datetime) -> bool:
    """Ready or active, and inside its dates."""
    started = campaign.starts is None or campaign.starts <= at
    ended = campaign.ends is not None and campaign.ends <= at
    return campaign.status in RUNNING and started and not ended
