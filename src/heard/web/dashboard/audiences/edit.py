"""`/audiences/new`, `/audiences/new/trait` and `/audiences/{id}/edit`: the form, and how many would be members."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.errors import Invalid
from heard.operations import audiences_edit
from heard.operations.audiences_edit import ChangedMeanwhile, Kept
from heard.store.directory import AUDIENCE, TRAIT
from heard.web.dashboard.audiences import form as audience_form
from heard.web.dashboard.audiences import meant as meanings
from heard.web.dashboard.audiences import refined, rows
from heard.web.dashboard.audiences.form import Form, Meant
from heard.web.dashboard.audiences.shown import Shown, shower
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.shell import Dashboard

Incoming = Request[Any, Any, Any]
NEW = {AUDIENCE: "/audiences/new", TRAIT: "/audiences/new/trait"}
PREVIEWS = [f"{path}/preview" for path in NEW.values()]


class At(msgspec.Struct, frozen=True, kw_only=True):
    """Where the form stands: that of a new one of a kind, or of a kept one, with its form as it was."""

    kind: str
    kept: Kept | None = None
    before: Form | None = None

    @property
    def number(self) -> int | None:
        return self.kept.id if self.kept else None

    @property
    def path(self) -> str:
        return f"/audiences/{self.kept.id}/edit" if self.kept else NEW[self.kind]

    @property
    def preview(self) -> str:
        return f"/audiences/{self.kept.id}/preview" if self.kept else f"{NEW[self.kind]}/preview"


def routes(dashboard: Dashboard) -> list[Any]:
    app, show = dashboard.app, shower(dashboard.app)

    def surveys_of(seen: Visit) -> str:
        return app.directory.destinations[app.directory.intakes[seen.workspace.id].destination].name

    async def at(seen: Visit, number: int) -> At:
        kept = await audiences_edit.kept(app, seen.workspace.id, number)
        return At(kind=kept.kind, kept=kept, before=audience_form.of_kept(kept, surveys_of(seen)))

    @get(list(NEW.values()), opt={"may": Action.SET_UP}, include_in_schema=False)
    async def show_new(request: Incoming) -> Response[bytes]:
        seen, place = visit(request), At(kind=_kind(request))
        form = audience_form.empty(place.kind, surveys_of(seen))
        if (copied := Narrowed("", request.query_params, ("copy",)).number("copy")) is not None:
            original = await at(seen, copied)
            assert original.before is not None
            place = At(kind=original.kind)
            form = msgspec.structs.replace(original.before, name=f"Copy of {original.before.name}", stamp="")
        return await page(seen, place, form, loaded=False)

    @post(list(NEW.values()), opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def make(request: Incoming) -> Response[bytes]:
        return await save(request, At(kind=_kind(request)))

    @post(PREVIEWS, opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def preview_new(request: Incoming) -> Response[bytes]:
        return await preview(request, At(kind=_kind(request)))

    @get("/audiences/{number:int}/edit", opt={"may": Action.SET_UP}, include_in_schema=False)
    async def show_edit(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        place = await at(seen, number)
        assert place.before is not None
        return await page(seen, place, place.before, loaded=False)

    @post("/audiences/{number:int}/edit", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def change(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        return await save(request, await at(visit(request), number))

    @post("/audiences/{number:int}/preview", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def preview_changes(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        return await preview(request, await at(visit(request), number))

    async def save(request: Incoming, place: At) -> Response[bytes]:
        seen = visit(request)
        form = audience_form.of_fields(await request.form(), place.kind)
        meant = audience_form.meant(form, place.before, place.kept)
        if meant.wrong:
            return await page(seen, place, form, status=422, wrong=meant.wrong)
        try:
            number = await audiences_edit.save(
                app,
                workspace=seen.workspace.id,
                kind=place.kind,
                written=meant.line,
                by=seen.email,
                number=place.number,
                stamp=form.stamp if place.kept else None,
            )
        except ChangedMeanwhile:
            assert place.kept is not None
            mended = msgspec.structs.replace(form, stamp=place.kept.stamp)
            problem = "Somebody saved it while you edited. Saving again puts yours in place of theirs."
            return await page(seen, place, mended, status=409, problem=problem)
        except Invalid as problem:
            said = str(problem).removeprefix(f"{problem.field}: ")
            wrong = {_at(problem): said[:1].upper() + said[1:]}
            return await page(seen, place, form, status=422, wrong=wrong)
        said = "Its members are being counted." if place.kind == AUDIENCE else "It is being computed."
        return dashboard.to(
            f"/audiences/{number}", f"Saved {form.name}." if place.kept else f"{form.name} is made. {said}"
        )

    async def preview(request: Incoming, place: At) -> Response[bytes]:
        """The form as it stands with what it would come to; `act` is a button that changes the form first."""
        seen, fields = visit(request), await request.form()
        form, act, focus = audience_form.of_fields(fields, place.kind), str(fields.get("act") or ""), ""
        if not act:
            return await page(seen, place, form)
        try:
            if act == "text":
                form = audience_form.as_text(form, audience_form.meant(form, place.before, place.kept).line["where"])
            elif act == "rows":
                form = audience_form.as_rows(form)
            else:
                root, focus = meanings.changed(form.root, act)
                form = msgspec.structs.replace(form, root=root)
        except Invalid as problem:
            return await page(seen, place, form, status=422, wrong={problem.field or "text": str(problem)})
        return await page(seen, place, form, loaded=act.startswith("use "), focus=focus)

    async def page(
        seen: Visit,
        place: At,
        form: Form,
        *,
        status: int = 200,
        wrong: dict[str, str] | None = None,
        problem: str | None = None,
        loaded: bool = True,
        focus: str = "",
    ) -> Response[bytes]:
        """`loaded`: with how many it would come to; else the page asks for that once it is there."""
        meant: Meant = audience_form.meant(form, place.before, place.kept)
        shown: Shown = await show(seen.workspace.id, form, meant, instead=place.number, counting=loaded and not wrong)
        return dashboard.page(
            seen,
            "audiences/form.html",
            here="audiences",
            status=status,
            its=place,
            form=form,
            wrong=_all_wrong(meant.problems if loaded else {}, shown.wrong, wrong or {}),
            problem=problem,
            loaded=loaded,
            focus=focus,
            shown=shown,
            destinations=[each.name for each in app.directory.destinations_of(seen.workspace.id)],
            surveys=surveys_of(seen),
            slots=audience_form.slots(form),
            deepest=rows.DEEPEST,
            kinds=audience_form.KINDS,
            often=rows.OFTEN,
            operators=refined.OPERATORS,
        )

    return [show_new, make, preview_new, show_edit, change, preview_changes]


def _kind(request: Incoming) -> str:
    return TRAIT if request.scope["path"].startswith(NEW[TRAIT]) else AUDIENCE


def _all_wrong(live: dict[str, str], around: dict[str, str], told: dict[str, str]) -> dict[str, str]:
    """What is said at its field need not be said of the whole."""
    whole = {**live, **around, **told}
    return {field: said for field, said in whole.items() if field != "top" or not around}


def _at(problem: Invalid) -> str:
    """The field of the form that a line's key is written in."""
    key = (problem.field or "").partition(".")[0]
    return key if key in ("name", "to", "as") else "top"
