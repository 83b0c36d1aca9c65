"""Everything the heart serves over HTTP: survey pages, dashboard, API."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from litestar import Litestar, Request, Response, get
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.static_files import create_static_files_router
from litestar.types import ASGIApp

from heard.installation import Installation
from heard.web import api, dashboard, health, link, logos, mail_reports, manual, opens, survey, unsubscribe
from heard.web.api.errors import error
from heard.web.api.names import as_sent
from heard.web.dashboard.nowhere import Nowhere, nowhere
from heard.web.dashboard.shell import Dashboard
from heard.web.followers import Followers
from heard.web.heard_out import heard_out
from heard.web.invitations import Invitations
from heard.web.pages import Pages

STATIC = Path(__file__).parent / "static"
log = structlog.get_logger()


def site(app: Installation) -> ASGIApp:
    """The ASGI application of one installation."""
    base = urlsplit(app.base_url).path.rstrip("/")
    pages = Pages(now=app.clock.now, base=base)
    respondents, members = Invitations(app), Dashboard(app)
    handlers: list[Any] = [
        *survey.routes(respondents, pages),
        *unsubscribe.routes(respondents, pages),
        *link.routes(Followers(app), pages),
        *logos.routes(app),
        *opens.routes(app),
        *health.routes(app),
        *mail_reports.routes(app),
        *dashboard.router(members),
        *manual.routes(base=base, origin=app.base_url, outbox=app.outbox is not None),
        api.router(app),
        create_static_files_router(path="/static", directories=[STATIC], cache_control=None),
        nothing_here,
    ]
    pages_and_api = Litestar(
        route_handlers=handlers,
        openapi_config=OpenAPIConfig(
            title="Heard",
            version="1",
            path="/api/description",  # its router answers everything below its path; /api/openapi.json is ours
            use_handler_docstrings=True,
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
            components=Components(
                security_schemes={"secret key": SecurityScheme(type="http", scheme="bearer", bearer_format="sk_...")}
            ),
            security=[{"secret key": []}],
        ),
        exception_handlers={
            HTTPException: partial(_told, pages=pages, lost=nowhere(members)),
            Exception: partial(_failed, pages=pages),
        },
        logging_config=None,
        signature_types=[],
    )
    return heard_out(as_sent(pages_and_api))


@get("/favicon.ico", include_in_schema=False, status_code=204, sync_to_thread=False)
def nothing_here() -> None:
    """No icon, and no 404 in the log of every browser."""


def _told(request: Request[Any, Any, Any], failure: HTTPException, *, pages: Pages, lost: Nowhere) -> Response[Any]:
    """JSON to programs, a page to browsers that came to where there is none, a line of text otherwise."""
    if request.scope["path"].startswith("/api/"):
        return error(failure.status_code, failure.detail)
    if failure.status_code == 404 and "text/html" in request.headers.get("accept", ""):
        return lost(request, pages.nothing_here())
    return Response(
        failure.detail + "\n", status_code=failure.status_code, headers=failure.headers, media_type="text/plain"
    )


def _failed(request: Request[Any, Any, Any], failure: Exception, *, pages: Pages) -> Response[Any]:
    """Our fault: whoever runs this finds it in the log, with the address; whoever asked is told, and nothing more."""
    log.error("request_failed", method=request.method, path=request.scope["path"], exc_info=failure)
    return pages.failed(500)
