"""`/settings/workspaces`: the workspaces of this person, and another one."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Request, Response, get, post

from heard.accounts.member import Action
from heard.contacts import address as addresses
from heard.errors import Invalid
from heard.operations import workspaces
from heard.store import sessions
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.shell import Dashboard


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/settings/workspaces", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_workspaces(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await workspaces_page(visit(request))

    @post("/settings/workspaces", opt={"may": Action.WORKSPACES}, include_in_schema=False, status_code=200)
    async def add_workspace(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, name = visit(request), str((await request.form()).get("name", ""))
        try:
            number = await workspaces.add(app, name=name, owner=seen.email)
        except Invalid as problem:
            return await workspaces_page(seen, 422, name=name, wrong=str(problem))
        await app.store.write(partial(sessions.look_at, token=seen.token, workspace=number))
        return dashboard.to("/start", f"{name.strip()} is made, and you are its owner.")

    async def workspaces_page(
        seen: Visit, status: int = 200, *, name: str = "", wrong: str | None = None
    ) -> Response[bytes]:
        theirs = await app.store.read(partial(sessions.memberships, email_key=addresses.key(seen.email)))
        return dashboard.page(
            seen,
            "settings_workspaces.html",
            here="settings",
            tab="workspaces",
            status=status,
            places=[(dashboard.workspace(each.workspace), each) for each in theirs],
            name=name,
            wrong=wrong,
        )

    return [show_workspaces, add_workspace]
