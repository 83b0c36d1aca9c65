"""What members do for themselves: sign out, look at another workspace, light or dark, a new password."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post

from heard.accounts.member import Action
from heard.contacts import address as addresses
from heard.errors import Invalid, NotFound
from heard.operations import members
from heard.store import accounts, sessions
from heard.web.dashboard.door import COOKIE, THEME, cookie, visit
from heard.web.dashboard.shell import Dashboard
from heard.web.dashboard.sign_in import LONGEST_PASSWORD
from heard.web.dashboard.tries import TooSoon, Tries

A_YEAR = 365 * 24 * 3600


def routes(dashboard: Dashboard, tries: Tries) -> list[Any]:
    app = dashboard.app

    @post("/sign-out", opt={"may": Action.SEE, "anywhere": True}, include_in_schema=False)
    async def sign_out(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen = visit(request)
        await app.store.write(lambda connection: sessions.end(connection, seen.token))
        answer = dashboard.to("/sign-in")
        answer.cookies.append(cookie(app, COOKIE, "", seconds=0))
        return answer

    @post("/workspace", opt={"may": Action.SEE, "anywhere": True}, include_in_schema=False)
    async def look_at(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, wanted = visit(request), str((await request.form()).get("workspace", ""))
        chosen = next((each for each in seen.workspaces if each.slug == wanted), None)
        if chosen is None:
            raise NotFound("You are a member of no such workspace.")
        await app.store.write(lambda connection: sessions.look_at(connection, seen.token, chosen.id))
        return dashboard.to("/")

    @post("/theme", opt={"may": Action.SEE, "anywhere": True}, include_in_schema=False)
    async def change_theme(request: Request[Any, Any, Any]) -> Response[bytes]:
        form = await request.form()
        answer = dashboard.to("/account")
        answer.cookies.append(cookie(app, THEME, str(form.get("theme", ""))[:8], seconds=A_YEAR))
        return answer

    @get("/account", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_account(request: Request[Any, Any, Any]) -> Response[bytes]:
        return account_page(request)

    @post("/account", opt={"may": Action.SEE, "anywhere": True}, include_in_schema=False, status_code=200)
    async def change_password(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, form = visit(request), await request.form()
        old, new = (str(form.get(name, ""))[:LONGEST_PASSWORD] for name in ("old", "new"))
        try:
            found = await app.store.read(lambda connection: accounts.passwords_of(connection, seen.email))
            client = request.headers.get("x-heard-client", "")
            if not await tries.check(addresses.key(seen.email), client, old, [hashed for _, hashed in found]):
                raise Invalid("That is not the password you signed in with.", field="old")
            await members.change_password(app, email=seen.email, password=new, token=seen.token)
        except (Invalid, TooSoon) as problem:
            return account_page(request, 422, field=getattr(problem, "field", None) or "old", wrong=str(problem))
        return dashboard.to("/account", "Password changed. Everybody signed in with the old one no longer is.")

    def account_page(
        request: Request[Any, Any, Any], status: int = 200, *, field: str | None = None, wrong: str | None = None
    ) -> Response[bytes]:
        return dashboard.page(visit(request), "account.html", here="account", status=status, field=field, wrong=wrong)

    return [sign_out, look_at, change_theme, show_account, change_password]
