"""`/outbox` for members: the mails of the workspace they look at."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from litestar import Request

from heard.ids import previewed
from heard.store import deliveries
from heard.web import outbox
from heard.web.dashboard.door import visit
from heard.web.dashboard.shell import Dashboard


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app
    if app.outbox is None:
        return []

    async def mine(request: Request[Any, Any, Any], ids: Sequence[str]) -> frozenset[str]:
        place = visit(request).workspace.id
        # A mail that a member sent to themselves is no delivery; its id says whose it is.
        looked_at = [each for each in ids if (found := previewed(each)) and found.workspace == place]
        theirs = await app.store.read(partial(deliveries.of_workspaces, workspaces=[place], ids=ids))
        return theirs.union(looked_at)

    return list(outbox.routes(app.outbox, mine=mine, base=dashboard.base))
