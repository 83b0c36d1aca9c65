"""`/campaigns`: the list, and the form that makes or changes one. Whom it could ask is shown before it asks anybody."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.campaigns.campaign import Campaign, Channel
from heard.errors import DeliveryFailed, Invalid
from heard.operations import campaigns_edit, campaigns_results, campaigns_send_me, lists
from heard.operations.campaigns_edit import ChangedMeanwhile
from heard.web.dashboard.campaigns import again as campaign_again
from heard.web.dashboard.campaigns import dry as campaign_dry
from heard.web.dashboard.campaigns import form as campaign_form
from heard.web.dashboard.campaigns import link as campaign_link
from heard.web.dashboard.campaigns import mail as campaign_mail
from heard.web.dashboard.campaigns import results as campaign_results
from heard.web.dashboard.campaigns import status as campaign_status
from heard.web.dashboard.campaigns import versions as campaign_versions
from heard.web.dashboard.campaigns import words as campaign_words
from heard.web.dashboard.campaigns.form import Form
from heard.web.dashboard.campaigns.view import DAYS, ZONES, kept_form, mine, shown, surveys_of
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.events_seen import EventsSeen
from heard.web.dashboard.named import named
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
_FIELDS = {"channel": "recipients"}  # whom it asks says how


def routes(dashboard: Dashboard) -> list[Any]:
    app, kept_events = dashboard.app, EventsSeen()

    @get("/campaigns", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_campaigns(request: Incoming) -> Response[bytes]:
        seen = visit(request)
        return dashboard.page(
            seen,
            "campaigns.html",
            here="campaigns",
            lines=await campaigns_results.lines(app, seen.workspace.id),
            surveys=surveys_of(app, seen.workspace.id),
            badges=campaign_words.BADGES,
        )

    @get("/campaigns/new", opt={"may": Action.ASK}, include_in_schema=False)
    async def show_new(request: Incoming) -> Response[bytes]:
        seen, form = visit(request), Form()
        if (copied := campaign_form.number(request.query_params.get("copy", ""))) is not None:
            original = await kept_form(app, mine(app, seen, copied))
            form = msgspec.structs.replace(original, name=f"Copy of {original.name}", version=0)
        elif (chosen := campaign_form.number(request.query_params.get("survey", ""))) is not None:
            survey = next((each for each in surveys_of(app, seen.workspace.id) if each.id == chosen), None)
            form = Form(survey=survey.name if survey else "")
        elif (chosen := campaign_form.number(request.query_params.get("list", ""))) is not None:
            form = Form(recipients="list", texts={"list": (await lists.one(app, seen.workspace.id, chosen)).name})
        return await form_page(seen, form, campaign=None)

    @post("/campaigns/new", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def make(request: Incoming) -> Response[bytes]:
        return await save(request, None)

    @get("/campaigns/new/preview", opt={"may": Action.ASK}, include_in_schema=False)
    async def show_new_preview(request: Incoming) -> Response[bytes]:
        return await form_page(visit(request), Form(), campaign=None)

    @post("/campaigns/new/preview", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def preview_new(request: Incoming) -> Response[bytes]:
        form = campaign_form.of_fields(await request.form())
        return await form_page(visit(request), form, campaign=None, told=True, with_preview=True)

    @get("/campaigns/{number:int}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_campaign(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        campaign = mine(app, visit(request), number)
        return await form_page(visit(request), await kept_form(app, campaign), campaign=campaign)

    @post("/campaigns/{number:int}", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def change(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        return await save(request, mine(app, visit(request), number))

    @get("/campaigns/{number:int}/preview", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_preview(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        campaign = mine(app, visit(request), number)
        return await form_page(
            visit(request), await kept_form(app, campaign), campaign=campaign, told=True, with_preview=True
        )

    @post("/campaigns/{number:int}/preview", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def preview_changes(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        campaign = mine(app, visit(request), number)
        form = campaign_form.of_fields(await request.form())
        return await form_page(visit(request), form, campaign=campaign, told=True, with_preview=True)

    @post("/campaigns/{number:int}/send", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def send_to_me(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """The mail of the settings in the form, saved or not; without a form, as they were saved."""
        seen, fields = visit(request), await request.form()
        campaign = mine(app, seen, number)
        if campaign.channel is Channel.LINK:
            return dashboard.to(f"/campaigns/{number}/link", "It asks by a link and has no mail. Here is its block.")
        saved = await kept_form(app, campaign)
        form = campaign_form.of_fields(fields) if "event" in fields else saved
        read = campaigns_edit.read(campaign_form.written(form))
        if read.line is None:
            return await form_page(seen, form, campaign=campaign, status=422, told=True)
        survey = app.directory.survey(seen.workspace.id, form.survey)
        wanted = campaigns_edit.unsaved(
            read, app=app, workspace=seen.workspace.id, number=number, survey=survey.id, name=form.name
        )
        try:
            to = campaigns_send_me.mailbox(seen.email)
            sent = await campaigns_send_me.send_me(app, wanted, to=to)
        except (DeliveryFailed, Invalid) as problem:
            return await form_page(seen, form, campaign=campaign, status=422, told=True, problem=f"Not sent. {problem}")
        if form != saved:
            is_file = app.outbox_of(seen.workspace.id) is not None
            there = f"The mail to {to} is a file in the outbox folder." if is_file else f"Sent to {to}."
            told = msgspec.structs.replace(seen, said=f"{there} Nothing is saved yet.")
            return await form_page(told, form, campaign=campaign, told=True)
        if app.outbox_of(seen.workspace.id) is not None:
            return dashboard.to(f"/campaigns/{number}/mail?sent={sent}", f"Sent to {to}: here it is.")
        return dashboard.to(f"/campaigns/{number}/mail", f"Sent to {to}. No answer to it counts.")

    async def save(request: Incoming, campaign: Campaign | None) -> Response[bytes]:
        seen, form = visit(request), campaign_form.of_fields(await request.form())
        read = campaigns_edit.read(campaign_form.written(form))
        if read.line is None:
            return await form_page(seen, form, campaign=campaign, status=422, told=True)
        try:
            number = await campaigns_edit.keep(
                app,
                workspace=seen.workspace.id,
                by=seen.email,
                line=read.line,
                number=campaign.id if campaign else None,
                version=form.version,
            )
        except ChangedMeanwhile as problem:
            assert campaign is not None  # a new one cannot have been changed
            theirs = await kept_form(app, campaign)
            differences = campaigns_edit.differences(campaign_form.written(theirs), campaign_form.written(form))
            mended = msgspec.structs.replace(form, version=problem.row["version"])
            return await form_page(
                seen, mended, campaign=campaign, status=409, told=True, problem=str(problem), differences=differences
            )
        except Invalid as problem:
            wrong = {_FIELDS.get(problem.field or "", problem.field or "name"): str(problem)}
            return await form_page(seen, form, campaign=campaign, status=422, told=True, wrong=wrong)
        said = f"Saved {form.name}." if campaign else f"{form.name} is a draft. It asks nobody until it is activated."
        return dashboard.to(f"/campaigns/{number}", said)

    async def form_page(
        seen: Visit,
        form: Form,
        *,
        campaign: Campaign | None,
        status: int = 200,
        told: bool = False,
        with_preview: bool = False,
        wrong: dict[str, str] | None = None,
        problem: str | None = None,
        differences: dict[str, list[Any]] | None = None,
    ) -> Response[bytes]:
        """`told`: somebody has written, so what cannot be obeyed is said at its field."""
        saved = await kept_form(app, campaign) if campaign else None
        view = await shown(
            app, seen, form, campaign=campaign, saved=saved, with_preview=with_preview, kept_events=kept_events
        )
        complaints = {**(view.complaints if told else {}), **(wrong or {})}
        if with_preview:  # what is still to be written is no mistake yet
            texts = (("name", form.name), *((key, form[key]) for key in ("event", "list", "audience")))
            to_come = {key for key, text in texts if not text}
            complaints = {key: said for key, said in complaints.items() if key not in to_come}
        return dashboard.page(
            seen,
            "campaign.html",
            here="campaigns",
            status=status,
            campaign=campaign,
            view=view,
            form=form,
            wrong=complaints,
            loaded=with_preview or bool(complaints),
            problem=problem,
            differences=differences,
            may_ask=seen.may("ask"),
            badges=campaign_words.BADGES,
            labels=campaign_words.LABELS,
            recipients=campaign_words.RECIPIENTS,
            who=lambda contact: named(contact).name,
            days=DAYS,
            zones=ZONES,
            path=f"/campaigns/{campaign.id}" if campaign else "/campaigns/new",
            tab="settings",
        )

    return [
        show_campaigns,
        show_new,
        make,
        show_new_preview,
        preview_new,
        show_campaign,
        change,
        show_preview,
        preview_changes,
        send_to_me,
        *campaign_mail.routes(dashboard),
        *campaign_link.routes(dashboard),
        *campaign_results.routes(dashboard),
        *campaign_status.routes(dashboard),
        *campaign_again.routes(dashboard),
        *campaign_dry.routes(dashboard),
        *campaign_versions.routes(dashboard),
    ]
