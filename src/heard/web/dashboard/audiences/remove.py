"""`/audiences/{id}/remove`: what goes by an audience or trait is said first, and keeps it where it is."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.errors import HeardError, NotFound
from heard.operations import audiences_edit, audiences_seen
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/audiences/{number:int}/remove", opt={"may": Action.SEE}, include_in_schema=False)
    async def ask_first(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        return await page(visit(request), number)

    @post("/audiences/{number:int}/remove", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def remove(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        try:
            name = await audiences_edit.remove(app, workspace=seen.workspace.id, number=number, by=seen.email)
        except NotFound:
            raise
        except HeardError:  # the page says what goes by it
            return await page(seen, number, status=409)
        return dashboard.to("/audiences", f"{name} is removed.")

    async def page(seen: Visit, number: int, *, status: int = 200) -> Response[bytes]:
        whole = await audiences_seen.one(app, seen.workspace.id, number)
        asking = await app.store.read(
            lambda connection: audiences_edit.asking_by(connection, seen.workspace.id, number)
        )
        return dashboard.page(
            seen,
            "audiences/remove.html",
            here="audiences",
            status=status,
            each=whole.seen,
            asking=asking,
            may_set_up=seen.may("set_up"),
        )

    return [ask_first, remove]
