"""`/audiences`: who belongs together by what they did, how many they are, and who entered and left lately."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.operations import audiences_seen
from heard.web.dashboard.audiences import edit, remove
from heard.web.dashboard.door import visit
from heard.web.dashboard.named import named
from heard.web.dashboard.shell import Dashboard


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/audiences", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_audiences(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen = visit(request)
        found = await audiences_seen.every(app, seen.workspace.id)
        return dashboard.page(
            seen,
            "audiences/list.html",
            here="audiences",
            audiences=[each for each in found if each.is_audience],
            computed=[each for each in found if not each.is_audience],
        )

    @get("/audiences/{number:int}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_audience(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        whole = await audiences_seen.one(app, seen.workspace.id, number)
        people = [(named(contact), membership) for contact, membership in whole.newest]
        return dashboard.page(
            seen, "audiences/one.html", here="audiences", each=whole.seen, people=people, campaigns=whole.campaigns
        )

    return [show_audiences, show_audience, *edit.routes(dashboard), *remove.routes(dashboard)]
