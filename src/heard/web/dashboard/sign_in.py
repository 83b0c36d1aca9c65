"""`/sign-in`, `/sign-out`, `/join/{token}`: how somebody becomes a visitor."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from heard.contacts import address as addresses
from heard.errors import Invalid, NotFound
from heard.operations import members
from heard.store import accounts, sessions
from heard.web.dashboard.door import COOKIE, cookie, theme
from heard.web.dashboard.shell import Dashboard
from heard.web.dashboard.tries import TooSoon, Tries

LONGEST_PASSWORD = 1000
WRONG = "Check the e-mail address and the password; together they open nothing."


def routes(dashboard: Dashboard, tries: Tries) -> list[Any]:
    app = dashboard.app

    async def begin(request: Request[Any, Any, Any], email: str, workspace: int, path: str) -> Response[bytes]:
        """Signed in, and on to `path`. The token is new, so one that somebody planted before is worth nothing."""
        token = secrets.token_urlsafe(32)
        agent, now = request.headers.get("user-agent", ""), app.clock.now()
        await app.store.write(
            lambda connection: sessions.begin(connection, token, email, workspace, agent=agent, now=now)
        )
        answer = dashboard.to(path)
        answer.cookies.append(cookie(app, COOKIE, token, seconds=int(sessions.LONGEST / timedelta(seconds=1))))
        return answer

    @get("/sign-in", include_in_schema=False)
    async def show_sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
        return dashboard.outside(
            "sign_in.html",
            theme=theme(request.cookies),
            next=_local(request.query_params.get("next", "")),
            email="",
            wrong=None,
        )

    @post("/sign-in", include_in_schema=False, status_code=200)
    async def sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
        form = await _form(request)
        email, password = str(form.get("email", "")).strip(), str(form.get("password", ""))[:LONGEST_PASSWORD]
        path = _local(str(form.get("next", "")))
        client = request.headers.get("x-heard-client", "")
        found = await app.store.read(lambda connection: accounts.passwords_of(connection, email))
        wrong, status, headers = WRONG, 422, {}
        try:
            if await tries.check(addresses.key(email), client, password, [hashed for _, hashed in found]):
                return await begin(request, email, found[0][0], path)
        except TooSoon as problem:
            wrong, status, headers = str(problem), 429, {"Retry-After": str(problem.seconds)}
        answer = dashboard.outside(
            "sign_in.html", status, theme=theme(request.cookies), next=path, email=email, wrong=wrong
        )
        answer.headers.update(headers)
        return answer

    @get("/join/{token:str}", include_in_schema=False)
    async def show_join(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
        return await join_page(request, token)

    @post("/join/{token:str}", include_in_schema=False, status_code=200)
    async def join(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
        form = await _form(request)
        email, password = str(form.get("email", "")).strip(), str(form.get("password", ""))[:LONGEST_PASSWORD]
        client = request.headers.get("x-heard-client", "")
        try:
            found = await app.store.read(lambda connection: accounts.passwords_of(connection, email))
            if found and not await tries.check(addresses.key(email), client, password, [hashed for _, hashed in found]):
                raise Invalid("This address has a password here already. Write that one.", field="password")
            workspace = await members.join(app, token=token, email=email, password=password)
        except TooSoon as problem:
            return await join_page(request, token, 429, email=email, field="password", wrong=str(problem))
        except Invalid as problem:
            return await join_page(request, token, 422, email=email, field=problem.field or "email", wrong=str(problem))
        except NotFound:
            return await join_page(request, token)
        return await begin(request, email, workspace, "/")

    async def join_page(request: Request[Any, Any, Any], token: str, status: int = 200, **view: Any) -> Response[bytes]:
        now = app.clock.now()

        def look(connection: Connection) -> sessions.Invite | None:
            found = sessions.invite_by_token(connection, token)
            return found if found and found.used_at is None and found.expires_at > now else None

        found = await app.store.read(look)
        noted = addresses.read(found.note) if found else None  # often the address, though it may be anything
        shown = {"theme": theme(request.cookies), "email": noted or "", "field": None, "wrong": None} | view
        if found is None or found.workspace not in app.directory.workspaces:
            return dashboard.outside("join_over.html", 404, theme=shown["theme"])
        return dashboard.outside(
            "join.html", status, token=token, invite=found, workspace=dashboard.workspace(found.workspace), **shown
        )

    return [show_sign_in, sign_in, show_join, join]


async def _form(request: Request[Any, Any, Any]) -> Any:
    """A form for which there is no session yet: only one that our own page sent, as far as the browser tells."""
    form = await request.form()  # read whatever it is: who answers before has the answer cut off by what still comes
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Invalid("This form was sent from another site. Open Heard and sign in there.")
    return form


def _local(path: str) -> str:
    """Where to go next: a path of ours, never another host."""
    safe = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if safe else "/"
