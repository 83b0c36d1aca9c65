"""`/destinations/new` and `/destinations/{id}/settings`: the form of a destination, and the page that removes one."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.destinations.destination import Kind
from heard.destinations.kinds import KINDS
from heard.destinations.veiled import host_alone
from heard.errors import HeardError, Invalid
from heard.operations import destinations
from heard.routing.destination import SURVEYS, Destination
from heard.store import behind
from heard.web.dashboard.destinations import form as destination_form
from heard.web.dashboard.destinations import view
from heard.web.dashboard.destinations.form import Form
from heard.web.dashboard.destinations.view import mine
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.shell import Dashboard
from heard.web.dashboard.start import sources_of

Incoming = Request[Any, Any, Any]


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/destinations/new", opt={"may": Action.SET_UP}, include_in_schema=False)
    async def show_new(request: Incoming) -> Response[bytes]:
        seen = visit(request)
        kind = _kind(request.query_params.get("type", ""))
        if kind is None:
            return dashboard.to("/destinations")
        return new_page(seen, kind, destination_form.blank(kind, _free_name(kind, seen)))

    @post("/destinations/new", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def make(request: Incoming) -> Response[bytes]:
        seen, fields = visit(request), await request.form()
        kind = _kind(str(fields.get("type", "")))
        if kind is None:
            raise Invalid("There is no such kind of destination. Choose one from the list.", field="type")
        form = destination_form.read(fields, destination_form.blank(kind, ""))
        try:
            number = await save(seen, kind, form, None)
        except Invalid as problem:
            return new_page(seen, kind, form, status=422, problem=problem)
        said = (
            "What comes from now on goes there." if form.enabled else "It is switched off, so nothing goes there yet."
        )
        return dashboard.to(f"/destinations/{number}", f"{form.name} is made. {said}")

    @get("/destinations/{number:int}/settings", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_settings(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        destination = mine(app, seen, number)
        return settings_page(seen, destination, of(seen, destination))

    @post("/destinations/{number:int}/settings", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def change(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, fields = visit(request), await request.form()
        destination = mine(app, seen, number)
        kind = KINDS[destination.type]
        form = destination_form.read(fields, of(seen, destination))
        try:
            await save(seen, kind, form, destination)
        except Invalid as problem:
            return settings_page(seen, destination, form, status=422, problem=problem)
        return dashboard.to(f"/destinations/{number}/settings", f"Saved {form.name}.")

    @get("/destinations/{number:int}/remove", opt={"may": Action.SEE}, include_in_schema=False)
    async def ask_first(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        destination = mine(app, seen, number)
        position = view.placed(app, destination)
        waiting = None
        if position is not None:
            waiting = await app.store.read(
                lambda connection: behind.behind(connection, seen.workspace.id, number, position)
            )
        return view.page(dashboard, seen, "remove.html", destination, tab="settings", waiting=waiting)

    @post("/destinations/{number:int}/remove", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def remove(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        destination = mine(app, seen, number)
        try:
            name = await destinations.remove(app, workspace=seen.workspace.id, number=number, by=seen.email)
        except HeardError as problem:
            if destination.type != SURVEYS:
                raise
            return dashboard.to(f"/destinations/{number}/settings", str(problem))
        return dashboard.to("/destinations", f"{name} is removed.")

    async def save(seen: Visit, kind: Kind, form: Form, destination: Destination | None) -> int:
        kept = destination.settings if destination else {}
        written = destination_form.written(form, kind, kept)
        for entry in form.entries:
            value = written["settings"].get(entry.field.name)
            if entry.field.kind == "url" and isinstance(value, str) and value != kept.get(entry.field.name):
                await app.outgoing.check_url(value, field=entry.name)
        return await destinations.save(
            app,
            workspace=seen.workspace.id,
            number=destination.id if destination else None,
            written=written,
            by=seen.email,
        )

    def of(seen: Visit, destination: Destination) -> Form:
        form = destination_form.of(destination, KINDS[destination.type], sources_of(app, seen.workspace.id))
        if seen.may("set_up"):
            return form
        veiled = tuple(
            msgspec.structs.replace(each, written=host_alone(each.written))
            if each.field.kind == "url" and each.written
            else each
            for each in form.entries
        )
        return msgspec.structs.replace(form, entries=veiled)

    def new_page(
        seen: Visit, kind: Kind, form: Form, *, status: int = 200, problem: Invalid | None = None
    ) -> Response[bytes]:
        return dashboard.page(
            seen,
            "destinations/new.html",
            here="destinations",
            status=status,
            kind=kind,
            form=form,
            sources=sources_of(app, seen.workspace.id),
            may_set_up=True,
            is_ours=False,
            destination=None,
            **_wrong(problem, form),
        )

    def settings_page(
        seen: Visit, destination: Destination, form: Form, *, status: int = 200, problem: Invalid | None = None
    ) -> Response[bytes]:
        return view.page(
            dashboard,
            seen,
            "settings.html",
            destination,
            tab="settings",
            status=status,
            form=form,
            sources=sources_of(app, seen.workspace.id),
            **_wrong(problem, form),
        )

    def _free_name(kind: Kind, seen: Visit) -> str:
        taken = {each.name for each in app.directory.destinations_of(seen.workspace.id)}
        numbered = (f"{kind.title} {number}" for number in range(2, len(taken) + 3))
        return next(name for name in (kind.title, *numbered) if name not in taken)

    return [show_new, make, show_settings, change, ask_first, remove]


def _kind(type: str) -> Kind | None:  # noqa: A002
    return KINDS.get(type) if type != SURVEYS else None


def _wrong(problem: Invalid | None, form: Form) -> dict[str, Any]:
    """What is wrong, without the place that the form shows it at: (`wrong_at`, `wrong`)."""
    if problem is None:
        return {"wrong_at": None, "wrong": None}
    place, text = problem.field or "", str(problem)
    if place and text.startswith(f"{place}: "):
        text = text.removeprefix(f"{place}: ")
    known = ["name", "sources", *(each.name for each in form.entries)]
    at = next((each for each in known if place == each or place.startswith((f"{each}.", f"{each}["))), "name")
    inside = place.removeprefix(at).lstrip(".")
    text = f"{inside}: {text}" if inside and not inside.startswith("[") else text[:1].upper() + text[1:]
    return {"wrong_at": at, "wrong": text}
