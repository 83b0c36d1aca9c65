"""`/privacy`: requests to forget or not to hear of people, how far each is; and the two buttons on a contact's page."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.contacts.contact import Contact
from heard.contacts.regulation import Regulation, SubjectType, Type
from heard.errors import Invalid, NotFound
from heard.operations import regulations as operations
from heard.store import contacts
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.named import named
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
SHOWN = 50
WORDS = {
    Type.SUPPRESS_WITH_DELETE: "Erase, and take nothing from them again",
    Type.DELETE_ONLY: "Erase",
    Type.SUPPRESS_WITH_DELETE_INTERNAL: "Erase here alone, and take nothing from them again",
    Type.DELETE_INTERNAL: "Erase here alone",
    Type.SUPPRESS_ONLY: "Take nothing from them again",
    Type.UNSUPPRESS: "Take from them again",
}


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/privacy", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_privacy(request: Incoming) -> Response[bytes]:
        return await page(request)

    @post("/privacy", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def ask(request: Incoming) -> Response[bytes]:
        seen, fields = visit(request), await request.form()
        what, kind = str(fields.get("what", "")), str(fields.get("kind", ""))
        lines = str(fields.get("subjects", "")).splitlines()
        try:
            made = await operations.regulate(
                app,
                what=what,
                subject_type=kind,
                subjects=[line.strip() for line in lines if line.strip()],
                workspace_id=seen.workspace.id,
                by=seen.email,
            )
        except Invalid as problem:
            return await page(request, status=422, problem=str(problem).partition(": ")[2], what=what, kind=kind)
        return dashboard.to("/privacy", f"The request {operations.shown_id(made)} has begun.")

    @get("/contacts/{contact_id:str}/erase", opt={"may": Action.SEE}, include_in_schema=False)
    async def ask_to_erase(request: Incoming, contact_id: FromPath[str]) -> Response[bytes]:
        return await confirm(request, contact_id, "erase")

    @get("/contacts/{contact_id:str}/suppress", opt={"may": Action.SEE}, include_in_schema=False)
    async def ask_to_suppress(request: Incoming, contact_id: FromPath[str]) -> Response[bytes]:
        return await confirm(request, contact_id, "suppress")

    @post("/contacts/{contact_id:str}/erase", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def erase(request: Incoming, contact_id: FromPath[str]) -> Response[bytes]:
        again = (await request.form()).get("again") == "yes"
        made = await regulate(request, contact_id, Type.DELETE_ONLY if again else Type.SUPPRESS_WITH_DELETE)
        return dashboard.to("/privacy", f"The request {operations.shown_id(made)} has begun.")

    @post("/contacts/{contact_id:str}/suppress", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def suppress(request: Incoming, contact_id: FromPath[str]) -> Response[bytes]:
        await regulate(request, contact_id, Type.SUPPRESS_ONLY)
        return dashboard.to("/privacy", "Nothing is taken from them any more, and they are not asked.")

    async def regulate(request: Incoming, contact_id: str, what: Type) -> Regulation:
        seen = visit(request)
        contact = await _contact(seen, contact_id)
        subject = contact.user_id or contact.email
        if subject is None:
            raise Invalid("This contact has neither a userId nor an address.")
        return await operations.regulate(
            app,
            what=what.value,
            subject_type=(SubjectType.USER_ID if contact.user_id else SubjectType.EMAIL).value,
            subjects=[subject],
            workspace_id=seen.workspace.id,
            by=seen.email,
        )

    async def confirm(request: Incoming, contact_id: str, act: str) -> Response[bytes]:
        seen = visit(request)
        contact = await _contact(seen, contact_id)
        told = [
            each.name
            for each in app.directory.destinations_of(seen.workspace.id)
            if each.type == "webhook" and each.enabled
        ]
        return dashboard.page(seen, "privacy/confirm.html", here="contacts", person=named(contact), act=act, told=told)

    async def page(
        request: Incoming, *, status: int = 200, problem: str | None = None, what: str = "", kind: str = ""
    ) -> Response[bytes]:
        seen = visit(request)
        here = Narrowed("/privacy", request.query_params, ("before",))
        found, total = await operations.listed(
            app, workspace_id=seen.workspace.id, state=None, before=here.number("before"), limit=SHOWN
        )
        _, suppressed = await operations.everybody_suppressed(app, workspace_id=seen.workspace.id, after="", limit=1)
        return dashboard.page(
            seen,
            "privacy/list.html",
            here="privacy",
            status=status,
            requests=[(operations.shown_id(each), WORDS[each.type], each) for each in found],
            older=found[-1].id if len(found) == SHOWN else None,
            total=total,
            suppressed=suppressed,
            words=[(each.value, words) for each, words in WORDS.items()],
            problem=problem,
            what=what,
            kind=kind,
        )

    async def _contact(seen: Visit, contact_id: str) -> Contact:
        number = int(contact_id) if contact_id.isascii() and contact_id.isdigit() and len(contact_id) <= 18 else 0
        workspace = seen.workspace.id
        found = await app.store.read(lambda connection: contacts.by_id(connection, workspace, [number]).get(number))
        if found is None:
            raise NotFound("There is no such contact in this workspace.")
        return found

    return [show_privacy, ask, ask_to_erase, ask_to_suppress, erase, suppress]
