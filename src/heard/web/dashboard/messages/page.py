"""`/messages`: the debugger. What comes in, live, what became of it, and the route it took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from heard.accounts.member import Action
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.deliveries.decision import Outcome
from heard.errors import Invalid, NotFound
from heard.messages.events import ALIASES, canonical
from heard.messages.message import TYPES
from heard.operations import replay
from heard.operations.destinations_seen import troubles
from heard.operations.went import Went, went
from heard.retention import Kind
from heard.routing.destination import SURVEYS, Destination
from heard.store import contacts, decisions, deliveries, removals, tail, tallies
from heard.store.days import day_of
from heard.store.directory import Directory
from heard.store.messages import Kept
from heard.store.tail import Look, Wanted
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.messages import body as messages_body
from heard.web.dashboard.messages import onward
from heard.web.dashboard.messages import said as messages_said
from heard.web.dashboard.messages.station import Became, Step
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.shell import HEADERS, Dashboard

NAMES = ("verdict", "source", "destination", "type", "event", "user_id", "time", "from", "to", "live", "cursor", "open")
TABS = ("accepted", "matched", "held", "rejected")
LATELY = {
    "hour": ("last hour", timedelta(hours=1)),
    "day": ("last 24 hours", timedelta(days=1)),
    "week": ("last 7 days", timedelta(days=7)),
}
NONE: Mapping[int, str] = {}
A_PAGE = 50
MOST_ON_A_PAGE = 500  # a live page that has grown to this many begins anew


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the page shows it; `steps` and `body` are there only while it is open."""

    kept: Kept
    label: str
    contact: Contact | None
    name: str | None
    became: Became
    steps: list[Step] | None = None
    body: Any = None


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/messages", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_messages(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, here = visit(request), Narrowed("/messages", request.query_params, NAMES)
        if here.has_blanks:
            return dashboard.to(here.without_blanks)
        directory, now = app.directory, app.clock.now()
        workspace = seen.workspace.id
        wanted = _wanted(here, directory, workspace, now)
        before, opened = here.number("cursor"), here.number("open")
        wrong = troubles(app, workspace=workspace)

        def look(connection: Connection) -> dict[str, Any]:
            newest = tail.newest_id(connection)
            found = tail.back(connection, workspace, wanted, before=before, limit=A_PAGE)
            rows = _rows(connection, found.found, directory, workspace, now, opened=opened, troubles=wrong)
            apart = None
            if opened is not None and all(row.kept.id != opened for row in rows):
                kept = tail.by_id(connection, workspace, opened)
                alone = [kept] if kept else []
                apart = _rows(connection, alone, directory, workspace, now, opened=opened, troubles=wrong)
            return {
                "rows": rows,
                "apart": apart,
                "further": found.further,
                "reached": found.reached,
                "newest": newest,
                "counts": _counts(connection, workspace, now),
                "a_minute": tail.a_minute(connection, workspace, now),
                "gone": removals.gone_before(connection, Kind.MESSAGES) if found.further is None else None,
            }

        shown = await app.store.read(look)
        return dashboard.page(
            seen,
            "messages/list.html",
            here="messages",
            at=here,
            live=before is None and here.get("live") != "off",
            first_page=before is None,
            tab=here.get("verdict"),
            chips=_chips(here),
            sources=[(each.name, each.name) for each in directory.sources.values() if each.workspace == workspace],
            destinations=[(each.name, each.name) for each in directory.destinations_of(workspace)],
            types=[(each, each) for each in sorted(TYPES)],
            lately=[(name, told) for name, (told, _) in LATELY.items()],
            **shown,
        )

    @get("/messages/newer", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_newer(request: Request[Any, Any, Any]) -> Response[bytes]:
        """What came in after the newest on the page: rows to go above the others, and the next place to ask from."""
        seen, here = visit(request), Narrowed("/messages", request.query_params, (*NAMES, "after", "shown"))
        directory, now = app.directory, app.clock.now()
        workspace = seen.workspace.id
        wanted = _wanted(here, directory, workspace, now)
        after, so_far = here.number("after") or 0, here.number("shown") or 0

        def look(connection: Connection) -> tuple[int, Look, list[Row], int]:
            newest = tail.newest_id(connection)
            if newest <= after:
                found = Look(found=[], further=None)
            else:
                found = tail.back(connection, workspace, wanted, before=newest + 1, after=after, limit=A_PAGE)
            rows = _rows(connection, found.found, directory, workspace, now)
            return newest, found, rows, tail.a_minute(connection, workspace, now)

        newest, found, rows, a_minute = await app.store.read(look)
        if so_far + len(rows) > MOST_ON_A_PAGE:
            return Response(b"", headers={"HX-Refresh": "true", "Cache-Control": "no-store"})
        here.query = {name: value for name, value in here.query.items() if name not in ("after", "shown")}
        return _part(
            dashboard,
            seen,
            "messages/newer.html",
            at=here,
            rows=rows,
            newest=newest,
            shown=so_far + len(rows),
            more=found.further is not None,
            a_minute=a_minute,
        )

    @get("/messages/{number:int}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_message(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        """One message: a page of its own, or its row alone when a script asks to open or close it in the list."""
        seen, here = visit(request), Narrowed("/messages", request.query_params, (*NAMES, "row"))
        directory, now = app.directory, app.clock.now()
        how = here.one_of("row", ("open", "closed"))
        workspace, wrong = seen.workspace.id, troubles(app, workspace=seen.workspace.id)

        def look(connection: Connection) -> list[Row]:
            opened = None if how == "closed" else number
            kept = _there(connection, workspace, number)
            return _rows(connection, [kept], directory, workspace, now, opened=opened, troubles=wrong)

        (row,) = await app.store.read(look)
        here.query.pop("row", None)
        if how:
            return _part(dashboard, seen, "messages/row_alone.html", at=here, row=row)
        return dashboard.page(seen, "messages/one.html", here="messages", at=here, row=row)

    @post("/messages/{number:int}/resend", opt={"may": Action.SET_UP}, include_in_schema=False)
    async def resend(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        """Once more to one destination; back to the message, which tells how far it is."""
        seen, said = visit(request), str((await request.form()).get("destination", ""))
        workspace = seen.workspace.id
        await app.store.read(lambda connection: _there(connection, workspace, number))
        destination = next((each for each in app.directory.destinations_of(workspace) if str(each.id) == said), None)
        if destination is None:
            raise Invalid("Choose one of this workspace's destinations.", field="destination")
        await replay.one(app, workspace=workspace, destination=destination.id, message=number, by=seen.email)
        return dashboard.to(f"/messages/{number}", f"On its way to {destination.name} again")

    return [show_messages, show_newer, show_message, resend]


def _there(connection: Connection, workspace: int, number: int) -> Kept:
    """Raises NotFound when the workspace has no such message, or not any more."""
    kept = tail.by_id(connection, workspace, number)
    if kept is None:
        raise NotFound("There is no such message. It may have been dropped with its day.")
    return kept


def _part(dashboard: Dashboard, seen: Visit, template: str, **view: Any) -> Response[bytes]:
    """A piece of the page, for the script that puts it in its place."""
    html = dashboard.render(template, visit=seen, csrf=dashboard.csrf(seen), **view)
    return Response(html.encode(), media_type="text/html", headers=dict(HEADERS))


def _trigger(kept: Kept) -> str:
    return f"{kept.source}:{kept.message_id}"


def _wanted(here: Narrowed, directory: Directory, workspace: int, now: datetime) -> Wanted:
    """Raises Invalid for what cannot be looked for."""
    tab = here.one_of("verdict", TABS)
    lately = here.one_of("time", tuple(LATELY))
    period = here.window()
    return Wanted(
        source=_source(here.get("source"), directory, workspace),
        type=here.one_of("type", tuple(sorted(TYPES))),
        event=here.get("event"),
        events=_listened_to(directory, workspace) if tab == "matched" else None,
        user_id=here.get("user_id"),
        verdict=tab if tab != "matched" else None,
        to=_destination(here.get("destination"), directory, workspace),
        since=now - LATELY[lately][1] if lately else period.begins,
        until=period.ends,
    )


def _source(name: str | None, directory: Directory, workspace: int) -> int | None:
    if name is None:
        return None
    for source in directory.sources.values():
        if source.workspace == workspace and source.name == name:
            return source.id
    raise Invalid(f"There is no source {name!r}.", field="source")


def _destination(name: str | None, directory: Directory, workspace: int) -> Destination | None:
    if name is None:
        return None
    found = next((each for each in directory.destinations_of(workspace) if each.name == name), None)
    if found is None:
        raise Invalid(f"There is no destination {name!r}.", field="destination")
    return found


def _listened_to(directory: Directory, workspace: int) -> tuple[str, ...]:
    """Every spelling of the events that campaigns listen to."""
    names = {event for place, event in directory.triggered if place == workspace}
    return tuple(sorted(names | {old for old in ALIASES if canonical(old) in names}))


def _chips(here: Narrowed) -> list[Any]:
    lately = here.get("time")
    return here.chips(
        here.chip("source", "source is"),
        here.chip("destination", "destination is"),
        here.chip("type", "call is"),
        here.chip("event", "event is"),
        here.chip("user_id", "user is"),
        here.chip("time", "time is", LATELY[lately][0]) if lately else None,
    )


def _counts(connection: Connection, workspace: int, now: datetime) -> Mapping[str, int]:
    """How many of today, by tab; what is held is held now."""
    tallied = tallies.of_day(connection, workspace, day_of(now))
    verdicts = {"all": 0, "accepted": 0, "matched": 0, "rejected": 0}
    outcomes = {each.value for each in Outcome}
    for name, n in tallied.items():
        kind, _, rest = name.partition(":")
        if kind in tallies.VERDICTS:
            verdicts["all"] += n
        if kind in ("accepted", "rejected"):
            verdicts[kind] += n
        if kind == "campaign" and rest.split(":")[1] in outcomes:
            verdicts["matched"] += n
    return {**verdicts, "held": tail.waiting(connection, workspace)}


def _rows(
    connection: Connection,
    found: Iterable[Kept],
    directory: Directory,
    workspace: int,
    now: datetime,
    *,
    opened: int | None = None,
    troubles: Mapping[int, str] = NONE,
) -> list[Row]:
    """Messages with what they led to and whom they are about: one query a table for the whole page.

    `troubles` of destinations are told where a message is open.
    """
    found = list(found)
    triggers = {_trigger(each) for each in found if each.type == "track" and each.verdict != "rejected"}
    decided = decisions.led_to(connection, workspace, triggers) if triggers else {}
    mails = [each.delivery for made in decided.values() for each in made if each.delivery]
    sent = deliveries.by_ids(connection, workspace, mails) if mails else {}
    users = {each.user_id for each in found if each.user_id}
    known = contacts.by_user_id(connection, workspace, users) if users else {}
    tell = partial(_row, directory=directory, workspace=workspace, now=now, sent=sent, troubles=troubles)
    told = went(connection, found, directory, workspace)
    return [
        tell(
            each,
            told=told[each.id],
            decided=decided.get(_trigger(each), ()) if each.verdict != "rejected" else (),
            contact=known.get(each.user_id or ""),
            is_open=each.id == opened,
        )
        for each in found
    ]


def _row(
    kept: Kept,
    *,
    told: Sequence[Went],
    decided: Any,
    contact: Contact | None,
    is_open: bool,
    troubles: Mapping[int, str],
    **known: Any,
) -> Row:
    try:
        message = msgspec.json.decode(kept.body)
    except (msgspec.MsgspecError, RecursionError):
        message = None
    sent = known.pop("sent")
    ours = next((each for each in told if each.destination.type == SURVEYS), None)
    became = messages_said.became(kept, decided, sent, ours=ours, **known)
    steps = None
    if is_open:
        steps = messages_said.route(kept, decided, sent, ours=ours, **known)
        steps += onward.stations(told, troubles=troubles, now=known["now"])
    return Row(
        kept=kept,
        label=messages_said.label(kept, message),
        contact=contact,
        name=(traits.full_name(traits.decode(contact.traits)) or contact.email) if contact else None,
        became=msgspec.structs.replace(became, badges=[*became.badges, *onward.badges(told)]),
        steps=steps,
        body=messages_body.marked(kept.body) if is_open else None,
    )
