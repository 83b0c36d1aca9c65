"""`/audiences`: who belongs together by what they did, how many they are, and who entered and left lately."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.errors import Invalid
from heard.fql.write import field_of
from heard.operations import audiences_seen
from heard.web.charts.size import size_chart
from heard.web.dashboard.audiences import edit, remove
from heard.web.dashboard.door import visit
from heard.web.dashboard.named import named
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.shell import Dashboard

NAMES = ("q", "cursor")


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
        seen, at = visit(request), Narrowed(f"/audiences/{number}", request.query_params, NAMES)
        whole = await audiences_seen.one(app, seen.workspace.id, number, q=at.get("q"), before=_place(at))
        names = [f"{size.day.day} {size.day:%b}" for size in whole.sizes]
        return dashboard.page(
            seen,
            "audiences/one.html",
            here="audiences",
            at=at,
            each=whole.seen,
            people=[(named(contact), membership) for contact, membership in whole.members.people],
            further=_written(whole.members.further),
            full=whole.members.full,
            sizes=list(zip(names, whole.sizes, strict=True))[::-1],
            chart=size_chart([each.members for each in whole.sizes], names=names) if whole.sizes else None,
            campaigns=whole.campaigns,
            as_contacts="/contacts?" + urlencode({"where": f"{field_of(('traits', whole.seen.computed.key))} = true"}),
        )

    return [show_audiences, show_audience, *edit.routes(dashboard), *remove.routes(dashboard)]


def _place(at: Narrowed) -> tuple[int, int] | None:
    """Raises Invalid when the cursor is none of ours."""
    said = at.get("cursor")
    if said is None:
        return None
    moment, _, contact = said.partition("-")
    parts = [part for part in (moment, contact) if part.isascii() and part.isdecimal() and len(part) < 19]
    if len(parts) < 2:
        raise Invalid(f"cursor is one that a page gave, not {said!r}.", field="cursor")
    return int(parts[0]), int(parts[1])


def _written(place: tuple[int, int] | None) -> str | None:
    return None if place is None else f"{place[0]}-{place[1]}"
