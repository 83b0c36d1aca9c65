"""The native API, one file a noun. `Authorization: Bearer <secret key>`; times are RFC 3339 in UTC; lists are newest
first, `{"data": [...], "next": cursor or null}`, and go on with `?cursor=`."""

from __future__ import annotations

from typing import Any

from litestar import Router

from heard.installation import Installation
from heard.web.api import (
    audiences,
    campaigns,
    clock,
    contacts,
    deliveries,
    destinations,
    lists,
    messages,
    regulations,
    responses,
    scores,
)
from heard.web.api.errors import DESCRIBED, HANDLERS
from heard.web.api.keys import Keys


def router(app: Installation) -> Router:
    keys = Keys(app)
    handlers: list[Any] = [
        *contacts.routes(app),
        *deliveries.routes(app),
        *responses.routes(app),
        *scores.routes(app),
        *messages.routes(app),
        *campaigns.routes(app),
        *lists.routes(app),
        *audiences.routes(app),
        *destinations.routes(app),
        *regulations.routes(app),
    ]
    if app.test_clock:
        handlers += clock.routes(app)
    for handler in handlers:
        handler.responses = DESCRIBED
    return Router(
        path="/api",
        route_handlers=handlers,
        dependencies=keys.dependencies(),
        exception_handlers=HANDLERS,
    )
