"""`/destinations/{id}/try`: a message, real or made up, sent there now; what was sent, and what came back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from heard.accounts.member import Action
from heard.destinations.kinds import KINDS
from heard.errors import Invalid
from heard.operations import destination_try
from heard.operations.destination_try import TooOften
from heard.routing.destination import SURVEYS, Destination
from heard.store import tail
from heard.store.messages import Kept
from heard.web.dashboard.destinations import view
from heard.web.dashboard.destinations.view import mine
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.messages import said as messages_said
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
OFFERED = 10  # messages to choose from
LONGEST = 200_000  # characters
WHO = {"userId": "u_1"}
SAMPLES: Mapping[str, dict[str, Any]] = {
    "track": {
        "type": "track",
        **WHO,
        "event": "Order Completed",
        "properties": {"order_id": "o_1", "total": 49, "currency": "EUR"},
    },
    "identify": {"type": "identify", **WHO, "traits": {"email": "sam@example.com", "firstName": "Sam", "plan": "Free"}},
    "page": {"type": "page", **WHO, "name": "Pricing", "properties": {"path": "/pricing", "title": "Pricing"}},
    "screen": {"type": "screen", **WHO, "name": "Home", "properties": {"variant": "compact"}},
    "group": {"type": "group", **WHO, "groupId": "g_1", "traits": {"name": "Acme", "employees": 12}},
}


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    kept: Kept
    label: str


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/destinations/{number:int}/try", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_tester(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, here = visit(request), Narrowed("", request.query_params, ("message", "sample"))
        destination = mine(app, seen, number)
        chosen, sample = here.number("message"), here.one_of("sample", tuple(SAMPLES))
        text = _pretty(SAMPLES[sample or "track"])
        if chosen is not None:
            kept = await app.store.read(lambda connection: tail.by_id(connection, seen.workspace.id, chosen))
            if kept is not None and kept.verdict != "rejected":
                text = _pretty(view.routed(kept))
        return await page(seen, destination, text, sample=None if chosen else sample or "track", chosen=chosen)

    @post("/destinations/{number:int}/try", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def send(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, text = visit(request), str((await request.form()).get("message") or "")[:LONGEST]
        destination = mine(app, seen, number)
        try:
            came = await destination_try.try_(
                app, workspace=seen.workspace.id, destination=number, message=_message(text), by=seen.email
            )
        except TooOften as problem:
            return await page(seen, destination, text, status=429, wrong=str(problem))
        except Invalid as problem:
            return await page(seen, destination, text, status=422, wrong=str(problem))
        return await page(seen, destination, text, came=came)

    async def page(
        seen: Visit,
        destination: Destination,
        text: str,
        *,
        status: int = 200,
        sample: str | None = None,
        chosen: int | None = None,
        wrong: str | None = None,
        came: dict[str, Any] | None = None,
    ) -> Response[bytes]:
        def look(connection: Connection) -> list[Offered]:
            if destination.type == SURVEYS:
                return []
            takes = KINDS[destination.type].methods
            found = view.newest(connection, destination, limit=3 * OFFERED)
            return [Offered(kept=each, label=_label(each)) for each in found if each.type in takes][:OFFERED]

        offered = await app.store.read(look)
        methods = KINDS[destination.type].methods
        return view.page(
            dashboard,
            seen,
            "try.html",
            destination,
            tab="try",
            status=status,
            text=text,
            samples=[each for each in SAMPLES if each in methods],
            sample=sample,
            chosen=chosen,
            offered=offered,
            wrong=wrong,
            came=came,
        )

    return [show_tester, send]


def _message(text: str) -> dict[str, Any]:
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        where = f" at line {error.lineno}, character {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Invalid(f"This is no JSON{where}.", field="message") from None
    except RecursionError:
        raise Invalid("This is nested too deeply.", field="message") from None
    if not isinstance(found, dict):
        raise Invalid("Write one message, an object in braces.", field="message")
    return found  # pyright: ignore[reportUnknownVariableType]


def _pretty(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _label(kept: Kept) -> str:
    try:
        return messages_said.label(kept, msgspec.json.decode(kept.body))
    except (msgspec.MsgspecError, RecursionError):
        return kept.event or kept.type
