"""Activate, pause, back to draft, end: each asks first, and says how many it touches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from heard.accounts.member import Action
from heard.campaigns.campaign import GATHERED, NEXT, Campaign, Channel, Status
from heard.errors import HeardError, NotFound
from heard.operations import campaigns, campaigns_preview, campaigns_results
from heard.operations.campaigns_preview import Preview
from heard.web.dashboard.campaigns import form as campaign_form
from heard.web.dashboard.campaigns import words as campaign_words
from heard.web.dashboard.campaigns.view import mine
from heard.web.dashboard.door import visit
from heard.web.dashboard.named import named
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
MANY = 50  # who could be asked before a cap is suggested
FIRST_CAP = 0.1  # of them, on one day


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What a button does, in words: the heading, the button, and what is said when it is done."""

    name: str
    to: Status
    verb: str
    done: str


ACTS: Mapping[str, Act] = {
    act.name: act
    for act in (
        Act(name="activate", to=Status.READY, verb="Activate", done="{name} is activated."),
        Act(name="pause", to=Status.PAUSED, verb="Pause", done="{name} is paused. What is scheduled waits."),
        Act(name="draft", to=Status.DRAFT, verb="Put back to draft", done="{name} is a draft again."),
        Act(name="complete", to=Status.COMPLETE, verb="End", done="{name} has ended."),
    )
}


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app
    places = [f"/campaigns/{{number:int}}/{name}" for name in ACTS]

    @get(places, opt={"may": Action.SEE}, include_in_schema=False)
    async def ask_first(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        return await confirm(request, mine(app, visit(request), number), _act(request))

    @post(places, opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def do(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, wanted = visit(request), _act(request)
        campaign = mine(app, seen, number)
        cap: Any = campaigns.KEEP
        if wanted.name == "activate" and campaign.channel is not Channel.LINK:
            written = str((await request.form()).get("daily_cap", "")).replace(",", "").strip()
            cap = campaign_form.number(written)
            if written and not (cap and cap < 10**9):
                said = "Write a whole number, 1 or more, or nothing for no cap."
                return await confirm(request, campaign, wanted, status=422, written=written, wrong=said)
        try:
            await campaigns.become(app, seen.workspace.id, number, wanted.to, by=seen.email, daily_cap=cap)
        except NotFound:
            raise
        except HeardError as problem:
            return dashboard.to(f"/campaigns/{number}", str(problem))
        return dashboard.to(f"/campaigns/{number}", wanted.done.format(name=campaign.name))

    async def confirm(
        request: Incoming,
        campaign: Campaign,
        act: Act,
        *,
        status: int = 200,
        written: str | None = None,
        wrong: str | None = None,
    ) -> Response[bytes]:
        now, seen = app.clock.now(), visit(request)
        possible = act.to in NEXT[campaign.status] or (act.name == "activate" and campaign.status == Status.PAUSED)

        def look(connection: Connection) -> tuple[Preview | None, int]:
            wanted = act.name == "activate" and (campaign.event or campaign.recipients in GATHERED)
            preview = campaigns_preview.look(connection, app, campaign, now) if wanted else None
            return preview, campaigns_results.scheduled(connection, campaign)

        preview, scheduled = await app.store.read(look)
        return dashboard.page(
            seen,
            "campaign_become.html",
            here="campaigns",
            status=status,
            campaign=campaign,
            act=act,
            possible=possible,
            preview=preview,
            scheduled=scheduled,
            cap=written if written is not None else str(campaign.daily_cap or _suggested(campaign, preview) or ""),
            suggested=campaign.daily_cap is None and _suggested(campaign, preview),
            wrong=wrong,
            labels=campaign_words.LABELS,
            who=lambda contact: named(contact).name,
            badges=campaign_words.BADGES,
            tab="become",
        )

    return [ask_first, do]


def _act(request: Incoming) -> Act:
    return ACTS[request.scope["path"].rpartition("/")[2]]


def _suggested(campaign: Campaign, preview: Preview | None) -> int | None:
    """A cap for the first days of a campaign that has never asked, in round numbers."""
    if campaign.status != Status.DRAFT or preview is None or preview.could < MANY:
        return None
    tenth = preview.could * FIRST_CAP
    step = 10 if tenth < 100 else 50
    return max(step, round(tenth / step) * step)
