"""`/settings/file`: the workspace as a file, to copy, to download, and to apply after a look at what would change."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile

from heard.accounts.member import Action
from heard.errors import Invalid
from heard.operations import workspace_file, yaml_text
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.settings.audit_words import change_in_words
from heard.web.dashboard.shell import HEADERS, Dashboard

LONGEST = 500_000  # characters


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/settings/file", opt={"may": Action.SET_UP}, include_in_schema=False)
    async def show_file(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await file_page(visit(request))

    @get("/settings/file.yaml", opt={"may": Action.SET_UP}, include_in_schema=False)
    async def download_file(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen = visit(request)
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{seen.workspace.slug}.yaml"'}
        return Response((await _written(seen)).encode(), media_type="application/yaml", headers=headers)

    @post("/settings/file", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def apply_file(request: Request[Any, Any, Any]) -> Response[bytes]:
        """`act=look` says what the file would change, `act=apply` changes it."""
        seen, form = visit(request), await request.form()
        dry = form.get("act") != "apply"
        text = str(form.get("text", ""))
        try:
            text = await _given(form.get("file")) or text
            result = await workspace_file.apply(
                app, content=_read(text), by=seen.email, only=seen.workspace.id, dry=dry
            )
        except Invalid as problem:
            return await file_page(seen, 422, text=text, field=problem.field, wrong=str(problem))
        if dry:
            return await file_page(seen, text=text, found=[change_in_words(each) for each in result["changes"]])
        number = len(result["changes"])
        said = f"{number} {'change' if number == 1 else 'changes'} applied." if number else "Nothing was different."
        return dashboard.to("/settings/file", said)

    async def _written(seen: Visit) -> str:
        return yaml_text.dump(await workspace_file.export(app, workspace_id=seen.workspace.id))

    async def file_page(
        seen: Visit,
        status: int = 200,
        *,
        text: str = "",
        found: list[str] | None = None,
        field: str | None = None,
        wrong: str | None = None,
    ) -> Response[bytes]:
        return dashboard.page(
            seen,
            "settings_file.html",
            here="settings",
            tab="file",
            status=status,
            file=await _written(seen),
            text=text,
            found=found,
            field=field,
            wrong=wrong,
        )

    return [show_file, download_file, apply_file]


async def _given(upload: object) -> str:
    """The text of an uploaded file; "" without one."""
    if not isinstance(upload, UploadFile):
        return ""
    content = await upload.read(LONGEST * 4 + 1)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Invalid("Choose a text file; this one is not UTF-8 text.") from None


def _read(text: str) -> Any:
    if len(text) > LONGEST:
        raise Invalid(f"The file is longer than {LONGEST:,} characters; use `heard apply` for it.")
    content = yaml_text.load(text)
    if content is None:
        raise Invalid("The file is empty: it needs at least the line `workspace: NAME`.")
    return content
