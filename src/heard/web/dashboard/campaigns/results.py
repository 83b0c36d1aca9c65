"""What a campaign came to: who matched, who was held and why, how many answered, and the score they make."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.campaigns.campaign import Campaign
from heard.deliveries.reasons import Reason
from heard.errors import Invalid
from heard.fql.write import literal_of
from heard.operations import campaign_statistics, campaigns_ask
from heard.operations.overview_rates import Remembered
from heard.scores.metric import metric
from heard.scores.report import ScoreReport
from heard.web.charts.interval import interval_bar
from heard.web.dashboard.campaigns import words as campaign_words
from heard.web.dashboard.campaigns.view import mine
from heard.web.dashboard.door import visit
from heard.web.dashboard.shell import Dashboard

MOST_PARTS = 20
SPANS = {"30d": ("30 days", timedelta(days=30)), "90d": ("90 days", timedelta(days=90)), "all": ("All time", None)}


def routes(dashboard: Dashboard) -> list[Any]:
    app, remembered = dashboard.app, Remembered()

    @get("/campaigns/{number:int}/results", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_results(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        campaign = mine(app, seen, number)
        chosen = request.query_params.get("span", "30d")
        chosen = chosen if chosen in SPANS else "30d"
        period = SPANS[chosen][1]
        since = app.clock.now() - period if period else None

        counted = campaign_statistics.last_days(app.clock.now(), period)
        found = await campaign_statistics.statistics(app, campaign, counted)
        wave = await campaigns_ask.last_wave(app, campaign)
        by, wrong = request.query_params.get("by") or None, None
        try:
            parted = await campaign_statistics.by_trait(app, campaign, counted, by, remembered)
        except Invalid as problem:
            if problem.field != "by":
                raise
            parted, wrong = None, str(problem)
        report = await score_of(campaign, since.date().isoformat() if since else None)
        measured = metric(campaign.metric)
        return dashboard.page(
            seen,
            "campaign_results.html",
            here="campaigns",
            campaign=campaign,
            survey=app.directory.surveys[campaign.survey],
            funnel=found.funnel,
            found=found,
            answered=found.answered,
            scheduled=found.scheduled,
            by=by or (parted.by if parted else None),
            segments=campaign_statistics.parts(parted)[:MOST_PARTS] if parted and parted.by else [],
            about=bool(parted and parted.rates and parted.rates.about),
            fields=[each.name for each in parted.fields if each.name.startswith("traits.")] if parted else [],
            wrong=wrong,
            shown=lambda value: "none" if value is None else str(value),
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
