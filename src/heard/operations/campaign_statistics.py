"""Everything a campaign came to, from who was decided about to who answered, by tallies and indexes; and by any trait.

All of it is of one window of whole days (UTC), for so the steps are tallied, and what came after its end is as if it
had not happened yet. Each step is counted when it happened: a decision when it was made, a mail when it was handed
over, an answer when it was given, what came back when that was reported. Shares are of one group of people each:
delivered is the invitations sent in the window that had not come back for good by its end, the response rate those due
in it and handed over that had been answered by its end. What was opened is counted where a workspace wants that, of the
mails that tell, and is unreliable (`heard.responses.opens`).
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign, Channel
from heard.deliveries.notice import NoticeKind
from heard.fql.values import canonical
from heard.fql.write import literal_of
from heard.installation import Installation
from heard.operations import campaigns_results
from heard.operations.meant import workspace_meant
from heard.operations.overview import Overview, Question, overview
from heard.operations.overview_rates import Remembered
from heard.scores.rate import Rate, rate
from heard.scores.window import MOMENT, Window, rfc3339, whole_days, window
from heard.steps.tell_back import UNTIL_COMPLETE
from heard.store import funnel, links, mail_events
from heard.store.days import day_of
from heard.store.funnel import Funnel
from heard.store.links import Followed


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """`funnel` counts decisions and mails; the others are of mails and answers, all in one window."""

    funnel: Funnel
    scheduled: int
    delivered: int  # sent, less those of them that came back
    confirmed: int  # those a provider said so of
    scored: int
    commented: int
    completed: int
    bounced: int
    soft: int  # came back for now
    complained: int
    answered: Rate  # of what was handed over
    followed: Followed | None = None  # of a campaign by link


async def statistics(app: Installation, campaign: Campaign, counted: Window) -> Statistics:
    """Of the whole days (UTC) that `counted` touches."""
    analytics, now = await app.answers(), app.clock.now()
    counted = whole_days(counted)
    begins, ends = counted.begins, counted.ends
    over = ends if ends and ends <= now else None

    def look(connection: Connection) -> tuple[Funnel, dict[NoticeKind, int], int, Rate, int, Followed | None]:
        first = day_of(begins) if begins else None
        last = day_of(ends - MOMENT) if ends else None
        return (
            funnel.read(connection, campaign.workspace, [campaign.id], first, last),
            mail_events.of_campaign(connection, campaign.workspace, campaign.id, begins, ends),
            mail_events.came_back(connection, campaign.workspace, campaign.id, begins, ends),
            campaigns_results.answered(connection, campaign, begins, over),
            campaigns_results.scheduled(connection, campaign, ends),
            links.followed(connection, campaign.workspace, campaign.id, first, last)
            if campaign.channel is Channel.LINK
            else None,
        )

    steps, reported, back, answered, scheduled, followed = await app.store.read(look)
    told = await asyncio.to_thread(
        lambda: analytics.told(campaign.workspace, campaign.name, counted, now=now, after=UNTIL_COMPLETE)
    )
    return Statistics(
        funnel=steps,
        scheduled=scheduled,
        delivered=max(0, steps.sent - back),
        confirmed=reported.get(NoticeKind.DELIVERED, 0),
        scored=told[0],
        commented=told[1],
        completed=told[2],
        bounced=reported.get(NoticeKind.HARD, 0),
        soft=reported.get(NoticeKind.SOFT, 0),
        complained=reported.get(NoticeKind.COMPLAINT, 0),
        answered=answered,
        followed=followed,
    )


async def by_trait(
    app: Installation, campaign: Campaign, counted: Window, by: str | None, remembered: Remembered
) -> Overview:
    """The campaign's answers as the overview counts them, by `by`: groups with score and interval, and response rates.

    Raises:
        Invalid: `by` cannot be used (field `by`).
    """
    question = Question(window=counted, where=f"campaign = {literal_of(campaign.name)}", metric=campaign.metric, by=by)
    return await overview(app, question, workspace_id=campaign.workspace, remembered=remembered, newest=1)


async def campaign_statistics(
    app: Installation,
    *,
    campaign: str,
    from_: str | None = None,
    to: str | None = None,
    by: str | None = None,
    workspace: str | None = None,
    workspace_id: int | None = None,
) -> dict[str, Any]:
    """`{"campaign", "from", "to", "matched", "invited", "waiting", "declined": {reason: n}, "scheduled", "sent",
    "reminded", "delivered", "delivery_confirmed", "opened", "opened_of", "opened_by_machines", "clicked", "scored",
    "commented", "completed", "unsubscribed", "bounced", "bounced_softly", "complained",
    "response_rate": {"n", "of", "share", "interval"}, "link": {"unfilled", "nobody", "unsigned", "unknown"} | null,
    "groups": [{"value", "asked", "response_rate", "n", "score", "interval"}]}`; groups only with `by`.
    `from` and `to` are the ends of the whole days that were counted. `opened` is null of mails that do not count it;
    `link` is null but for campaigns by link.

    Raises:
        NotFound: there is no such campaign.
        Invalid: with the `field` that cannot be used: from, to, by.
    """
    number = workspace_meant(app, workspace, workspace_id)
    asked, counted = app.directory.campaign(number, campaign), whole_days(window(from_, to))
    found = await statistics(app, asked, counted)
    return {
        "campaign": asked.name,
        "from": rfc3339(counted.begins) if counted.begins else None,
        "to": rfc3339(counted.ends) if counted.ends else None,
        "matched": found.funnel.matched,
        "invited": found.funnel.invited,
        "waiting": found.funnel.waiting,
        "declined": found.funnel.held,
        "scheduled": found.scheduled,
        "sent": found.funnel.sent,
        "reminded": found.funnel.reminded,
        "delivered": found.delivered,
        "delivery_confirmed": found.confirmed,
        "opened": _opened(found),
        "opened_of": found.funnel.with_image or None,
        "opened_by_machines": found.funnel.opened_by_machine if found.funnel.with_image else None,
        "clicked": found.funnel.clicked,
        "scored": found.scored,
        "commented": found.commented,
        "completed": found.completed,
        "unsubscribed": found.funnel.unsubscribed,
        "bounced": found.bounced,
        "bounced_softly": found.soft,
        "complained": found.complained,
        "response_rate": _rate(found.answered),
        "link": _link(found.followed) if found.followed else None,
        "groups": await _groups(app, asked, counted, by) if by else [],
    }


def _opened(found: Statistics) -> int | None:
    if found.followed is not None:
        return found.followed.opened
    return found.funnel.opened if found.funnel.with_image else None


def _link(followed: Followed) -> dict[str, int]:
    """How often somebody came by a link that did not work for them."""
    return {what: getattr(followed, what) for what in ("unfilled", "nobody", "unsigned", "unknown")}


async def _groups(app: Installation, campaign: Campaign, counted: Window, by: str) -> list[dict[str, Any]]:
    found = await by_trait(app, campaign, counted, by, Remembered())
    return [
        {
            "value": each.value,
            "asked": each.rate.of if each.rate else None,
            "response_rate": _rate(each.rate) if each.rate else None,
            "n": each.n,
            "score": each.score,
            "interval": each.interval,
        }
        for each in parts(found)
    ]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Those who share a value: how many were asked and answered, and the score of those who did."""

    value: Any
    rate: Rate | None  # None: it is known of the answer alone
    n: int
    score: float | None
    interval: tuple[float, float] | None


def parts(found: Overview) -> list[Part]:
    """Every value of whoever was asked or answered, those with the most answers first; also where nobody answered."""
    asked = dict(found.rates.by_value) if found.rates else {}
    listed: list[Part] = []
    for group in found.groups:
        there = asked.pop(canonical(group.value), None)
        share = rate(there.answered, there.asked) if there else None
        listed.append(Part(value=group.value, rate=share, n=group.n, score=group.score, interval=group.interval))
    silent = sorted(asked.items(), key=lambda each: -each[1].asked)
    return listed + [
        Part(
            value=msgspec.json.decode(value),
            rate=rate(there.answered, there.asked),
            n=0,
            score=None,
            interval=None,
        )
        for value, there in silent
    ]


def _rate(found: Rate) -> dict[str, Any]:
    return {"n": found.n, "of": found.of, "share": found.share, "interval": found.interval}


def last_days(now: datetime, length: timedelta | None) -> Window:
    """From the first moment of the day so long ago on; None: all time."""
    return window((now - length).date().isoformat() if length else None, None)
