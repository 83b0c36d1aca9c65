"""What happened at Acme in eighteen months, in numbers that can be read and changed.

It grew. Every December was too much for the parcel service. Seven months ago a new warehouse and version 5 of the app
came in the same week: parcels were late, the app lost carts, support drowned. It took about seven weeks until a second
parcel service and version 5.1 turned it round, and as long again until people believed it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

CONTACTS, STAFF = 2000, 4
LENGTH = timedelta(days=548)
FOUNDERS = 0.36  # the share of people who were there when Heard came
SEED = 20_26

TROUBLE_BEGAN = timedelta(weeks=31)  # ago
TROUBLE_GREW, TROUBLE_STAYED, TROUBLE_WENT = timedelta(weeks=2), timedelta(weeks=6), timedelta(weeks=6)
TROUBLE_COSTS = 0.62  # off the share of promoters less detractors, when it is worst
DECEMBER_COSTS = 0.08
BETTER_OVER_TIME = 0.12  # gained over the whole history


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`orders`, `tickets`: a month and person. `score`: promoters less detractors, -1 to 1. `answers`: a mail."""

    name: str
    share: int
    orders: float
    tickets: float
    score: float
    answers: float


PLANS = (
    Plan(name="Free", share=43, orders=0.20, tickets=0.07, score=0.08, answers=0.16),
    Plan(name="Team", share=31, orders=0.55, tickets=0.11, score=0.38, answers=0.25),
    Plan(name="Business", share=19, orders=0.92, tickets=0.13, score=0.56, answers=0.31),
    Plan(name="Enterprise", share=6, orders=1.40, tickets=0.20, score=0.44, answers=0.27),
    Plan(name="Nonprofit", share=1, orders=0.25, tickets=0.05, score=0.30, answers=0.15),
)
NO_PLAN = Plan(name="", share=0, orders=0.25, tickets=0.06, score=0.22, answers=0.20)


def plan(name: str | None) -> Plan:
    return next((each for each in PLANS if each.name == name), NO_PLAN)


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """From when on, and until when, a campaign ran; counted back from the end of the story. None = still does."""

    campaign: str
    began: timedelta
    paused: timedelta | None = None


CHAPTERS = (
    Chapter(campaign="Post-purchase", began=LENGTH - timedelta(days=2)),
    Chapter(campaign="End of trial", began=timedelta(days=500), paused=timedelta(days=330)),
    Chapter(campaign="After support", began=timedelta(days=440)),
    Chapter(campaign="Renewal check-in", began=timedelta(days=365)),
    Chapter(campaign="Every delivery", began=timedelta(days=300)),
)


def trouble(moment: datetime, *, now: datetime) -> float:
    """How bad it is, 0 to 1: it comes fast, stays, and goes slowly."""
    since = moment - (now - TROUBLE_BEGAN)
    if since < timedelta(0):
        return 0.0
    if since < TROUBLE_GREW:
        return since / TROUBLE_GREW
    left = (TROUBLE_GREW + TROUBLE_STAYED + TROUBLE_WENT - since) / TROUBLE_WENT
    return max(0.0, min(1.0, left))


def recovering(moment: datetime, *, now: datetime) -> bool:
    """The weeks in which people say that it is better again."""
    since = moment - (now - TROUBLE_BEGAN) - TROUBLE_GREW - TROUBLE_STAYED
    return TROUBLE_WENT / 3 < since < TROUBLE_WENT + timedelta(weeks=9)


def bustle(moment: datetime) -> float:
    """How much is bought on such a day: little in August and at weekends, most before Christmas."""
    months = (0.85, 0.9, 1.0, 1.0, 1.05, 0.95, 0.8, 0.72, 1.05, 1.1, 1.45, 1.35)
    return months[moment.month - 1] * (0.45 if moment.weekday() >= 5 else 1.15)


def liking(moment: datetime, *, plan: Plan, now: datetime) -> float:
    """Promoters less detractors, -1 to 1, of people with this plan at this time."""
    grown = BETTER_OVER_TIME * (1 - (now - moment) / LENGTH) - BETTER_OVER_TIME / 2
    december = DECEMBER_COSTS if (moment.month, moment.day) >= (12, 5) or (moment.month, moment.day) <= (1, 8) else 0.0
    return plan.score + grown - december - TROUBLE_COSTS * trouble(moment, now=now)
