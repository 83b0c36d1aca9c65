"""The mail of a campaign: its words, as they read to a contact on a phone and on a desktop, and the one that a member
sent to themselves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from msgspec import structs

from heard.accounts.member import Action
from heard.campaigns.campaign import Campaign, Channel, Template
from heard.channels.email.outbox import opened
from heard.contacts import address as addresses
from heard.contacts.contact import Contact
from heard.errors import Invalid, NotFound
from heard.ids import previewed
from heard.operations import campaigns_edit, campaigns_send_me, campaigns_traits
from heard.operations.campaigns_edit import ChangedMeanwhile
from heard.operations.campaigns_traits import TraitsSeen
from heard.surveys.locales import LOCALES
from heard.web.dashboard.campaigns import mail_draft
from heard.web.dashboard.campaigns import words as campaign_words
from heard.web.dashboard.campaigns.mail_draft import Draft
from heard.web.dashboard.campaigns.view import mine
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.outbox.mail import framed, text_of
from heard.web.dashboard.shell import HEADERS, Dashboard

Incoming = Request[Any, Any, Any]
NOBODY = "nobody@localhost"
THEMES = ("light", "dark")

_ID = re.compile(r"[0-9a-f]{32}")


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/campaigns/{number:int}/mail", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_mail(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        if mine(app, seen, number).channel is Channel.LINK:
            return dashboard.to(f"/campaigns/{number}/link", "It asks by a link and has no mail. Here is its block.")
        campaign = mailing(seen, number)
        if sent := request.query_params.get("sent"):
            mail, size = await sent_mail(campaign, sent)
            return dashboard.page(seen, "campaign_mail_sent.html", **head(campaign), sent=sent, **_said(mail, size))
        return await page(seen, campaign, request.query_params)

    @get("/campaigns/{number:int}/mail/look", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_look(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """What the words come to, while somebody writes them."""
        campaign = mailing(visit(request), number)
        view = await looked_at(visit(request), campaign, request.query_params)
        html = dashboard.render("campaign_mail_look.html", visit=visit(request), campaign=campaign, **view)
        return Response(html.encode(), media_type="text/html", headers=dict(HEADERS))

    @get("/campaigns/{number:int}/mail/html", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_html(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, params = visit(request), request.query_params
        campaign = mailing(seen, number)
        theme = params.get("theme")
        if sent := params.get("sent"):
            mail, _ = await sent_mail(campaign, sent)
        else:
            row = await mail_draft.kept_row(app, campaign)
            draft = mail_draft.draft_of(row, params)
            words = mail_draft.obeyed(draft, campaign.template, mail_draft.read(app, row, draft).complaints)
            mail, _ = await mail_of(seen, campaign, draft, words, await contact_of(campaign, draft))
        return framed(mail, theme if theme in THEMES else None)

    @post("/campaigns/{number:int}/mail", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def keep_words(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, fields = visit(request), await request.form()
        campaign = mailing(seen, number)
        row = await mail_draft.kept_row(app, campaign)
        draft = mail_draft.draft_of(row, fields)
        line = mail_draft.read(app, row, draft).line
        if line is None:
            return await page(seen, campaign, fields, status=422)
        try:
            await campaigns_edit.keep(
                app, workspace=campaign.workspace, by=seen.email, line=line, number=number, version=draft.version
            )
        except ChangedMeanwhile as problem:
            mended = {**fields, "version": str(problem.row["version"])}
            return await page(seen, campaign, mended, status=409, changed=str(problem))
        return dashboard.to(f"/campaigns/{number}/mail", "Saved the words of the mail.")

    def mailing(seen: Visit, number: int) -> Campaign:
        """Raises NotFound for one that has no mail."""
        campaign = mine(app, seen, number)
        if campaign.channel is Channel.LINK:
            raise NotFound("This campaign asks by a link and has no mail.")
        return campaign

    async def page(
        seen: Visit, campaign: Campaign, fields: Mapping[str, Any], *, status: int = 200, changed: str | None = None
    ) -> Response[bytes]:
        view = await looked_at(seen, campaign, fields)
        return dashboard.page(seen, "campaign_mail.html", status=status, **head(campaign), **view, changed=changed)

    def head(campaign: Campaign) -> dict[str, Any]:
        return {"here": "campaigns", "campaign": campaign, "badges": campaign_words.BADGES, "tab": "mail"}

    async def looked_at(seen: Visit, campaign: Campaign, fields: Mapping[str, Any]) -> dict[str, Any]:
        row = await mail_draft.kept_row(app, campaign)
        draft = mail_draft.draft_of(row, fields)
        complaints = mail_draft.read(app, row, draft).complaints
        words = mail_draft.obeyed(draft, campaign.template, complaints)
        survey = app.directory.surveys[campaign.survey]
        view: dict[str, Any] = {
            "draft": draft,
            "complaints": complaints,
            "problem": None,
            "stranger": None,
            "traits": await traits_seen(seen, words),
            "unsaved": draft.template != campaign.template,
            "spoken": [LOCALES[code] for code in survey.languages],
            "usual": Template(),
        }
        try:
            contact = await contact_of(campaign, draft)
        except NotFound as problem:
            return view | {"stranger": str(problem)}
        try:
            mail, size = await mail_of(seen, campaign, draft, words, contact)
        except Invalid as problem:
            return view | {"problem": str(problem)}
        return view | _said(mail, size)

    async def traits_seen(seen: Visit, words: Template) -> TraitsSeen:
        texts, workspace = (words.subject, words.intro, words.outro), seen.workspace
        return await app.store.read(
            lambda connection: campaigns_traits.look(connection, workspace.id, texts, brand=workspace.brand.name)
        )

    async def contact_of(campaign: Campaign, draft: Draft) -> Contact | None:
        """Whom the mail is shown for; None = whoever looks, else the newest one."""
        if draft.bare:
            return campaigns_send_me.nobody_known(campaign.workspace, app.clock.now())
        if not draft.who:
            return None
        found = await app.store.read(
            lambda connection: campaigns_send_me.named(connection, campaign.workspace, draft.who)
        )
        if found is None:
            raise NotFound(f"No contact has the userId or address {draft.who}.")
        return found

    async def mail_of(
        seen: Visit, campaign: Campaign, draft: Draft, words: Template, contact: Contact | None
    ) -> tuple[EmailMessage, int]:
        """As it would go out now, and its size. Raises Invalid when the brand's own addresses cannot be used."""
        spoken = app.directory.surveys[campaign.survey].languages
        mail = await campaigns_send_me.mail_of(
            app,
            structs.replace(campaign, template=words),
            to=addresses.read(seen.email) or NOBODY,
            contact=contact,
            language=draft.language if draft.language in spoken else None,
        )
        return opened(mail.content), len(mail.content)

    async def sent_mail(campaign: Campaign, sent: str) -> tuple[EmailMessage, int]:
        """The mail that a member sent to themselves, from the outbox.

        Raises:
            NotFound: no such mail of this campaign was sent, or it is not in the outbox.
        """
        whose = previewed(sent) if _ID.fullmatch(sent) else None
        if whose is None or (whose.workspace, whose.campaign) != (campaign.workspace, campaign.id):
            raise NotFound("No such mail was sent.")
        content = await asyncio.to_thread(app.outbox.read, sent) if app.outbox else None
        if content is None:
            raise NotFound("This mail is not in the outbox, or its file was removed.")
        return opened(content), len(content)

    return [show_mail, show_look, show_html, keep_words]


def _said(mail: EmailMessage, size: int) -> dict[str, Any]:
    return {
        "subject": str(mail["Subject"] or ""),
        "sender": str(mail["From"] or ""),
        "reply_to": str(mail["Reply-To"] or ""),
        "text": text_of(mail),
        "size": size,
    }
