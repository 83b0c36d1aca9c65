"""`/start`: from an empty workspace to the first answer, one step after the other."""

from __future__ import annotations

import shlex
from functools import partial
from typing import Any

from litestar import Request, Response, get

from heard.accounts.member import Action
from heard.store import responses, tallies
from heard.web.dashboard.door import visit
from heard.web.dashboard.shell import Dashboard


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/start", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_start(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, directory = visit(request), app.directory
        mine = frozenset({seen.workspace.id})
        return dashboard.page(
            seen,
            "start.html",
            here="start",
            sources=[each for each in directory.sources.values() if each.workspace in mine],
            campaigns=[each for each in directory.campaigns.values() if each.workspace in mine],
            surveys=[each for each in directory.surveys.values() if each.workspace in mine],
            received=sum((await app.store.read(partial(tallies.totals, workspace=seen.workspace.id))).values()),
            answered=await app.store.read(partial(responses.somebody_answered, workspace=seen.workspace.id)),
            outbox=app.outbox is not None,
            data=f" --data {shlex.quote(str(app.settings.data))}",
        )

    @get("/", opt={"may": Action.SEE}, include_in_schema=False, status_code=303)
    async def show_overview() -> Response[bytes]:
        return dashboard.to("/start")

    return [show_start, show_overview]
