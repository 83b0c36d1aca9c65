"""`/sources/{id}/schema`: what a source sends, event by event and field by field, and where each event goes."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.errors import NotFound
from heard.operations import destinations, schema_seen
from heard.operations.schema_seen import One
from heard.routing import switches
from heard.store.seen import MOST_EVENTS
from heard.web.dashboard.destinations.view import mine as my_destination
from heard.web.dashboard.door import visit
from heard.web.dashboard.shell import Dashboard
from heard.web.dashboard.sources import view
from heard.web.dashboard.sources.view import mine
from heard.web.dashboard.sources.words import address, called

Incoming = Request[Any, Any, Any]
SHOWN = 200
TYPES = ("track", "identify", "page", "screen", "group", "alias")


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/sources/{number:int}/schema", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_schema(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        source = mine(app, seen, number)
        rows = await schema_seen.every(app, workspace=seen.workspace.id, source=source.id)
        search, kind = request.query_params.get("q", "").strip(), request.query_params.get("type", "")
        found = [
            row
            for row in rows
            if search.casefold() in called(row.event.key).casefold() and kind in ("", row.event.key.type)
        ]
        return view.page(
            dashboard,
            seen,
            "schema.html",
            source,
            tab="schema",
            rows=[(row, called(row.event.key), address(source.id, row.event.key)) for row in found[:SHOWN]],
            total=len(rows),
            left_out=len(found) - len(found[:SHOWN]),
            is_full=len(rows) >= MOST_EVENTS,
            search=search,
            kind=kind,
            kinds=[each for each in TYPES if any(row.event.key.type == each for row in rows)],
        )

    @get("/sources/{number:int}/schema/event", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_event(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        source = mine(app, seen, number)
        kind, name = request.query_params.get("type", ""), request.query_params.get("name", "")
        if not kind:
            return dashboard.to(f"/sources/{source.id}/schema")
        if kind not in TYPES:
            raise NotFound("No such event came from this source.")
        one = await schema_seen.one(app, workspace=seen.workspace.id, source=source.id, type=kind, name=name)
        return view.page(
            dashboard,
            seen,
            "event.html",
            source,
            tab="schema",
            one=one,
            name=called(one.row.event.key),
            sample=_sample(one),
        )

    @post("/sources/{number:int}/schema/switch", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def switch(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """Which destinations get an event from this source; of others it says nothing."""
        seen, fields = visit(request), await request.form()
        source, event = mine(app, seen, number), str(fields.get("event") or "")
        here = f"/sources/{source.id}/schema"
        listed, on = ([str(each) for each in fields.getall(name, [])] for name in ("listed", "on"))
        changed = 0
        for each in dict.fromkeys(listed):
            destination = my_destination(app, seen, int(each) if each.isdecimal() else 0)
            if not event or switches.is_on(destination.switches, event, source.id) == (each in on):
                continue
            wanted = switches.with_own(destination.switches, event, source.id, each in on)
            await destinations.switch(app, destination, wanted, by=seen.email)
            changed += 1
        said = "Nothing was changed." if not changed else "Saved. It holds for what comes from now on."
        return dashboard.to(here if not event else address(source.id, schema_seen.Key(source.id, "track", event)), said)

    return [show_schema, show_event, switch]


def _sample(one: One) -> str | None:
    """The newest message, as it is kept, in lines."""
    if one.newest is None:
        return None
    return msgspec.json.format(one.newest.body, indent=2).decode()
