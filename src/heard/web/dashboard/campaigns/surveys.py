"""`/surveys`: what can be asked. When, and of whom, is the business of campaigns."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard import durations
from heard.accounts.member import Action
from heard.campaigns import suggestions
from heard.errors import Invalid
from heard.operations import surveys_edit
from heard.operations.surveys_edit import SurveyChangedMeanwhile
from heard.routing.destination import SURVEYS
from heard.surveys.kinds import KINDS
from heard.surveys.locales import LOCALES
from heard.surveys.send_back import FIELDS, Moment
from heard.surveys.survey import Survey
from heard.surveys.wording import worded
from heard.web.dashboard.campaigns import form as campaign_form
from heard.web.dashboard.campaigns import send_back
from heard.web.dashboard.campaigns import words as campaign_words
from heard.web.dashboard.campaigns.view import survey_mine, surveys_of
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]


class Form(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    kind: str = next(iter(KINDS))
    quiet_period: str = ""
    languages: tuple[str, ...] = ("en",)  # the first one is that of whoever has none of them
    back: send_back.Form = send_back.Form()
    version: int = 0


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/surveys", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_surveys(request: Incoming) -> Response[bytes]:
        seen = visit(request)
        asked = app.directory.campaigns_of(seen.workspace.id)
        return dashboard.page(
            seen,
            "surveys.html",
            here="surveys",
            surveys=[
                (each, KINDS[each.kind], [campaign for campaign in asked if campaign.survey == each.id])
                for each in surveys_of(app, seen.workspace.id)
            ],
            badges=campaign_words.BADGES,
        )

    @get("/surveys/new", opt={"may": Action.ASK}, include_in_schema=False)
    async def show_new(request: Incoming) -> Response[bytes]:
        return page(visit(request), Form(), None)

    @post("/surveys/new", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def make(request: Incoming) -> Response[bytes]:
        return await save(request, None)

    @get("/surveys/{number:int}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_survey(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        survey = survey_mine(app, visit(request), number)
        quiet = durations.write(survey.quiet_period) if survey.quiet_period else ""
        names = {each.id: each.name for each in app.directory.destinations_of(survey.workspace)}
        back = send_back.of_survey(survey.send_back, names)
        form = Form(
            name=survey.name,
            kind=survey.kind,
            quiet_period=quiet,
            languages=survey.languages,
            back=back,
            version=survey.version,
        )
        return page(visit(request), form, survey)

    @post("/surveys/{number:int}", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def change(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        return await save(request, survey_mine(app, visit(request), number))

    async def save(request: Incoming, survey: Survey | None) -> Response[bytes]:
        seen, form = visit(request), _form(await request.form())
        if survey and set(survey.languages) == set(form.languages) and survey.languages[0] == form.languages[0]:
            form = msgspec.structs.replace(form, languages=survey.languages)  # in the order of the file
        written: dict[str, Any] = {"name": form.name, "kind": form.kind, "languages": list(form.languages)}
        if form.quiet_period:
            written["quiet_period"] = form.quiet_period
        try:
            if (back := send_back.written(form.back)) is not None:
                written["send_back"] = back
            number = await surveys_edit.keep(
                app,
                workspace=seen.workspace.id,
                by=seen.email,
                line=surveys_edit.read(written),
                number=survey.id if survey else None,
                version=form.version,
            )
        except Invalid as problem:
            return page(seen, form, survey, status=422, field=problem.field or "name", wrong=str(problem))
        except SurveyChangedMeanwhile as problem:
            mended = msgspec.structs.replace(form, version=problem.version)
            return page(seen, mended, survey, status=409, problem=str(problem))
        return dashboard.to(f"/surveys/{number}", f"Saved {form.name}.")

    def page(
        seen: Visit,
        form: Form,
        survey: Survey | None,
        *,
        status: int = 200,
        field: str | None = None,
        wrong: str | None = None,
        problem: str | None = None,
    ) -> Response[bytes]:
        brand = seen.workspace.brand.name
        campaigns = app.directory.campaigns_of(seen.workspace.id)
        return dashboard.page(
            seen,
            "survey.html",
            here="surveys",
            status=status,
            survey=survey,
            form=form,
            kinds=[(kind, worded(kind.name, brand=brand)) for kind in KINDS.values()],
            languages=sorted(LOCALES.values(), key=lambda each: each.english),
            read_by_somebody=[each.english for each in LOCALES.values() if each.reviewed],
            asks=[
                (LOCALES[code], worded(form.kind, brand=brand, language=code))
                for code in form.languages
                if code in LOCALES and form.kind in KINDS
            ],
            campaigns=[each for each in campaigns if survey and each.survey == survey.id],
            badges=campaign_words.BADGES,
            may_ask=seen.may("ask"),
            field=field,
            wrong=wrong,
            fix=suggestions.length(form.quiet_period) if field == "quiet_period" else None,
            problem=problem,
            outside=[each.name for each in app.directory.destinations_of(seen.workspace.id) if each.type != SURVEYS],
            moments=[(each.value, send_back.EXPLAINED[each], send_back.USUAL[each]) for each in Moment],
            back_fields=FIELDS,
        )

    return [show_surveys, show_new, make, show_survey, change]


def _form(fields: Any) -> Form:
    def text(name: str) -> str:
        return str(fields.get(name) or "").strip()[:1000]

    used = text("use")
    first = text("language") or "en"
    also = {str(code) for code in fields.getall("also", [])}
    return Form(
        name=text("name"),
        kind=text("kind") or next(iter(KINDS)),
        quiet_period=used or text("quiet_period"),
        languages=(first, *sorted(also - {first})),
        back=send_back.of_fields(fields),
        version=campaign_form.number(text("version")) or 0,
    )
