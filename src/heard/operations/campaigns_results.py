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


def answered(connection: Connection, campaign: Campaign, since: datetime | None, over: datetime | None = None) -> Rate:
    """How many of the invitations that were due since then and handed over were answered; what came back is none of
    them. `over`: at this moment of the past, when less had been handed over and answered.
    Of a campaign by link nobody knows who was handed one: its answers are a number without a share."""
    if over is not None:
        n, of = campaign_counts.answered_by(connection, campaign.workspace, campaign.id, since, over)
    else:
        counts = campaign_counts.in_states(connection, campaign.workspace, campaign.id, HANDED_OVER, since)
        n, of = counts.get(State.ANSWERED, 0), sum(counts.values())
    if campaign.channel is Channel.LINK:
        return Rate(n=of, of=0, share=None, interval=None)
    return rate(n, of)


def scheduled(connection: Connection, campaign: Campaign, before: datetime | None = None) -> int:
    """How many invitations wait for their moment, of those for which it comes before then."""
    waiting = [State.SCHEDULED]
    return sum(campaign_counts.in_states(connection, campaign.workspace, campaign.id, waiting, before=before).values())


def _rank(campaign: Campaign) -> int:
    return ("active", "ready", "paused", "draft", "complete").index(campaign.status.value)
