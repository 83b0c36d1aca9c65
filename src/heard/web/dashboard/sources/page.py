"""`/sources`: where messages come from, each with its write key and the code that uses it."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.errors import Invalid
from heard.operations import sources
from heard.sources.source import Source
from heard.store import arrivals
from heard.store.arrivals import Arrivals
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.shell import HEADERS, Dashboard
from heard.web.dashboard.sources import plan, schema, view
from heard.web.dashboard.sources.snippets import EVENT, snippets
from heard.web.dashboard.sources.view import mine
from heard.web.dashboard.start import sources_of

NOTHING = Arrivals()


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/sources", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_sources(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await sources_page(visit(request))

    @post("/sources", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def add_source(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, name = visit(request), str((await request.form()).get("name", ""))
        try:
            number = await sources.add(app, workspace=seen.workspace.id, name=name, by=seen.email)
        except Invalid as problem:
            return await sources_page(seen, 422, name=name, wrong=str(problem))
        return dashboard.to(f"/sources/{number}", "The source is made. Its write key works already.")

    @get("/sources/{number:int}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_source(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        return await source_page(visit(request), number, sdk=request.query_params.get("sdk", "curl"))

    @post("/sources/{number:int}", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def rename_source(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen, name = visit(request), str((await request.form()).get("name", ""))
        try:
            await sources.rename(app, workspace=seen.workspace.id, source=number, name=name, by=seen.email)
        except Invalid as problem:
            return await source_page(seen, number, 422, name=name, wrong=str(problem))
        return dashboard.to(f"/sources/{number}", "Renamed.")

    @post("/sources/{number:int}/key", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def replace_key(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        await sources.replace_key(app, workspace=seen.workspace.id, source=number, by=seen.email)
        return dashboard.to(f"/sources/{number}", "The new write key works; the old one is refused.")

    @post("/sources/{number:int}/secret", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def keep_secret(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen, secret = visit(request), str((await request.form()).get("secret", ""))
        try:
            await sources.keep_secret(app, workspace=seen.workspace.id, source=number, secret=secret, by=seen.email)
        except Invalid as problem:
            return await source_page(seen, number, 422, wrong=str(problem), wrong_at="secret")
        return dashboard.to(f"/sources/{number}", "Kept. What is not signed with it is refused.")

    @post("/sources/{number:int}/secret/make", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def make_secret(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        """The secret is on the page that answers, and never again."""
        seen = visit(request)
        made = await sources.make_secret(app, workspace=seen.workspace.id, source=number, by=seen.email)
        answer = await source_page(seen, number, made=made)
        answer.headers["HX-Replace-Url"] = f"{dashboard.base}/sources/{number}"  # loading again must make no other
        return answer

    @post("/sources/{number:int}/secret/remove", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def remove_secret(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        await sources.remove_secret(app, workspace=seen.workspace.id, source=number, by=seen.email)
        return dashboard.to(f"/sources/{number}", "There is no shared secret any more. Nothing need be signed.")

    @get("/sources/{number:int}/arrived", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_arrived(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        """What a waiting page asks every other second: 204 until something came from the source."""
        seen = visit(request)
        source = mine(app, seen, number)
        there = await arrived(seen, source)
        if there["came"] == NOTHING:
            return Response(b"", status_code=204, headers={"Cache-Control": "no-store"})
        html = dashboard.render("source_arrived.html", source=source, **there)
        return Response(html.encode(), media_type="text/html", headers=dict(HEADERS))

    async def sources_page(
        seen: Visit, status: int = 200, *, name: str = "", wrong: str | None = None
    ) -> Response[bytes]:
        came = await app.store.read(partial(arrivals.by_source, workspace=seen.workspace.id, now=app.clock.now()))
        rows = [(each, came.get(each.id, NOTHING)) for each in sources_of(app, seen.workspace.id)]
        return dashboard.page(seen, "sources.html", here="sources", status=status, rows=rows, name=name, wrong=wrong)

    async def source_page(
        seen: Visit, number: int, status: int = 200, *, sdk: str = "curl", name: str | None = None,
        wrong: str | None = None, wrong_at: str = "name", made: str | None = None,
    ) -> Response[bytes]:  # fmt: skip
        """`made`: the shared secret that was just made."""
        source = mine(app, seen, number)
        event = next((each.event for each in app.directory.campaigns_of(source.workspace) if each.event), EVENT)
        return view.page(
            dashboard,
            seen,
            "source.html",
            source,
            tab="source",
            status=status,
            name=source.name if name is None else name,
            wrong=wrong,
            wrong_at=wrong_at,
            made=made,
            snippets=snippets(app.base_url, source.write_key, event),
            sdk=sdk,
            hook=f"{app.base_url}/hooks/segment/{source.write_key}",
            **await arrived(seen, source),
        )

    async def arrived(seen: Visit, source: Source) -> dict[str, Any]:
        workspace, now = seen.workspace.id, app.clock.now()
        came = (await app.store.read(partial(arrivals.by_source, workspace=workspace, now=now))).get(source.id, NOTHING)
        kept = await app.store.read(partial(arrivals.newest, workspace=workspace, source=source.id))
        return {"came": came, "kept": kept}

    own = [show_sources, add_source, show_source, rename_source, replace_key, show_arrived]
    signing = [keep_secret, make_secret, remove_secret]
    return [*own, *signing, *schema.routes(dashboard), *plan.routes(dashboard)]
