"""`/`: where to look, until the dashboard is there."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from litestar import Request, Response, get
from litestar.types import Guard

from heard.installation import Installation
from heard.store import responses, tallies
from heard.web import door

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
}


def routes(app: Installation, *, base: str, guards: Sequence[Guard]) -> list[Any]:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True
    )

    @get("/", include_in_schema=False, guards=list(guards))
    async def show_home(request: Request[Any, Any, Any]) -> Response[bytes]:
        directory, mine = app.directory, door.workspaces(request)
        received = 0
        for workspace in mine:
            counted = await app.store.read(partial(tallies.totals, workspace=workspace))
            received += sum(counted.values())
        page = templates.get_template("home.html").render(
            base=base,
            origin=app.base_url,
            received=received,
            sources=[each for each in directory.sources.values() if each.workspace in mine],
            campaigns=[each for each in directory.campaigns.values() if each.workspace in mine],
            surveys=[each for each in directory.surveys.values() if each.workspace in mine],
            outbox=app.outbox is not None,
            answered=await app.store.read(
                lambda found: any(responses.somebody_answered(found, number) for number in mine)
            ),
            data=_data_option(app.settings.data),
        )
        return Response(page.encode(), media_type="text/html", headers=HEADERS)

    return [show_home]


def _data_option(data: Path) -> str:
    """What a command needs to find this installation from anywhere; nothing where it is their default."""
    return "" if data == Path("heard-data").absolute() else f" --data {shlex.quote(str(data))}"
