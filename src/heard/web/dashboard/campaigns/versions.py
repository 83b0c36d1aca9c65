"""`/campaigns/{id}/versions/{n}` and `/surveys/{id}/versions/{n}`: what was asked by then, and what was changed."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.campaigns.campaign import Campaign
from heard.operations import versions
from heard.surveys.survey import Survey
from heard.web.dashboard.campaigns.view import mine, survey_mine
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/campaigns/{number:int}/versions/{version:int}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_campaign(request: Incoming, number: FromPath[int], version: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        return await page(seen, mine(app, seen, number), version)

    @get("/surveys/{number:int}/versions/{version:int}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_survey(request: Incoming, number: FromPath[int], version: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        return await page(seen, survey_mine(app, seen, number), version)

    async def page(seen: Visit, of: Campaign | Survey, number: int) -> Response[bytes]:
        noun = "campaign" if isinstance(of, Campaign) else "survey"
        here = f"{noun}s"
        return dashboard.page(
            seen,
            "version.html",
            here=here,
            of=of,
            home=f"/{here}/{of.id}",
            noun=noun,
            version=await versions.version(app, of, number),
        )

    return [show_campaign, show_survey]
