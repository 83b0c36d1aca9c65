"""`/settings/audit`: who changed what, newest first."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Request, Response, get

from heard.accounts.member import Action
from heard.errors import Invalid
from heard.store import audit
from heard.web.dashboard.door import visit
from heard.web.dashboard.settings.audit_words import said
from heard.web.dashboard.shell import Dashboard

SHOWN = 50


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/settings/audit", opt={"may": Action.AUDIT}, include_in_schema=False)
    async def show_audit(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, cursor = visit(request), request.query_params.get("cursor", "")
        if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise Invalid("This cursor is none of ours. Begin with the newest.", field="cursor")
        before = int(cursor) if cursor else None
        found = await app.store.read(partial(audit.newest, workspace=seen.workspace.id, before=before, limit=SHOWN + 1))
        return dashboard.page(
            seen,
            "settings_audit.html",
            here="settings",
            tab="audit",
            entries=[(each, said(each)) for each in found[:SHOWN]],
            older=found[SHOWN - 1].id if len(found) > SHOWN else None,
            newest=before is None,
        )

    return [show_audit]
