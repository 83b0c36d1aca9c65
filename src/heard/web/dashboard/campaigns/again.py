"""`/campaigns/{id}/again`: send it once more, to whoever was never asked or to everybody; how many is said first."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.campaigns.campaign import GATHERED, Campaign
from heard.errors import HeardError, Invalid
from heard.operations import campaigns_ask, campaigns_eligible
from heard.operations.campaigns_judged import Preview
from heard.web.dashboard.campaigns import words as campaign_words
from heard.web.dashboard.campaigns.view import mine
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.named import named
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
NOBODY = "It asks no list and no audience, so there is nobody to send it to again."


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/campaigns/{number:int}/again", opt={"may": Action.SEE}, include_in_schema=False)
    async def ask_first(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, campaign = visit(request), mine(app, visit(request), number)
        if campaign.recipients not in GATHERED:
            return dashboard.to(f"/campaigns/{number}", NOBODY)
        return await page(seen, campaign)

    @post("/campaigns/{number:int}/again", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def send(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, campaign = visit(request), mine(app, visit(request), number)
        everyone = (await request.form()).get("to") == "everyone"
        try:
            await campaigns_ask.send_again(
                app, workspace=seen.workspace.id, number=number, everyone=everyone, by=seen.email
            )
        except Invalid as problem:
            return dashboard.to(f"/campaigns/{number}", str(problem))
        except HeardError as problem:
            return await page(seen, campaign, status=409, problem=str(problem))
        return dashboard.to(f"/campaigns/{number}/results", f"{campaign.name} asks once more.")

    async def page(
        seen: Visit, campaign: Campaign, *, status: int = 200, problem: str | None = None
    ) -> Response[bytes]:
        now = app.clock.now()

        async def look(everyone: bool) -> Preview:
            return await app.store.read(
                lambda connection: campaigns_eligible.preview(
                    connection, app.directory, campaign, now, everyone=everyone
                )
            )

        new, every = await look(False), await look(True)
        return dashboard.page(
            seen,
            "campaign_again.html",
            here="campaigns",
            status=status,
            campaign=campaign,
            new=new,
            every=every,
            problem=problem,
            labels=campaign_words.LABELS,
            who=lambda contact: named(contact).name,
            badges=campaign_words.BADGES,
        )

    return [ask_first, send]
