"""`/responses`: the answer inbox. What people said, narrowed by anything known of them, and as a file to take along."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.response import Stream

from heard.accounts.member import Action
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.errors import Invalid
from heard.installation import Installation
from heard.responses.response import Response as Answer
from heard.responses.response import Verdict
from heard.store import contacts, responses
from heard.store.analytics import Page
from heard.store.directory import Directory
from heard.web.dashboard.deliveries import campaign_meant
from heard.web.dashboard.door import visit
from heard.web.dashboard.named import Named, named
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.responses import one
from heard.web.dashboard.responses.file import as_csv
from heard.web.dashboard.shell import HEADERS, Dashboard

NAMES = ("survey", "campaign", "category", "value", "comment", "verdict", "user_id", "from", "to", "where", "cursor")
A_PAGE = 50
CLASSES = {"promoter": "Promoters", "passive": "Passives", "detractor": "Detractors"}
COMMENT = {"with": "with a comment", "without": "without a comment"}
VERDICTS = {
    Verdict.PROVISIONAL: ("Not confirmed", "warn", "clock", "A link was opened, the button not pressed; not counted"),
    Verdict.BOT: ("Machine", "off", "no", "A program opened the link; not counted"),
    Verdict.TEST: ("Test", "off", "info", "By one of your own people; not counted"),
}
_MOMENT = re.compile(r"^(\d{4}-\d\d-\d\d)T\d\d:\d\d\S*$")  # of which the day is enough here
MOST_TRAITS = 4
LAST = ("country", "locale", "timezone", "createdAt", "created_at")  # they tell least of what somebody wrote
TOLD_ELSEWHERE = frozenset(
    {"email", "name", "firstName", "first_name", "firstname", "lastName", "last_name", "lastname", "phone", "avatar"}
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    answer: Answer
    contact: Named | None
    survey: str
    campaign: str
    traits: list[tuple[str, str]]  # as they were at the answer
    badge: tuple[str, str, str, str] | None  # word, kind, sign, what it means


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/responses", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_responses(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, here = visit(request), Narrowed("/responses", request.query_params, NAMES)
        if here.has_blanks:
            return dashboard.to(here.without_blanks)
        workspace, directory = seen.workspace.id, app.directory
        wrong: Invalid | None = None
        rows, further = [], None
        try:
            page = await _found(app, workspace, here, limit=A_PAGE)
            rows, further = await _rows(app, workspace, page), page.next
        except Invalid as problem:
            if problem.field not in ("where", "from", "to"):
                raise
            wrong = problem
        surveys = [each.name for each in directory.surveys.values() if each.workspace == workspace]
        return dashboard.page(
            seen,
            "responses.html",
            here="responses",
            status=400 if wrong else 200,
            at=here,
            rows=rows,
            further=further,
            first_page=here.get("cursor") is None,
            wrong=wrong,
            category=here.get("category"),
            classes=[(None, "All"), *CLASSES.items()],
            chips=_chips(here, directory, workspace),
            surveys=[(each, each) for each in surveys],
            campaigns=[(each.id, each.name) for each in directory.campaigns_of(workspace)],
            values=[(each, each) for each in range(11)],
            comments=list(COMMENT.items()),
            verdicts=[
                ("all", "All, with those not counted"),
                *((each.value, told[0]) for each, told in VERDICTS.items()),
            ],
        )

    @get("/responses.csv", opt={"may": Action.SEE}, include_in_schema=False)
    async def export_responses(request: Request[Any, Any, Any]) -> Stream:
        """Exactly the answers of this filter, all of them."""
        seen, here = visit(request), Narrowed("/responses", request.query_params, NAMES[:-1])
        workspace = seen.workspace.id
        find = partial(_found, app, workspace, here)
        first = await find(limit=1)  # what cannot be asked is told before anything is sent
        return Stream(
            as_csv(app, workspace, find, empty=not first.ids),
            media_type="text/csv; charset=utf-8",
            headers={
                **HEADERS,
                "Content-Disposition": f'attachment; filename="responses-{app.clock.now():%Y-%m-%d}.csv"',
            },
        )

    return [show_responses, export_responses, *one.routes(dashboard)]


async def _found(app: Installation, workspace: int, here: Narrowed, *, limit: int, cursor: str | None = None) -> Page:
    """The ids of the answers that are meant.

    Raises:
        Invalid: with the `field` that cannot be used.
    """
    directory = app.directory
    if survey := here.get("survey"):
        directory.survey(workspace, survey)
    campaign = campaign_meant(here, directory, workspace)
    comment, verdict = here.one_of("comment", tuple(COMMENT)), here.one_of("verdict", ("all", *Verdict))
    find = partial(
        (await app.answers()).matching,
        workspace,
        survey=survey,
        user_id=here.get("user_id"),
        from_=here.get("from"),
        to=here.get("to"),
        where=here.get("where"),
        campaign=campaign.name if campaign else None,
        category=here.one_of("category", tuple(CLASSES)),
        value=here.number("value"),
        commented=None if comment is None else comment == "with",
        verdicts=() if verdict == "all" else (verdict or Verdict.HUMAN.value,),
        cursor=cursor or here.get("cursor"),
        limit=limit,
    )
    return await asyncio.to_thread(find)


async def _rows(app: Installation, workspace: int, page: Page) -> list[Row]:
    def look(connection: Any) -> tuple[list[Answer], dict[int, Contact]]:
        found = responses.by_ids(connection, workspace, page.ids)
        return found, contacts.by_id(connection, workspace, {each.contact for each in found})

    found, people = await app.store.read(look)
    return [_row(each, people.get(each.contact), app.directory) for each in found]


def _row(answer: Answer, contact: Contact | None, directory: Directory) -> Row:
    known = named(contact) if contact else None
    return Row(
        answer=answer,
        contact=known,
        survey=directory.surveys[answer.survey].name,
        campaign=directory.campaigns[answer.campaign].name,
        traits=_shown(answer.traits, known.company if known else None),
        badge=VERDICTS.get(answer.verdict),
    )


def _shown(frozen: bytes, company: str | None) -> list[tuple[str, str]]:
    """The first few traits that are a word or a number: ("plan", "Premium"); the company stands beside the name."""
    found = [
        (name, str(value).lower() if isinstance(value, bool) else _MOMENT.sub(r"\1", f"{value}")[:60])
        for name, value in traits.decode(frozen).items()
        if name not in TOLD_ELSEWHERE
        and value != company
        and isinstance(value, str | int | float)
        and value != ""
        and len(str(value)) < 200
    ]
    found.sort(key=lambda each: LAST.index(each[0]) + 1 if each[0] in LAST else 0)
    return found[:MOST_TRAITS]


def _chips(here: Narrowed, directory: Directory, workspace: int) -> list[Any]:
    campaign = campaign_meant(here, directory, workspace)
    verdict, comment, category = here.get("verdict"), here.get("comment"), here.get("category")
    told = {each.value: words[0].lower() for each, words in VERDICTS.items()}
    return here.chips(
        here.chip("survey", "survey is"),
        here.chip("campaign", "campaign is", campaign.name) if campaign else None,
        here.chip("category", "class is", category),
        here.chip("value", "answer is"),
        here.chip("comment", "answers", COMMENT.get(comment)) if comment else None,
        here.chip("verdict", "shown are", told.get(verdict, "all, with those not counted")) if verdict else None,
        here.chip("user_id", "user is"),
        here.chip("where", "where"),
    )
