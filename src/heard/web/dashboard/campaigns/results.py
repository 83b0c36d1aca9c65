"""What a campaign came to: who matched, who was held and why, how many answered, and the score they make."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from sqlalchemy import Connection

from heard.accounts.member import Action
from heard.campaigns.campaign import Campaign
from heard.deliveries.reasons import Reason
from heard.fql.write import literal_of
from heard.operations import campaigns_ask, campaigns_results
from heard.scores.metric import metric
from heard.scores.rate import Rate
from heard.scores.report import ScoreReport
from heard.store import funnel
from heard.store.days import day_of
from heard.store.funnel import Funnel
from heard.web.charts.interval import interval_bar
from heard.web.dashboard.campaigns import words as campaign_words
from heard.web.dashboard.campaigns.view import mine
from heard.web.dashboard.door import visit
from heard.web.dashboard.shell import Dashboard

SPANS = {"30d": ("30 days", timedelta(days=30)), "90d": ("90 days", timedelta(days=90)), "all": ("All time", None)}


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/campaigns/{number:int}/results", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_results(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        campaign = mine(app, seen, number)
        chosen = request.query_params.get("span", "30d")
        chosen = chosen if chosen in SPANS else "30d"
        period = SPANS[chosen][1]
        since = app.clock.now() - period if period else None

        def look(connection: Connection) -> tuple[Funnel, Rate, int]:
            first = day_of(since) if since else None
            return (
                funnel.read(connection, campaign.workspace, [campaign.id], first, None),
                campaigns_results.answered(connection, campaign, since),
                campaigns_results.scheduled(connection, campaign),
            )

        found, answered, scheduled = await app.store.read(look)
        wave = await campaigns_ask.last_wave(app, campaign)
        report = await score_of(campaign, since.date().isoformat() if since else None)
        measured = metric(campaign.metric)
        return dashboard.page(
            seen,
            "campaign_results.html",
            here="campaigns",
            campaign=campaign,
            survey=app.directory.surveys[campaign.survey],
            funnel=found,
            answered=answered,
            scheduled=scheduled,
            wave=wave,
            score=report,
            written=measured.written,
            drawn=interval_bar(report.score, report.interval, bounds=measured.bounds, written=measured.written),
            label=lambda reason: campaign_words.LABELS[Reason(reason)] if reason in set(Reason) else reason,
            where=f"campaign = {literal_of(campaign.name)}",
            from_=since.date().isoformat() if since else "",
            span=chosen,
            spans=SPANS,
            badges=campaign_words.BADGES,
            tab="results",
        )

    async def score_of(campaign: Campaign, from_: str | None) -> ScoreReport:
        analytics, now = await app.answers(), app.clock.now()
        survey = app.directory.surveys[campaign.survey]
        where = f"campaign = {literal_of(campaign.name)}"
        return await asyncio.to_thread(
            lambda: analytics.score(campaign.workspace, survey.name, survey.kind, now=now, from_=from_, where=where)
        )

    return [show_results]
