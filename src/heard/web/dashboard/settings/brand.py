"""`/settings/brand`: how the people who are asked see the workspace, and how often it may ask them.

A form is read as the workspace file is, so that both refuse the same and in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile

from heard import durations
from heard.accounts import logo
from heard.accounts.logo import Logo
from heard.accounts.member import Action
from heard.accounts.workspace import Brand, UnconfirmedClicks, Workspace, colour
from heard.channels.colour import LINE, NIGHT, PAPER, contrast, edge, on_colour
from heard.channels.email.look import initial
from heard.channels.email.render import NOWHERE
from heard.errors import Invalid
from heard.operations import workspace_file
from heard.surveys.wording import worded
from heard.web.dashboard.door import visit
from heard.web.dashboard.shell import HEADERS, Dashboard

BRAND = ("name", "from", "reply_to", "color", "address")
FIELDS = (*BRAND, "quiet_period", "exclude", "unconfirmed_clicks")
UNCONFIRMED = {
    UnconfirmedClicks.STRICT.value: "Never count it",
    UnconfirmedClicks.BALANCED.value: "Count it after 24 hours, unless a machine may have tapped it",
    UnconfirmedClicks.LENIENT.value: "Count it after one hour, unless a machine may have tapped it",
}
Written = dict[str, str]  # what stands in each field


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a mail, and what the colour does to what stands in it."""

    color: str
    on_color: str
    initial: str
    name: str
    sender: str
    question: str
    logo: Logo | None
    notes: list[str]
    adjusted: bool  # the colour needs help somewhere


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/settings/brand", opt={"may": Action.SET_UP}, include_in_schema=False)
    async def show_brand(request: Request[Any, Any, Any]) -> Response[bytes]:
        return brand_page(request, _as_written(visit(request).workspace))

    @post("/settings/brand", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def change_brand(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, form = visit(request), await request.form()
        written = {field: str(form.get(field, "")).strip() for field in FIELDS}
        content = {
            "workspace": seen.workspace.name,
            "brand": {field: written[field] for field in BRAND if written[field]},
            "quiet_period": written["quiet_period"] or None,
            "exclude": written["exclude"] or None,
            "unconfirmed_clicks": written["unconfirmed_clicks"] or None,
        }
        try:
            picture = await _picture(form, seen.workspace.brand)
            if picture:
                content["brand"]["logo"] = picture
            result = await workspace_file.apply(app, content=content, by=seen.email, only=seen.workspace.id)
        except Invalid as problem:
            place = problem.field or ""
            said = str(problem).removeprefix(f"{place}: ")
            said = said[:1].upper() + said[1:]
            return brand_page(request, written, 422, field=place.removeprefix("brand."), wrong=said)
        return dashboard.to("/settings/brand", "Saved." if result["changes"] else "Nothing was different.")

    @get("/settings/brand/look", opt={"may": Action.SET_UP}, include_in_schema=False)
    async def show_look(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The preview, while somebody types."""
        written = {field: request.query_params.get(field, "")[:500] for field in FIELDS}
        html = dashboard.render("settings_brand_look.html", look=look(written, visit(request).workspace))
        return Response(html.encode(), media_type="text/html", headers=dict(HEADERS))

    def brand_page(
        request: Request[Any, Any, Any], written: Written, status: int = 200, *, field: str = "", wrong: str = ""
    ) -> Response[bytes]:
        seen = visit(request)
        return dashboard.page(
            seen,
            "settings_brand.html",
            here="settings",
            tab="brand",
            status=status,
            written=written,
            wrong_at=field,
            wrong=wrong,
            look=look(written, seen.workspace),
            largest=logo.LARGEST // 1024,
            unconfirmed=UNCONFIRMED,
        )

    return [show_brand, change_brand, show_look]


def look(written: Mapping[str, str], workspace: Workspace) -> Look | None:
    """None while the colour is none."""
    try:
        color = colour(written["color"].strip() or Brand(name="").color)
    except Invalid:
        return None
    name = written["name"].strip() or workspace.name
    notes, adjusted = _about(color)
    return Look(
        color=color,
        on_color=on_colour(color),
        initial=initial(name),
        name=name,
        sender=written["from"].strip() or NOWHERE.address,
        question=worded("nps", brand=name).question,
        logo=logo.read(workspace.brand.logo),
        notes=notes,
        adjusted=adjusted,
    )


async def _picture(form: Any, brand: Brand) -> str:
    """The logo as it is to be: the uploaded one, else as it was, else none."""
    upload = form.get("logo")
    if isinstance(upload, UploadFile) and (octets := await upload.read(logo.LARGEST + 1)):
        try:
            return logo.written(logo.logo(octets))
        except Invalid as problem:
            raise Invalid(str(problem), field="brand.logo") from None
    return "" if form.get("no_logo") else brand.logo


def _about(color: str) -> tuple[list[str], bool]:
    """What Heard makes of a colour, in sentences; and whether it has to help it anywhere."""
    on = on_colour(color)
    kind = "White" if on == PAPER else "Dark"
    notes = [f"{kind} letters stand on it, with a contrast of {contrast(color, on):.1f} to 1."]
    by_day, by_night = edge(color, PAPER), edge(color, NIGHT, ratio=LINE)
    if by_day != color:
        notes.append(f"It is faint on white, so edges are drawn in {by_day} there.")
    if by_night != color:
        notes.append(f"It is faint on dark pages, so edges are drawn in {by_night} there.")
    return notes, by_day != color


def _as_written(workspace: Workspace) -> Written:
    brand = workspace.brand
    return {
        "name": brand.name,
        "from": brand.from_,
        "reply_to": brand.reply_to or "",
        "color": brand.color,
        "address": brand.address,
        "quiet_period": durations.write(workspace.quiet_period) if workspace.quiet_period else "",
        "exclude": workspace.exclude or "",
        "unconfirmed_clicks": workspace.unconfirmed_clicks.value,
    }
