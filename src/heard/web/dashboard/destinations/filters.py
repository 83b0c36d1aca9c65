"""`/destinations/{id}/filters`: what is dropped, sampled or shaped on its way, and what that does to real messages."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from heard.accounts.member import Action
from heard.errors import Invalid
from heard.operations import destinations
from heard.routing.destination import Destination, Filter
from heard.routing.lines import read_filter, written
from heard.web.dashboard.destinations import filter_form, filter_preview, view
from heard.web.dashboard.destinations.filter_form import Draft, Wrong
from heard.web.dashboard.destinations.view import mine
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
CHANGED = "Somebody changed the filters meanwhile. Nothing is saved; here they are as they are now."


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/destinations/{number:int}/filters", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_filters(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        destination = mine(app, seen, number)
        place = Narrowed("", request.query_params, ("edit",)).number("edit")
        draft = filter_form.draft_of(destination.filters, place) if seen.may("set_up") else Draft()
        return await page(seen, destination, draft)

    @post("/destinations/{number:int}/filters", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def keep(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, fields = visit(request), await request.form()
        destination = mine(app, seen, number)
        draft = filter_form.read(fields)
        if str(fields.get("as_of")) != stamp(destination):
            return await page(seen, destination, draft, status=409, problem=CHANGED)
        try:
            made = read_filter(filter_form.line(draft), "filter")
            lines = list(destination.filters)
            if draft.place is not None and draft.place < len(lines):
                lines[draft.place] = made
            else:
                lines.append(made)
            await save(seen, destination, lines)
        except Invalid as problem:
            return await page(seen, destination, draft, status=422, wrong=filter_form.wrong(problem))
        said = "The filter is changed." if draft.place is not None else "The filter is added."
        return dashboard.to(f"/destinations/{number}/filters", f"{said} It acts on what comes from now on.")

    @post(
        "/destinations/{number:int}/filters/preview",
        opt={"may": Action.SET_UP},
        include_in_schema=False,
        status_code=200,
    )
    async def show_preview(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """What the form would do, before it is saved; asked while somebody writes, or by a button."""
        seen, fields = visit(request), await request.form()
        return await page(seen, mine(app, seen, number), filter_form.read(fields), looking=True)

    @post(
        ["/destinations/{number:int}/filters/remove", "/destinations/{number:int}/filters/move"],
        opt={"may": Action.SET_UP},
        include_in_schema=False,
        status_code=200,
    )
    async def rearrange(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """Take one away, or let it act one place earlier."""
        seen, fields = visit(request), await request.form()
        destination = mine(app, seen, number)
        lines, place = list(destination.filters), filter_form.place_in(fields)
        if str(fields.get("as_of")) != stamp(destination) or place is None or place >= len(lines):
            return await page(seen, destination, Draft(), status=409, problem=CHANGED)
        moved = lines.pop(place)
        if request.scope["path"].endswith("/move"):
            lines.insert(max(0, place - 1), moved)
        await save(seen, destination, lines)
        said = "Moved." if len(lines) == len(destination.filters) else "The filter is removed."
        return dashboard.to(f"/destinations/{number}/filters", said)

    async def save(seen: Visit, destination: Destination, lines: list[Filter]) -> None:
        await destinations.save(
            app,
            workspace=seen.workspace.id,
            number=destination.id,
            written={"filters": [written(each) for each in lines]},
            by=seen.email,
        )

    async def page(
        seen: Visit,
        destination: Destination,
        draft: Draft,
        *,
        status: int = 200,
        looking: bool = False,
        wrong: Wrong | None = None,
        problem: str | None = None,
    ) -> Response[bytes]:
        """`looking`: the form is shown for its preview; what is not written yet is no mistake then."""
        made: Filter | None = None
        if draft.condition:
            try:
                made = read_filter(filter_form.line(draft), "filter")
            except Invalid as error:
                found = filter_form.wrong(error)
                wrong = wrong or (found if looking and (found.at == "condition" or draft.is_begun) else None)
        number = draft.place if draft.place is not None else len(destination.filters)
        lines = [*destination.filters[:number], made, *destination.filters[number + 1 :]] if made else None

        def look(connection: Connection) -> filter_preview.Preview:
            kept = view.newest(connection, destination, limit=filter_preview.MOST)
            return filter_preview.look(kept, lines or list(destination.filters), destination)

        preview = await app.store.read(look) if made or destination.filters else None
        return view.page(
            dashboard,
            seen,
            "filters.html",
            destination,
            tab="filters",
            status=status,
            lines=[filter_form.said(each) for each in destination.filters],
            draft=draft,
            actions=filter_form.ACTIONS_SAID,
            wrong=wrong,
            problem=problem,
            preview=preview,
            of_draft=made is not None,
            stamp=stamp(destination),
        )

    return [show_filters, keep, show_preview, rearrange]


def stamp(destination: Destination) -> str:
    """By which a form knows that the filters are those it was made from."""
    return sha256(msgspec.json.encode(destination.filters)).hexdigest()[:16]
