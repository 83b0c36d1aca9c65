"""`/settings/keys`: the secret keys of programs. A key is on the page that answers its making, and never again."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.keys import Scope
from heard.accounts.member import Action
from heard.errors import Invalid, NotFound
from heard.operations import keys
from heard.store import accounts
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.shell import Dashboard


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/settings/keys", opt={"may": Action.KEYS}, include_in_schema=False)
    async def show_keys(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await keys_page(visit(request))

    @post("/settings/keys", opt={"may": Action.KEYS}, include_in_schema=False, status_code=200)
    async def add_key(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, form = visit(request), await request.form()
        name, scope = str(form.get("name", "")), str(form.get("scope", ""))
        try:
            made = await keys.keys_add(app, name=name, scope=scope, workspace_id=seen.workspace.id, by=seen.email)
        except Invalid as problem:
            return await keys_page(seen, 422, name=name, scope=scope, field=problem.field, wrong=str(problem))
        return await keys_page(seen, made=made)

    @post("/settings/keys/{number:int}/rotate", opt={"may": Action.KEYS}, include_in_schema=False, status_code=200)
    async def rotate_key(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        name = await name_of(seen, number)
        made = await keys.keys_rotate(app, name=name, workspace_id=seen.workspace.id, by=seen.email)
        answer = await keys_page(seen, made=made)
        answer.headers["HX-Replace-Url"] = f"{dashboard.base}/settings/keys"  # loading it again must not rotate again
        return answer

    @post("/settings/keys/{number:int}/revoke", opt={"may": Action.KEYS}, include_in_schema=False, status_code=200)
    async def revoke_key(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        name = await name_of(seen, number)
        await keys.keys_revoke(app, name=name, workspace_id=seen.workspace.id, by=seen.email)
        return dashboard.to("/settings/keys", f"{name} no longer works.")

    async def name_of(seen: Visit, number: int) -> str:
        """Of a working key of this workspace; among the working ones a name is told once."""
        known = await app.store.read(partial(accounts.keys_of, workspace=seen.workspace.id))
        for key in known:
            if key.id == number and key.revoked_at is None:
                return key.name
        raise NotFound("There is no such key, or it works no longer.")

    async def keys_page(
        seen: Visit,
        status: int = 200,
        *,
        made: dict[str, Any] | None = None,
        name: str = "",
        scope: str = Scope.FULL.value,
        field: str | None = None,
        wrong: str | None = None,
    ) -> Response[bytes]:
        known = await app.store.read(partial(accounts.keys_of, workspace=seen.workspace.id))
        return dashboard.page(
            seen,
            "settings_keys.html",
            here="settings",
            tab="keys",
            status=status,
            working=[each for each in known if each.revoked_at is None],
            revoked=[each for each in reversed(known) if each.revoked_at is not None],
            made=made,
            name=name,
            scope=scope,
            field=field,
            wrong=wrong,
        )

    return [show_keys, add_key, rotate_key, revoke_key]
