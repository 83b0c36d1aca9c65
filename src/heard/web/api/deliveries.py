"""`GET /api/deliveries`: every invitation and reminder, and how far it got."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from litestar import get
from litestar.params import Parameter

from heard.deliveries.delivery import Delivery, State
from heard.errors import Invalid
from heard.installation import Installation
from heard.store import deliveries
from heard.store.directory import Directory
from heard.web.api import paging

Limit = Annotated[int, Parameter(ge=1, le=paging.MOST, description="How many, 1 to 200.")]


def routes(app: Installation) -> list[Any]:
    @get("/deliveries", tags=["deliveries"])
    async def list_deliveries(
        workspace: int,
        user_id: str | None = None,
        campaign: str | None = None,
        status: Annotated[str | None, Parameter(query="state")] = None,
        cursor: str | None = None,
        limit: Limit = paging.LIMIT,
    ) -> dict[str, Any]:
        """Invitations and reminders (`kind`), latest due first. Filters: `user_id`, `campaign` (its name), `state`."""
        if status is not None and status not in {each.value for each in State}:
            raise Invalid(f"Write one of {', '.join(State)}.", field="state")
        directory = app.directory
        chosen = directory.campaign(workspace, campaign).id if campaign else None
        found = await app.store.read(
            lambda connection: deliveries.newest(
                connection,
                workspace,
                user_id=user_id,
                campaign=chosen,
                state=status,
                before=paging.after(cursor, tuple[datetime, str]),
                limit=limit,
            )
        )
        last = (found[-1].due_at, found[-1].id) if len(found) == limit else None
        return paging.page([shown(each, directory) for each in found], last)

    return [list_deliveries]


def shown(delivery: Delivery, directory: Directory) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "user_id": delivery.user_id,
        "campaign": directory.campaigns[delivery.campaign].name,
        "channel": delivery.channel,
        "kind": delivery.kind,
        "state": delivery.state,
        "due_at": delivery.due_at,
        "sent_at": delivery.sent_at,
        "attempts": delivery.attempts,
        "error": delivery.error,
        "campaign_version": delivery.campaign_version,
        "survey_version": delivery.survey_version,
    }
