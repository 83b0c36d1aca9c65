"""`POST /api/campaigns/{name}/activate` and `/pause`."""

from __future__ import annotations

from typing import Any

from litestar import post

from heard.installation import Installation
from heard.operations import campaigns
from heard.web.api import names


def routes(app: Installation) -> list[Any]:
    @post("/campaigns/{name:str}/activate", tags=["campaigns"], status_code=200)
    async def activate_campaign(workspace: int, caller: str, name: str) -> Any:
        """Make a campaign ready; it turns active with the first event that matches."""
        return await campaigns.activate(app, name=names.name(name), workspace_id=workspace, by=caller)

    @post("/campaigns/{name:str}/pause", tags=["campaigns"], status_code=200)
    async def pause_campaign(workspace: int, caller: str, name: str) -> Any:
        """Send nothing until it is activated again; what is scheduled is kept."""
        return await campaigns.pause(app, name=names.name(name), workspace_id=workspace, by=caller)

    return [activate_campaign, pause_campaign]
