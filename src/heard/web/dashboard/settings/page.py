"""`/settings`: brand, mail, keys, members, workspaces, the workspace file, what is kept how long, who changed what."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from heard.accounts.member import Action
from heard.web.dashboard.door import visit
from heard.web.dashboard.settings import audit as settings_audit
from heard.web.dashboard.settings import brand as settings_brand
from heard.web.dashboard.settings import file as settings_file
from heard.web.dashboard.settings import kept as settings_kept
from heard.web.dashboard.settings import keys as settings_keys
from heard.web.dashboard.settings import mail as settings_mail
from heard.web.dashboard.settings import members as settings_members
from heard.web.dashboard.settings import workspaces as settings_workspaces
from heard.web.dashboard.shell import Dashboard

TABS = (
    settings_brand,
    settings_mail,
    settings_keys,
    settings_members,
    settings_workspaces,
    settings_file,
    settings_kept,
    settings_audit,
)


def routes(dashboard: Dashboard) -> list[Any]:
    @get("/settings", opt={"may": Action.SEE}, include_in_schema=False, status_code=303)
    async def show_settings(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The first tab that this role may open."""
        return dashboard.to("/settings/brand" if visit(request).may(Action.SET_UP) else "/settings/workspaces")

    return [show_settings, *(handler for tab in TABS for handler in tab.routes(dashboard))]
