"""`/destinations`: where messages go, how each does, and what else they could go to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from litestar import Request, Response, get
from sqlalchemy import Connection

from heard.accounts.member import Action
from heard.destinations.destination import Kind
from heard.destinations.kinds import KINDS
from heard.routing.destination import SURVEYS, Destination
from heard.store import behind, forwards, waiting
from heard.store.behind import Behind
from heard.web.dashboard.destinations import counted, deliveries, events, filters, replays, settings, tester, words
from heard.web.dashboard.destinations.counted import Counted
from heard.web.dashboard.destinations.view import placed
from heard.web.dashboard.destinations.words import Said
from heard.web.dashboard.door import visit
from heard.web.dashboard.shell import Dashboard

LATELY = timedelta(hours=24)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    destination: Destination
    kind: Kind
    state: Said
    counts: Counted
    behind: Behind | None
    waits: int | None = None  # of our own surveys: for the next day, where they take only so many on one


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/destinations", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_destinations(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, now = visit(request), app.clock.now()
        ours = app.directory.destinations_of(seen.workspace.id)

        def look(connection: Connection) -> list[Row]:
            counts = forwards.counted(connection, seen.workspace.id, since=now - LATELY)
            return [row(connection, each, counted.counted(counts.get(each.id, {}))) for each in ours]

        def row(connection: Connection, destination: Destination, counts: Counted) -> Row:
            position = placed(app, destination)
            waits = waiting.count(connection, destination.workspace) if destination.type == SURVEYS else None
            courier = app.couriers.by_destination.get(destination.id)
            return Row(
                destination=destination,
                kind=KINDS[destination.type],
                state=words.state(destination, courier, ever=counts.delivered > 0, waits=waits or 0, now=now),
                counts=counts,
                behind=None
                if position is None
                else behind.behind(connection, destination.workspace, destination.id, position),
                waits=waits,
            )

        rows = await app.store.read(look)
        return dashboard.page(
            seen,
            "destinations/list.html",
            here="destinations",
            rows=rows,
            alone=all(each.destination.type == SURVEYS for each in rows),
            kinds=[each for each in KINDS.values() if each.type != SURVEYS],
            sources=len([each for each in app.directory.sources.values() if each.workspace == seen.workspace.id]),
            words=words,
        )

    rooms = (settings, deliveries, replays, events, filters, tester)
    return [show_destinations, *(handler for room in rooms for handler in room.routes(dashboard))]
