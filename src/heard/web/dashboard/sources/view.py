"""What every page of one source needs: which one it is, and its tabs."""

from __future__ import annotations

from typing import Any

from litestar import Response

from heard.errors import NotFound
from heard.installation import Installation
from heard.sources.source import Source
from heard.web.dashboard.door import Visit
from heard.web.dashboard.shell import Dashboard


def mine(app: Installation, seen: Visit, number: int) -> Source:
    """Raises NotFound for a source that is not in the workspace being looked at."""
    found = app.directory.sources.get(number)
    if found is None or found.workspace != seen.workspace.id:
        raise NotFound("There is no such source in this workspace.")
    return found


def page(
    dashboard: Dashboard, seen: Visit, template: str, source: Source, *, tab: str, status: int = 200, **view: Any
) -> Response[bytes]:
    return dashboard.page(
        seen,
        f"sources/{template}",
        here="sources",
        status=status,
        source=source,
        tab=tab,
        plan=dashboard.app.directory.tracking.get(source.id),
        may_set_up=seen.may("set_up"),
        **view,
    )
