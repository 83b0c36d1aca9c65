"""`/campaigns/{id}/link`: the public link of a campaign, and its block for the mails of another tool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.campaigns.campaign import Campaign, Channel, LinkIdentity
from heard.channels.link import embed
from heard.channels.link.tools import BY_KEY, OTHER, TOOLS
from heard.errors import NotFound
from heard.operations import campaign_link
from heard.operations.campaigns_results import MONTH
from heard.store import links
from heard.store.days import day_of
from heard.surveys.locales import LOCALES
from heard.web.dashboard.campaigns import words as campaign_words
from heard.web.dashboard.campaigns.view import mine
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.outbox.mail import HEADERS
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
THEMES = {"light": "#ffffff;color:#1d1c19", "dark": "#1b1b19;color:#efede7"}  # of the mails that the block stands in
PAGE = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><base target="_blank"><title>The block</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
    '<body style="margin:0;padding:8px;background:{colours}">{block}</body></html>'
)


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/campaigns/{linked:int}/link", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_link(request: Incoming, linked: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        campaign = by_link(seen, linked)
        tool, language = chosen(campaign, request.query_params)
        block = campaign_link.blocks(app, campaign, tool)[language]
        since = day_of(app.clock.now() - MONTH)
        came = await app.store.read(
            lambda connection: links.followed(connection, campaign.workspace, campaign.id, since, None)
        )
        address, spoken = campaign_link.address(app, campaign), app.directory.surveys[campaign.survey].languages
        return dashboard.page(
            seen,
            "campaign_link.html",
            here="campaigns",
            campaign=campaign,
            address=address,
            whole=embed.link(
                address,
                tool,
                language if len(spoken) > 1 else None,
                signed=campaign.link_identity is LinkIdentity.SIGNED,
            ),
            block=block,
            tool=tool,
            tools=TOOLS,
            language=language,
            spoken=[LOCALES[code] for code in spoken],
            came=came,
            secret=campaign_link.secrets(app, campaign)[0] if seen.may("ask") else None,
            badges=campaign_words.BADGES,
            tab="link",
        )

    @get("/campaigns/{linked:int}/link/html", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_block(request: Incoming, linked: FromPath[int]) -> Response[bytes]:
        """The block as it looks in a mail, for a frame."""
        campaign = by_link(visit(request), linked)
        tool, language = chosen(campaign, request.query_params)
        block = campaign_link.blocks(app, campaign, tool)[language]
        colours = THEMES.get(request.query_params.get("theme", ""), THEMES["light"])
        html = PAGE.format(language=language, colours=colours, block=block.html)
        return Response(html.encode(), media_type="text/html", headers=dict(HEADERS))

    @post("/campaigns/{linked:int}/link/anew", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def make_anew(request: Incoming, linked: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        by_link(seen, linked)
        await campaign_link.turn(app, workspace=seen.workspace.id, number=linked, by=seen.email)
        return dashboard.to(f"/campaigns/{linked}/link", "The link is a new one. Put it in the place of the old one.")

    def by_link(seen: Visit, linked: int) -> Campaign:
        """Raises NotFound for a campaign that has no link."""
        campaign = mine(app, seen, linked)
        if campaign.channel is not Channel.LINK:
            raise NotFound("This campaign asks by e-mail and has no link.")
        return campaign

    def chosen(campaign: Campaign, said: Mapping[str, str]) -> tuple[Any, str]:
        """The mail tool, and the language of the block."""
        spoken = app.directory.surveys[campaign.survey].languages
        language = said.get("language", "")
        return BY_KEY.get(said.get("tool", ""), OTHER), language if language in spoken else spoken[0]

    return [show_link, show_block, make_anew]
