"""What every page of one destination needs: which one it is, its state, and the messages of its sources."""

from __future__ import annotations

from typing import Any

from litestar import Response
from sqlalchemy import Connection

from heard.destinations.kinds import KINDS
from heard.errors import NotFound
from heard.installation import Installation
from heard.operations import kept
from heard.routing import document
from heard.routing.destination import SURVEYS, Destination
from heard.store import forwards, tail
from heard.store.messages import Kept
from heard.store.tail import Wanted
from heard.web.dashboard.destinations import words
from heard.web.dashboard.door import Visit
from heard.web.dashboard.shell import HEADERS, Dashboard

MOST_SOURCES = 20  # that are looked through one by one for the newest messages


def mine(app: Installation, seen: Visit, number: int) -> Destination:
    """Raises NotFound for a destination that is not in the workspace being looked at."""
    found = app.directory.destinations.get(number)
    if found is None or found.workspace != seen.workspace.id:
        raise NotFound("There is no such destination in this workspace.")
    return found


def page(
    dashboard: Dashboard,
    seen: Visit,
    template: str,
    destination: Destination,
    *,
    tab: str,
    status: int = 200,
    ever: bool = True,
    waits: int = 0,
    **view: Any,
) -> Response[bytes]:
    """A page of one destination, with its head and its tabs."""
    app = dashboard.app
    courier = app.couriers.by_destination.get(destination.id)
    return dashboard.page(
        seen,
        f"destinations/{template}",
        here="destinations",
        status=status,
        destination=destination,
        kind=KINDS[destination.type],
        is_ours=destination.type == SURVEYS,
        state=words.state(
            destination, courier, ever=ever, waits=waits, now=app.clock.now(), at_most=kept.waits_at_most(app)
        ),
        waits=waits,
        held_back=kept.held_for(app, destination),
        tab=tab,
        may_set_up=seen.may("set_up"),
        words=words,
        **view,
    )


def part(dashboard: Dashboard, seen: Visit, template: str, **view: Any) -> Response[bytes]:
    """A piece of a page, for the script that puts it in its place."""
    html = dashboard.render(f"destinations/{template}", visit=seen, words=words, **view)
    return Response(html.encode(), media_type="text/html", headers=dict(HEADERS))


def newest(connection: Connection, destination: Destination, *, limit: int) -> list[Kept]:
    """The newest messages of the sources that feed it, rejected ones left out."""
    wanted = [Wanted()]
    if destination.sources is not None:
        wanted = [Wanted(source=each) for each in sorted(destination.sources)[:MOST_SOURCES]]
    most = tail.MOST_EXAMINED // len(wanted) if wanted else 0
    found = [
        kept
        for each in wanted
        for kept in tail.back(connection, destination.workspace, each, limit=2 * limit, most=most).found
        if kept.verdict != "rejected"
    ]
    return sorted(found, key=lambda kept: -kept.id)[:limit]


def routed(kept: Kept) -> dict[str, Any]:
    """The message as routing sees it."""
    return document.routed(
        kept.body,
        type=kept.type,
        message_id=kept.message_id,
        user_id=kept.user_id,
        anonymous_id=kept.anonymous_id,
        at=kept.at,
        received_at=kept.received_at,
    )


def placed(app: Installation, destination: Destination) -> int | None:
    """The number of the last message that its courier is done with; None for one that has no courier."""
    courier = app.couriers.by_destination.get(destination.id)
    return courier.position if courier is not None else None


def counts_of(connection: Connection, destination: Destination, since: Any) -> dict[str, int]:
    return forwards.counted(connection, destination.workspace, since=since).get(destination.id, {})
