"""`/settings/kept`: how long things are kept, how much of them there is, and what went last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get

from heard.accounts.member import Action
from heard.operations import kept
from heard.operations.kept import Overdue
from heard.web.dashboard.door import visit
from heard.web.dashboard.shell import Dashboard

UNITS = ("bytes", "KB", "MB", "GB", "TB")
NEEDED: Mapping[str, str] = {
    "held": "an event of them waits for the identify of its user",
    "intake": "some of them wait for the next day, over the daily limit",
    "audience": "a new audience has not counted them yet",
    "destination": "{name} has not taken all of its messages of them",
    "elsewhere": "another workspace still needs them",
}


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/settings/kept", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_kept(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen = visit(request)
        found = await kept.seen(app, seen.workspace.id)
        return dashboard.page(
            seen,
            "settings_kept.html",
            here="settings",
            tab="kept",
            found=found,
            most=max((each.messages for each in found.months), default=0),
            room=room,
            why=why,
        )

    return [show_kept]


def room(size: float) -> str:
    """1536 -> "1.5 KB": about how much room something takes."""
    for unit in UNITS:
        if size < 1000 or unit == UNITS[-1]:
            return f"{size:.0f} {unit}" if size >= 10 or unit == UNITS[0] else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("the last unit takes the rest")


def why(overdue: Overdue) -> str:
    """What days of messages that should be gone wait for."""
    return NEEDED[overdue.why].format(name=overdue.name)
