"""The dashboard: one file a page. `shell` is what every page stands in, `door` lets members in."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Request, Response, Router
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from sqlalchemy.exc import DataError

from heard.errors import HeardError, Invalid, NotFound
from heard.web.api.errors import NO_VALUE
from heard.web.dashboard import account, deliveries, privacy, sign_in, start
from heard.web.dashboard.audiences import page as audiences
from heard.web.dashboard.campaigns import page as campaigns
from heard.web.dashboard.campaigns import surveys
from heard.web.dashboard.contacts import decisions
from heard.web.dashboard.contacts import page as contacts
from heard.web.dashboard.contacts import story as contact
from heard.web.dashboard.destinations import page as destinations
from heard.web.dashboard.door import VISIT, Door, NotSignedIn, Refused, theme
from heard.web.dashboard.lists import page as lists
from heard.web.dashboard.messages import page as messages
from heard.web.dashboard.outbox import page as outbox
from heard.web.dashboard.overview import page as overview
from heard.web.dashboard.responses import page as responses
from heard.web.dashboard.settings import page as settings
from heard.web.dashboard.shell import Dashboard
from heard.web.dashboard.sources import page as sources
from heard.web.dashboard.tries import Tries

PAGES = (
    overview,
    start,
    sources,
    campaigns,
    surveys,
    contacts,
    contact,
    decisions,
    lists,
    audiences,
    messages,
    responses,
    deliveries,
    outbox,
    destinations,
    privacy,
    settings,
)  # modules with `routes(dashboard) -> handlers`, in the order of the rail


def router(dashboard: Dashboard) -> list[Any]:
    """Everything members see, and the pages that let them in."""
    tries = Tries()
    inside = [handler for page in PAGES for handler in page.routes(dashboard)]
    door = Door(dashboard.app)

    # Litestar copies what it is given, all the way down; functions it leaves alone.
    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        await door.guard(connection, handler)

    def told(request: Request[Any, Any, Any], problem: HeardError) -> Response[Any]:
        return _told(request, problem, dashboard=dashboard)

    def refused(request: Request[Any, Any, Any], _: DataError) -> Response[Any]:
        return _told(request, Invalid(NO_VALUE), dashboard=dashboard)

    handlers: dict[Any, Any] = {HeardError: told, DataError: refused}
    return [
        Router(
            path="/",
            route_handlers=[*inside, *account.routes(dashboard, tries)],
            guards=[guard],
            exception_handlers=handlers,
        ),
        Router(path="/", route_handlers=sign_in.routes(dashboard, tries), exception_handlers=handlers),
    ]


def _told(request: Request[Any, Any, Any], problem: HeardError, *, dashboard: Dashboard) -> Response[Any]:
    """What went wrong, as a page; whoever is not signed in is asked to, and comes back."""
    if isinstance(problem, NotSignedIn):
        return _to_sign_in(request, dashboard)
    kinds = ((Refused, 403), (NotFound, 404), (Invalid, 400))
    status = next((status for kind, status in kinds if isinstance(problem, kind)), 409)
    seen = request.state.get(VISIT)
    if seen is None:
        return dashboard.outside("problem_outside.html", status, theme=theme(request.cookies), problem=str(problem))
    return dashboard.page(seen, "problem.html", status=status, problem=str(problem), code=status)


def _to_sign_in(request: Request[Any, Any, Any], dashboard: Dashboard) -> Response[Any]:
    back = request.scope["path"]
    if request.scope["query_string"]:
        back += "?" + request.scope["query_string"].decode("ascii", "replace")
    if request.method != "GET" or back == "/":
        back = ""
    path = "/sign-in" + (f"?next={quote(back, safe='/')}" if back else "")
    if request.headers.get("hx-request"):  # a whole new page, not one inside the old one
        return Response(b"", status_code=200, headers={"HX-Redirect": dashboard.base + path})
    return dashboard.to(path)
