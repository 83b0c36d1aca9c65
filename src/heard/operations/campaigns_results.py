"""What became of a campaign: from the events that matched to the answers, by tallies and indexes."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign, Channel
from heard.deliveries.delivery import State
from heard.installation import Installation
from heard.scores.rate import Rate, rate
from heard.store import campaign_counts, funnel
from heard.store.campaign_counts import HANDED_OVER
from heard.store.days import day_of
from heard.store.funnel import Funnel

MONTH = timedelta(days=30)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign in the list; numbers of the last 30 days."""

    campaign: Campaign
    survey: str
    funnel: Funnel
    answered: Rate  # of the invitations that were due then and handed over
    last: datetime | None  # when it last decided about somebody


async def lines(app: Installation, workspace: int) -> list[Line]:
    """Every campaign of a workspace, the running ones first, then by name."""
    now = app.clock.now()
    campaigns = sorted(app.directory.campaigns_of(workspace), key=lambda each: (_rank(each), each.name.lower()))

    def look(connection: Connection) -> list[Line]:
        funnels = funnel.by_campaign(connection, workspace, day_of(now - MONTH), None)
        return [
            Line(
                campaign=each,
                survey=app.directory.surveys[each.survey].name,
                funnel=funnels.get(each.id, funnel.NOTHING),
                answered=answered(connection, each, now - MONTH),
                last=campaign_counts.last_decided(connection, workspace, each.id),
            )
            for each in campaigns
        ]

    return await app.store.read(look)


def answered(connection: Connection, campaign: Campaign, since: datetime | None) -> Rate:
    """How many of the invitations handed over were answered. One that was answered and has closed counts as closed.
    Of a campaign by link nobody knows who was handed one: its answers are a number without a share."""
    counts = campaign_counts.in_states(connection, campaign.workspace, campaign.id, HANDED_OVER, since)
    if campaign.channel is Channel.LINK:
        return Rate(n=sum(counts.values()), of=0, share=None, interval=None)
    return rate(counts.get(State.ANSWERED, 0), sum(counts.values()))


def scheduled(connection: Connection, campaign: Campaign) -> int:
    """How many invitations wait for their moment."""
    return sum(campaign_counts.in_states(connection, campaign.workspace, campaign.id, [State.SCHEDULED]).values())


def _rank(campaign: Campaign) -> int:
    return ("active", "ready", "paused", "draft", "complete").index(campaign.status.value)
