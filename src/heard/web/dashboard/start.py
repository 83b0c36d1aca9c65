"""`/start`: from an empty workspace to a received event, and on to the first campaign."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from litestar import Request, Response, get

from heard.accounts.member import Action
from heard.installation import Installation
from heard.sources.source import Source
from heard.store import arrivals
from heard.store.messages import Kept
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.shell import HEADERS, Dashboard
from heard.web.dashboard.sources.snippets import EVENT, snippets


async def never_heard_anything(app: Installation, workspace: int) -> bool:
    """Whether nothing ever came to this workspace: then its overview has nothing to show, and `/start` has."""
    return not await app.store.read(partial(arrivals.ever, workspace=workspace))


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/start", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_start(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen = visit(request)
        sources = sources_of(app, seen.workspace.id)
        source = _chosen(sources, request.query_params.get("source", ""))
        event = _event(app, seen.workspace.id)
        return dashboard.page(
            seen,
            "start.html",
            here="start",
            sources=sources,
            source=source,
            event=event,
            snippets=snippets(app.base_url, source.write_key, event) if source else [],
            sdk=request.query_params.get("sdk", "curl"),
            campaigns=app.directory.campaigns_of(seen.workspace.id),
            **await _arrived(seen),
        )

    @get("/start/arrived", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_arrived(request: Request[Any, Any, Any]) -> Response[bytes]:
        """What the waiting page asks every other second: 204 until there is something new to show."""
        seen = visit(request)
        found = await _arrived(seen)
        if str(found["newest"]) == request.query_params.get("newest", "0"):
            return Response(b"", status_code=204, headers={"Cache-Control": "no-store"})
        campaigns = app.directory.campaigns_of(seen.workspace.id)
        html = dashboard.render("start_arrived_later.html", visit=seen, campaigns=campaigns, **found)
        return Response(html.encode(), media_type="text/html", headers=dict(HEADERS))

    async def _arrived(seen: Visit) -> dict[str, Any]:
        kept: Sequence[Kept] = await app.store.read(partial(arrivals.newest, workspace=seen.workspace.id))
        return {
            "arrived": kept,
            "newest": kept[0].id if kept else 0,
            "complete": any(each.type == "track" and each.verdict != "rejected" for each in kept),
        }

    return [show_start, show_arrived]


def sources_of(app: Installation, workspace: int) -> list[Source]:
    """Oldest first."""
    return sorted((each for each in app.directory.sources.values() if each.workspace == workspace), key=lambda s: s.id)


def _chosen(sources: Sequence[Source], number: str) -> Source | None:
    return next((each for each in sources if str(each.id) == number), sources[0] if sources else None)


def _event(app: Installation, workspace: int) -> str:
    """The event that the first campaign waits for: the snippets should lead to something."""
    return next((each.event for each in app.directory.campaigns_of(workspace) if each.event), EVENT)
