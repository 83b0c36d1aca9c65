"""`/destinations/{id}`: what became of its messages, what is wrong with those that did not arrive, and another try."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from heard.accounts.member import Action
from heard.destinations.veiled import veiled, veiled_request
from heard.operations import replay
from heard.routing.destination import SURVEYS, Destination
from heard.routing.forward import Forward, State
from heard.store import behind, forwards, messages, replays, waiting
from heard.store.messages import Kept
from heard.web.api import paging
from heard.web.dashboard.destinations import counted, view
from heard.web.dashboard.destinations.view import mine
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.messages import said as messages_said
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
WINDOWS = {"hour": timedelta(hours=1), "day": timedelta(hours=24), "week": timedelta(days=7)}
SAID = {"hour": "1 h", "day": "24 h", "week": "7 d"}
NAMES = ("window", "state", "reason", "open", "cursor")
A_PAGE = 25


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A message that did not arrive at once. `kept` None: the message is kept no longer."""

    forward: Forward
    kept: Kept | None
    label: str
    request: str = ""
    answer: str = ""


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/destinations/{number:int}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_deliveries(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        destination = mine(app, seen, number)
        here, now = Narrowed(f"/destinations/{number}", request.query_params, NAMES), app.clock.now()
        window = here.one_of("window", tuple(WINDOWS)) or "day"
        state = here.one_of("state", (State.RETRYING.value, State.DEAD.value))
        reason, opened = here.get("reason"), here.number("open")
        before = paging.after(here.get("cursor"), tuple[datetime, int])
        since, position = now - WINDOWS[window], view.placed(app, destination)

        def look(connection: Connection) -> dict[str, Any]:
            found: list[Forward] = []
            if state or reason:
                found = forwards.newest(
                    connection,
                    destination.workspace,
                    number,
                    state=State(state) if state else None,
                    reason=reason,
                    before=before,
                    limit=A_PAGE + 1,
                )
            one = forwards.one(connection, destination.workspace, number, opened) if opened is not None else None
            apart = [one] if one is not None and all(each.message != one.message for each in found) else []
            kept = messages.placed(connection, [(each.day, each.message) for each in (*found, *apart)])
            tell = {number: each.kept for number, each in kept.items()}
            return {
                "counts": counted.counted(view.counts_of(connection, destination, since)),
                "behind": None
                if position is None
                else behind.behind(connection, destination.workspace, number, position),
                "troubles": forwards.reasons(connection, destination.workspace, number),
                "rows": [_row(each, tell, destination, seen, opened) for each in found[:A_PAGE]],
                "apart": [_row(each, tell, destination, seen, opened) for each in apart],
                "further": found[A_PAGE - 1] if len(found) > A_PAGE else None,
                "running": replays.running(connection, number),
                "waits": waiting.count(connection, destination.workspace) if destination.type == SURVEYS else 0,
            }

        shown = await app.store.read(look)
        last: Forward | None = shown.pop("further")
        counts = shown["counts"]
        return view.page(
            dashboard,
            seen,
            "deliveries.html",
            destination,
            tab="deliveries",
            ever=counts.delivered > 0,
            at=here,
            window=window,
            windows=SAID,
            begins=since.replace(minute=0, second=0, microsecond=0),
            state_wanted=state,
            reason=reason,
            first_page=before is None,
            further=paging.written((last.last_at, last.message)) if last else None,
            **shown,
        )

    @post("/destinations/{number:int}/again", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def try_again(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """One message, by hand."""
        seen = visit(request)
        destination = mine(app, seen, number)
        here = Narrowed("", {"message": str((await request.form()).get("message", ""))}, ("message",))
        message = here.number("message") or 0
        await replay.one(app, workspace=seen.workspace.id, destination=number, message=message, by=seen.email)
        return dashboard.to(f"/destinations/{number}?open={message}#opened", f"It is sent to {destination.name} again.")

    @post("/destinations/{number:int}/again/all", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def try_all_again(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """Everything that was given up for one reason."""
        seen = visit(request)
        mine(app, seen, number)
        reason = str((await request.form()).get("reason", ""))[:64] or None
        n = await replay.dead_letters(
            app, workspace=seen.workspace.id, destination=number, reason=reason, by=seen.email
        )
        said = (
            "Nothing was there to try again."
            if not n
            else f"{n:,} {'message is' if n == 1 else 'messages are'} tried again."
        )
        return dashboard.to(f"/destinations/{number}", said)

    return [show_deliveries, try_again, try_all_again]


def _row(forward: Forward, kept: dict[int, Kept], destination: Destination, seen: Visit, opened: int | None) -> Row:
    message = kept.get(forward.message)
    row = Row(forward=forward, kept=message, label=_label(message))
    if forward.message != opened:
        return row
    settings = destination.settings
    tries = [
        msgspec.structs.replace(each, detail=veiled(each.detail, destination.type, settings)) for each in forward.tries
    ]
    return msgspec.structs.replace(
        row,
        forward=msgspec.structs.replace(forward, tries=tuple(tries)),
        request=veiled_request(forward.request, destination.type, settings, whole_address=seen.may("set_up")),
        answer=veiled(forward.answer, destination.type, settings),
    )


def _label(kept: Kept | None) -> str:
    if kept is None:
        return "A message that is kept no longer"
    try:
        return messages_said.label(kept, msgspec.json.decode(kept.body))
    except (msgspec.MsgspecError, RecursionError):
        return kept.event or kept.type
