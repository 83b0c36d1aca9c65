"""`GET /api/destinations`: where messages go on to, what did not get there, and sending it again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import Parameter

from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations import destinations_seen, replay
from heard.routing.destination import Destination
from heard.routing.forward import State
from heard.web.api import names, paging
from heard.web.api.deliveries import Limit
from heard.web.api.numbers import Number

STATES = tuple(each.value for each in State)


class Window(msgspec.Struct, forbid_unknown_fields=True):
    """From `since` until before `until`; now without it. Each a moment, a day, or how long ago."""

    since: str
    until: str | None = None


class Retry(msgspec.Struct, forbid_unknown_fields=True):
    """`reason`: only what was given up for it."""

    reason: str | None = None


def routes(app: Installation) -> list[Any]:
    def meant(workspace: int, segment: str) -> Destination:
        return app.directory.destination(workspace, names.name(segment))

    @get("/destinations", tags=["destinations"])
    async def list_destinations(workspace: int) -> dict[str, Any]:
        """Every destination, in the order they were made: how it is set up and how it fares."""
        return paging.page(await destinations_seen.destinations(app, workspace=workspace), None)

    @get("/destinations/{name:str}/deliveries", tags=["destinations"])
    async def list_destination_deliveries(
        workspace: int,
        name: str,
        status: Annotated[str | None, Parameter(query="state")] = None,
        reason: str | None = None,
        cursor: str | None = None,
        limit: Limit = paging.LIMIT,
    ) -> dict[str, Any]:
        """Messages that it did not take at the first try, the last tried first, with every try.

        Filters: `state`, `reason`. What was taken at the first try leaves no trace but its count.
        """
        if status is not None and status not in STATES:
            raise Invalid(f"Write one of {', '.join(STATES)}.", field="state")
        destination, before = meant(workspace, name), paging.after(cursor, tuple[datetime, int])
        found = await destinations_seen.troubled(
            app,
            destination,
            state=State(status) if status else None,
            reason=reason,
            before=before,
            limit=limit,
        )
        last = (found[-1][0].last_at, found[-1][0].message) if len(found) == limit else None
        return paging.page([destinations_seen.shown(*each, destination) for each in found], last)

    @post("/destinations/{name:str}/retry", tags=["destinations"], status_code=200)
    async def retry_dead(workspace: int, caller: str, name: str, data: Retry) -> dict[str, int]:
        """Try again what was given up; answers how many messages that are."""
        destination = meant(workspace, name).id
        tried = await replay.dead_letters(
            app, workspace=workspace, destination=destination, reason=data.reason, by=caller
        )
        return {"messages": tried}

    @post("/destinations/{name:str}/replay", tags=["destinations"], status_code=200)
    async def replay_window(workspace: int, caller: str, name: str, data: Window) -> dict[str, Any]:
        """Send everything received in a window once more. It goes on by itself; ask how far it is.

        The sender's `integrations` become "this one alone"; consent and filters hold, the switches of events do not.
        What the destination has already it gets twice, with another id.
        """
        destination = meant(workspace, name).name
        return await replay.begin(
            app, destination=destination, since=data.since, until=data.until, workspace_id=workspace, by=caller
        )

    @get("/destinations/{name:str}/replays/{id:int}", tags=["destinations"])
    async def get_replay(workspace: int, name: str, id: Number) -> dict[str, Any]:  # noqa: A002
        """How far a replay is."""
        destination = meant(workspace, name)
        found = await replay.progress(app, id=id, workspace_id=workspace)
        if found["destination"] != destination.name:
            raise NotFound(f"There is no replay {id} to {destination.name}.")
        return found

    return [list_destinations, list_destination_deliveries, retry_dead, replay_window, get_replay]
