"""Replays: a window of history goes to a destination once more; how far it is, and how to stop it."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from heard.accounts.member import Action
from heard.errors import Invalid
from heard.operations import kept, replay
from heard.retention import Kind
from heard.routing.destination import Destination
from heard.store import replays
from heard.store.replays import RUNNING, Replay
from heard.web.dashboard.destinations import view
from heard.web.dashboard.destinations.view import mine
from heard.web.dashboard.door import visit
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
SUGGESTED = "24h"  # back from now


def runs(connection: Connection, destination: Destination) -> list[Replay]:
    """The newest first."""
    return replays.newest(connection, destination.workspace, destination.id)


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/destinations/{number:int}/replays", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_replays(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        return await page(request, mine(app, seen, number))

    @get("/destinations/{number:int}/replays/look", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_progress(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """What a page asks every other second while one runs."""
        seen = visit(request)
        destination = mine(app, seen, number)
        found = await app.store.read(lambda connection: runs(connection, destination))
        return view.part(dashboard, seen, "replays_list.html", **told(destination, found, seen))

    @post("/destinations/{number:int}/replays", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def begin(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, fields = visit(request), await request.form()
        destination = mine(app, seen, number)
        since, until = (str(fields.get(name) or "").strip()[:100] for name in ("since", "until"))
        try:
            if not since:
                raise Invalid("since: write from when on.", field="since")
            await replay.begin(
                app,
                destination=destination.name,
                since=since,
                until=until or None,
                workspace_id=seen.workspace.id,
                by=seen.email,
            )
        except Invalid as problem:
            return await page(request, destination, status=422, since=since, until=until, problem=problem)
        return dashboard.to(f"/destinations/{number}/replays", f"The replay to {destination.name} has begun.")

    @post(
        "/destinations/{number:int}/replays/cancel",
        opt={"may": Action.SET_UP},
        include_in_schema=False,
        status_code=200,
    )
    async def cancel(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        mine(app, seen, number)
        here = Narrowed("", {"replay": str((await request.form()).get("replay", ""))}, ("replay",))
        await replay.cancel(app, workspace=seen.workspace.id, id=here.number("replay") or 0, by=seen.email)
        return dashboard.to(f"/destinations/{number}/replays", "It goes no further. What was sent was sent.")

    async def page(
        request: Incoming,
        destination: Destination,
        *,
        status: int = 200,
        since: str = SUGGESTED,
        until: str = "",
        problem: Invalid | None = None,
    ) -> Response[bytes]:
        seen = visit(request)
        found = await app.store.read(lambda connection: runs(connection, destination))
        gone = await kept.gone_before(app, Kind.MESSAGES, None)
        field = (problem.field or "since") if problem else None
        text = str(problem).removeprefix(f"{field}: ") if problem else None
        return view.page(
            dashboard,
            seen,
            "replays.html",
            destination,
            tab="replays",
            status=status,
            since=since,
            until=until,
            gone=gone,
            wrong_at=field,
            wrong=text and text[:1].upper() + text[1:],
            **{
                name: value
                for name, value in told(destination, found, seen).items()
                if name not in ("destination", "may_set_up")
            },
        )

    def told(destination: Destination, found: list[Replay], seen: Any) -> dict[str, Any]:
        return {
            "destination": destination,
            "runs": found,
            "is_running": any(each.state == RUNNING for each in found),
            "csrf_of": seen.form,
            "may_set_up": seen.may("set_up"),
        }

    return [show_replays, show_progress, begin, cancel]
