"""`/lists`: who is on them, and a table of people to put there, of which nothing is kept while a row is wrong."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.campaigns.campaign import Recipients
from heard.contacts import written
from heard.contacts.written import Fault
from heard.errors import HeardError, Invalid, NotFound
from heard.operations import lists
from heard.operations.lists import Added
from heard.web.dashboard.campaigns.form import number as number_in
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.named import named
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
SHOWN = 100  # members on a page
MOST_FAULTS = 20  # that are listed
LARGEST = 50 * 1024 * 1024  # octets of a table


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/lists", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_lists(request: Incoming) -> Response[bytes]:
        return await index(visit(request))

    @post("/lists", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def make_list(request: Incoming) -> Response[bytes]:
        seen, name = visit(request), str((await request.form()).get("name", ""))
        try:
            made = await lists.make(app, seen.workspace.id, name=name, by=seen.email)
        except Invalid as problem:
            return await index(seen, status=422, name=name, wrong=str(problem))
        return dashboard.to(f"/lists/{made}")

    @get("/lists/{number:int}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_list(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        return await one(visit(request), number, after=number_in(request.query_params.get("after", "")) or 0)

    @post(
        "/lists/{number:int}",
        opt={"may": Action.ASK},
        include_in_schema=False,
        status_code=200,
        request_max_body_size=LARGEST,
    )
    async def add_people(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, form = visit(request), await request.form()
        found = await lists.one(app, seen.workspace.id, number)
        text = str(form.get("people", ""))
        try:
            people, faults = written.read(await _given(form.get("file")) or text)
        except Invalid as problem:
            return await one(seen, number, status=422, text=text, wrong=str(problem))
        if faults:
            return await one(seen, number, status=422, text=text, faults=faults)
        added = await lists.add(app, seen.workspace.id, name=found.name, people=people, by=seen.email)
        return dashboard.to(f"/lists/{number}", _said(added))

    @post("/lists/{number:int}/take-off", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def take_off(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, contact = visit(request), number_in(str((await request.form()).get("contact", "")))
        await lists.one(app, seen.workspace.id, number)
        if contact is None:
            raise NotFound("There is no such contact in this workspace.")
        await lists.take_off(app, seen.workspace.id, number=number, contact=contact)
        return dashboard.to(f"/lists/{number}", "Taken off the list. The contact stays.")

    @post("/lists/{number:int}/remove", opt={"may": Action.ASK}, include_in_schema=False, status_code=200)
    async def remove_list(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        try:
            name = await lists.remove(app, seen.workspace.id, number=number, by=seen.email)
        except NotFound:
            raise
        except HeardError as problem:
            return dashboard.to(f"/lists/{number}", str(problem))
        return dashboard.to("/lists", f"{name} is removed. Its contacts stay.")

    async def index(seen: Visit, *, status: int = 200, name: str = "", wrong: str | None = None) -> Response[bytes]:
        every = await lists.every(app, seen.workspace.id)
        return dashboard.page(
            seen,
            "lists/list.html",
            here="contacts",
            status=status,
            lists=[(each, *_used(seen, each.name)) for each in every],
            name=name,
            wrong=wrong,
            may_ask=seen.may("ask"),
        )

    async def one(
        seen: Visit,
        number: int,
        *,
        status: int = 200,
        after: int = 0,
        text: str = "",
        wrong: str | None = None,
        faults: list[Fault] | None = None,
    ) -> Response[bytes]:
        found = await lists.one(app, seen.workspace.id, number)
        people = await lists.members(app, seen.workspace.id, number, after=after, limit=SHOWN)
        asking, filling = _used(seen, found.name)
        return dashboard.page(
            seen,
            "lists/one.html",
            here="contacts",
            status=status,
            each=found,
            people=[named(each) for each in people],
            further=people[-1].id if len(people) == SHOWN else None,
            after=after,
            asking=asking,
            filling=filling,
            text=text,
            wrong=wrong,
            faults=(faults or [])[:MOST_FAULTS],
            more_faults=max(0, len(faults or ()) - MOST_FAULTS),
            may_ask=seen.may("ask"),
        )

    def _used(seen: Visit, name: str) -> tuple[list[Any], list[Any]]:
        """The campaigns that ask a list, and those that put people there."""
        ours = [each for each in app.directory.campaigns_of(seen.workspace.id) if each.list == name]
        asking = [each for each in ours if each.recipients is Recipients.LIST]
        return asking, [each for each in ours if each.recipients is not Recipients.LIST]

    return [show_lists, make_list, show_list, add_people, take_off, remove_list]


async def _given(upload: object) -> str:
    """The text of an uploaded file; "" without one."""
    if not isinstance(upload, UploadFile):
        return ""
    content = await upload.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")  # what spreadsheets on Windows write


def _said(added: Added) -> str:
    people = f"{added.named:,} contact{'' if added.named == 1 else 's'}"
    said = f"{people} on the list: {added.made:,} new, {added.known:,} known before."
    return f"{said} {added.suppressed:,} left out by a privacy request." if added.suppressed else said
