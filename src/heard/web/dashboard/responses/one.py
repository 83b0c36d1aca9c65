"""`/responses/{id}`: one answer, why it counts or not, and everything that was opened before it."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.errors import Invalid, NotFound
from heard.operations import responses as operations
from heard.operations.responses import Whole
from heard.responses.clicks import Link
from heard.responses.response import Verdict
from heard.store.story import AnswerRevision, Opened
from heard.web.dashboard.door import visit
from heard.web.dashboard.named import named
from heard.web.dashboard.shell import Dashboard

HEADINGS = {
    Verdict.HUMAN: ("It counts", "A person", "good", "check"),
    Verdict.PROVISIONAL: ("It does not count", "Not confirmed", "warn", "clock"),
    Verdict.BOT: ("It does not count", "Machine", "off", "no"),
    Verdict.TEST: ("It does not count", "Test", "off", "info"),
}
LINKS = {Link.HIDDEN: "the hidden link", Link.LEAVE: "the link to stop surveys", Link.SURVEY: "the survey’s page"}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One click, as it is shown."""

    click: Opened
    link: str
    how: str


class Version(msgspec.Struct, frozen=True, kw_only=True):
    said: AnswerRevision
    value: object
    words: str


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/responses/{response_id:str}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_response(request: Request[Any, Any, Any], response_id: FromPath[str]) -> Response[bytes]:
        seen = visit(request)
        found = await operations.whole(app, workspace_id=seen.workspace.id, response=_id(response_id))
        answer = found.response
        return dashboard.page(
            seen,
            "response.html",
            here="responses",
            found=found,
            answer=answer,
            person=named(found.contact) if found.contact else None,
            heading=HEADINGS[answer.verdict],
            why=_why(found),
            lines=[_line(each) for each in found.clicks],
            versions=[_version(each) for each in found.versions],
            survey=app.directory.surveys[answer.survey].name,
            campaign=app.directory.campaigns[answer.campaign],
        )

    @post("/responses/{response_id:str}/verdict", opt={"may": Action.ASK}, include_in_schema=False)
    async def judge_response(request: Request[Any, Any, Any], response_id: FromPath[str]) -> Response[bytes]:
        seen, form = visit(request), await request.form()
        number = _id(response_id)
        await operations.whole(app, workspace_id=seen.workspace.id, response=number)  # whose it is comes first
        wanted = str(form.get("verdict", ""))
        if wanted not in tuple(Verdict):
            raise Invalid("Choose human or bot.", field="verdict")
        verdict = Verdict(wanted)
        changed = await operations.judge(
            app, workspace_id=seen.workspace.id, response=number, verdict=verdict, by=seen.email
        )
        said = "It counts now." if verdict is Verdict.HUMAN else "It does not count any more."
        return dashboard.to(f"/responses/{number}", said if changed else "Nothing was different.")

    return [show_response, judge_response]


def _why(found: Whole) -> list[str]:
    """The verdict's reasons, each a sentence."""
    answer = found.response
    if answer.judged_by is not None:
        who = "a person" if answer.verdict is Verdict.HUMAN else "a machine"
        return [f"{answer.judged_by} said that it was {who}."]
    if answer.evidence:
        return [each.said for each in answer.evidence]
    match answer.verdict:
        case Verdict.HUMAN:
            return ["A person sent the form."]
        case Verdict.TEST:
            return ["Your workspace leaves this person’s answers out of its scores."]
        case _:
            return ["A number was tapped in the mail, and nobody has sent the form. Nothing speaks for a machine."]


def _line(click: Opened) -> Line:
    how = "opened (GET)" if click.method == "GET" else f"looked up ({click.method})"
    return Line(click=click, link=LINKS.get(click.link) or f"score {click.value}", how=how)


def _version(said: AnswerRevision) -> Version:
    value = next((each.value for each in said.answers if each.question_id == "score"), None)
    by = f", said {said.by}" if said.by else ""
    return Version(said=said, value=value, words=HEADINGS[said.verdict][1].lower() + by)


def _id(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) <= 18):
        raise NotFound("There is no such answer in this workspace.")
    return int(written)
