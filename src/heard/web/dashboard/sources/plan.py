"""`/sources/{id}/plan`: the source's tracking plan, as a form, and where it was broken lately."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.errors import Invalid, NotFound
from heard.operations import file_plan, plans, schema_seen, yaml_text
from heard.routing.destination import SURVEYS
from heard.schema.read import CHOICES
from heard.store import edits, tables
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.shell import Dashboard
from heard.web.dashboard.sources import view, words
from heard.web.dashboard.sources.view import mine

Incoming = Request[Any, Any, Any]
RULES = ("events", "identify", "group")
LONGEST = 500_000  # characters
NOTHING_YET = {"events": {}}


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/sources/{number:int}/plan", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_plan(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """`begin=seen` or `begin=empty` opens the form of a plan that is not kept yet."""
        seen = visit(request)
        source = mine(app, seen, number)
        begin = request.query_params.get("begin")
        written = await _written(seen, source.id)
        if written is None and begin in ("seen", "empty") and seen.may("set_up"):
            rules = NOTHING_YET
            if begin == "seen":
                rules = await schema_seen.suggested(app, workspace=seen.workspace.id, source=source.id)
            written = {"name": _free_name(seen, source.name), "sources": [source.name], **rules}
        return await page(seen, number, written)

    @post("/sources/{number:int}/plan", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def save_plan(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen, fields = visit(request), await request.form()
        source = mine(app, seen, number)
        plan = app.directory.tracking.get(source.id)
        rules = str(fields.get("rules") or "")
        written = {
            "name": str(fields.get("name") or ""),
            "sources": [str(each) for each in fields.getall("source", [])],
            "told": [str(each) for each in fields.getall("told", [])],
            **{key: str(fields.get(key) or "allow") for key in CHOICES},
        }
        try:
            written |= _rules(rules)
            await plans.save(
                app, workspace=seen.workspace.id, number=plan.id if plan else None, written=written, by=seen.email
            )
        except Invalid as problem:
            return await page(seen, number, written, 422, rules=rules, wrong=problem)
        return dashboard.to(f"/sources/{number}/plan", "The plan is saved. It holds for what comes from now on.")

    @post("/sources/{number:int}/plan/use", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def use_plan(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        """Another source's plan holds for this one too."""
        seen, fields = visit(request), await request.form()
        source, chosen = mine(app, seen, number), str(fields.get("plan") or "")
        plan = app.directory.tracking_plans.get(int(chosen) if chosen.isdecimal() else 0)
        if plan is None or plan.workspace != seen.workspace.id:
            raise NotFound("There is no such tracking plan in this workspace.")
        written = await _as_written(seen, plan.id)
        written["sources"] = list(dict.fromkeys([*written["sources"], source.name]))
        await plans.save(app, workspace=seen.workspace.id, number=plan.id, written=written, by=seen.email)
        return dashboard.to(f"/sources/{number}/plan", f"{plan.name} holds for {source.name} from now on.")

    @post("/sources/{number:int}/plan/remove", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def remove_plan(request: Incoming, number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        plan = app.directory.tracking.get(mine(app, seen, number).id)
        if plan is None:
            raise NotFound("This source has no tracking plan.")
        name = await plans.remove(app, workspace=seen.workspace.id, number=plan.id, by=seen.email)
        return dashboard.to(f"/sources/{number}/plan", f"{name} is removed. Nothing is judged by it any more.")

    async def page(
        seen: Visit, number: int, written: dict[str, Any] | None, status: int = 200, *, rules: str | None = None,
        wrong: Invalid | None = None,
    ) -> Response[bytes]:  # fmt: skip
        source = mine(app, seen, number)
        directory, workspace = app.directory, seen.workspace.id
        if rules is None and written is not None:
            rules = yaml_text.dump({key: written[key] for key in RULES if key in written})
        return view.page(
            dashboard,
            seen,
            "plan.html",
            source,
            tab="plan",
            status=status,
            written=written,
            rules=rules,
            wrong=wrong,
            wrong_at=_field(wrong),
            sources=[each.name for each in directory.sources.values() if each.workspace == workspace],
            others=[each for each in directory.tracking_plans.values() if each.workspace == workspace],
            destinations=[each.name for each in directory.destinations_of(workspace) if each.type != SURVEYS],
            broken=[
                (each, words.called(each.key), words.address(source.id, each.key), words.KINDS[each.kind])
                for each in await schema_seen.violations(app, workspace=workspace, source=source.id)
            ],
            seen_anything=bool(await schema_seen.every(app, workspace=workspace, source=source.id)),
        )

    async def _written(seen: Visit, source: int) -> dict[str, Any] | None:
        plan = app.directory.tracking.get(source)
        return None if plan is None else await _as_written(seen, plan.id)

    async def _as_written(seen: Visit, number: int) -> dict[str, Any]:
        rows = await app.store.read(
            lambda connection: edits.rows_of(connection, tables.tracking_plans, seen.workspace.id)
        )
        row = next(each for each in rows if each["id"] == number)
        sources = {each.id: each.name for each in app.directory.sources.values()}
        destinations = {each.id: each.name for each in app.directory.destinations.values()}
        return file_plan.as_written(row, sources, destinations)

    def _free_name(seen: Visit, name: str) -> str:
        taken = {each.name for each in app.directory.tracking_plans.values() if each.workspace == seen.workspace.id}
        return next(each for each in (name, *(f"{name} {number}" for number in range(2, 10_000))) if each not in taken)

    return [show_plan, save_plan, use_plan, remove_plan]


def _rules(text: str) -> dict[str, Any]:
    """What stands in the box.

    Raises:
        Invalid: with `field` `rules`: it is no YAML, or holds something else.
    """
    if len(text) > LONGEST:
        raise Invalid(f"The rules are longer than {LONGEST:,} characters.", field="rules")
    try:
        content = yaml_text.load(text)
    except Invalid as problem:
        raise Invalid(str(problem), field="rules") from None
    if content is None:
        return dict(NOTHING_YET)
    if not isinstance(content, dict):
        raise Invalid("Write `events:`, and under it each event with its rule.", field="rules")
    for key in content:
        if key not in RULES:
            raise Invalid(f"{key}: only {', '.join(RULES)} stand here.", field="rules")
    return content


def _field(wrong: Invalid | None) -> str | None:
    """Which field of the form is meant; whatever stands within the rules is in their box."""
    if wrong is None:
        return None
    top = (wrong.field or "rules").partition(".")[0]
    return "rules" if top in RULES else top
