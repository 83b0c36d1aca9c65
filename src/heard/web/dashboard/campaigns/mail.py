"""The mail of a campaign, as it looks on a phone and on a desktop, and the one that a member sent to themselves."""

from __future__ import annotations

import asyncio
import re
from email.message import EmailMessage
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.campaigns.campaign import Campaign
from heard.channels.email.outbox import opened
from heard.contacts import address as addresses
from heard.errors import Invalid, NotFound
from heard.ids import previewed
from heard.operations import campaigns_send_me
from heard.web.dashboard.campaigns import words as campaign_words
from heard.web.dashboard.campaigns.view import mine
from heard.web.dashboard.door import visit
from heard.web.dashboard.outbox.mail import framed, text_of
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
NOBODY = "nobody@localhost"

_ID = re.compile(r"[0-9a-f]{32}")


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/campaigns/{number:int}/mail", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_mail(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        campaign = mine(app, seen, number)
        view: dict[str, Any] = {"problem": None}
        try:
            mail, size = await mail_of(request, campaign)
            view |= {
                "subject": str(mail["Subject"] or ""),
                "sender": str(mail["From"] or ""),
                "reply_to": str(mail["Reply-To"] or ""),
                "text": text_of(mail),
                "size": size,
            }
        except Invalid as problem:
            view["problem"] = str(problem)
        return dashboard.page(
            seen,
            "campaign_mail.html",
            here="campaigns",
            campaign=campaign,
            badges=campaign_words.BADGES,
            tab="mail",
            sent=request.query_params.get("sent"),
            **view,
        )

    @get("/campaigns/{number:int}/mail/html", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_html(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        mail, _ = await mail_of(request, mine(app, visit(request), number))
        return framed(mail, None)

    async def mail_of(request: Incoming, campaign: Campaign) -> tuple[EmailMessage, int]:
        """The mail and its size: as it would go out now, or the one that was sent (`?sent=ID`) and lies in the outbox.

        Raises:
            NotFound: no such mail of this campaign was sent, or it is not in the outbox.
            Invalid: the brand's own addresses cannot be used.
        """
        if sent := request.query_params.get("sent"):
            whose = previewed(sent) if _ID.fullmatch(sent) else None
            if whose is None or (whose.workspace, whose.campaign) != (campaign.workspace, campaign.id):
                raise NotFound("No such mail was sent.")
            content = await asyncio.to_thread(app.outbox.read, sent) if app.outbox else None
            if content is None:
                raise NotFound("This mail is not in the outbox, or its file was removed.")
        else:
            to = addresses.read(visit(request).email) or NOBODY
            content = (await campaigns_send_me.mail_of(app, campaign, to=to)).content
        return opened(content), len(content)

    return [show_mail, show_html]
