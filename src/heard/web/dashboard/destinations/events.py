"""`/destinations/{id}/events`: which events it gets. Those seen lately, and those that somebody names beforehand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.errors import Invalid
from heard.operations import destinations
from heard.routing import switches
from heard.routing.destination import Destination
from heard.sources.source import Source
from heard.store.recent import Look, Seen
from heard.web.dashboard.destinations import view
from heard.web.dashboard.destinations.view import mine
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.events_seen import EventsSeen
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
SPAN = timedelta(days=30)
MOST_SHOWN = 300
LONGEST = 500  # characters of the name of an event


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`times` 0: not among the messages that were looked through. `alone`: sources of which something else is said."""

    event: str
    on: bool
    alone: tuple[tuple[Source, bool], ...] = ()
    times: int = 0
    last: datetime | None = None

    @property
    def is_switched(self) -> bool:
        return not self.on or bool(self.alone)


def routes(dashboard: Dashboard) -> list[Any]:
    app, events_seen = dashboard.app, EventsSeen()

    @get("/destinations/{number:int}/events", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_events(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        return await page(seen, mine(app, seen, number))

    @post("/destinations/{number:int}/events", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def switch(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """The whole list: what stands in it and is not ticked is switched off."""
        seen, fields = visit(request), await request.form()
        destination = mine(app, seen, number)
        listed, on = ([str(each) for each in fields.getall(name, [])] for name in ("listed", "on"))
        said = destination.switches
        changed = {event: event in on for event in listed if switches.general(said, event) != (event in on)}
        if changed:
            await keep(seen, destination, changed)
        off = sum(not each for each in changed.values())
        done = [f"{n:,} switched {word}" for n, word in ((len(changed) - off, "on"), (off, "off")) if n]
        return dashboard.to(f"/destinations/{number}/events", f"{', '.join(done)}." if done else "Nothing was changed.")

    @post("/destinations/{number:int}/events/add", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def add(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """One that was not seen yet, switched off before it comes."""
        seen, event = visit(request), str((await request.form()).get("event") or "").strip()
        destination = mine(app, seen, number)
        if not 0 < len(event) <= LONGEST:
            return await page(seen, destination, 422, event=event, wrong="Write the event’s name as it is sent.")
        try:
            await keep(seen, destination, {event: False})
        except Invalid as problem:
            return await page(seen, destination, 422, event=event, wrong=str(problem).partition(": ")[2])
        return dashboard.to(f"/destinations/{number}/events", f"{event} is switched off for {destination.name}.")

    async def keep(seen: Visit, destination: Destination, changed: dict[str, bool]) -> None:
        """For every source; what is said of single ones stays."""
        wanted = destination.switches
        for event, on in changed.items():
            wanted = switches.with_general(wanted, event, on)
        await destinations.switch(app, destination, wanted, by=seen.email)

    def row(destination: Destination, event: str, *, times: int = 0, last: datetime | None = None) -> Row:
        own = switches.own(destination.switches, event)
        known = [(source, on) for number, on in own.items() if (source := app.directory.sources.get(number))]
        return Row(
            event=event,
            on=switches.general(destination.switches, event),
            alone=tuple(sorted(known, key=lambda each: each[0].name)),
            times=times,
            last=last,
        )

    async def page(
        seen: Visit, destination: Destination, status: int = 200, *, event: str = "", wrong: str | None = None
    ) -> Response[bytes]:
        since = app.clock.now() - SPAN
        found: tuple[dict[str, Seen], Look] = await app.store.read(
            lambda connection: events_seen.of(connection, seen.workspace.id, since)
        )
        known, look = found
        rows = [row(destination, name, times=each.times, last=each.last) for name, each in known.items()]
        rows += [row(destination, name) for name in sorted(destination.switches) if name not in known]
        off_first = sorted(rows[:MOST_SHOWN] + [each for each in rows[MOST_SHOWN:] if each.is_switched], key=_in_order)
        return view.page(
            dashboard,
            seen,
            "events.html",
            destination,
            tab="events",
            status=status,
            rows=off_first,
            left_out=len(rows) - len(off_first),
            look=look,
            event=event,
            wrong=wrong,
        )

    return [show_events, switch, add]


def _in_order(row: Row) -> tuple[int, str]:
    """The most frequent first, wherever its switch stands: a row must not jump when it is switched."""
    return -row.times, row.event
