"""`GET /api/contacts/{who}`: a person, and why they were (not) asked. `who` is a userId, `email:ann@x` or `id:12`."""

from __future__ import annotations

from typing import Any

from litestar import get

from heard.installation import Installation
from heard.operations import contacts, why
from heard.web.api.names import name


def routes(app: Installation) -> list[Any]:
    @get("/contacts/{who:str}", tags=["contacts"])
    async def get_contact(workspace: int, who: str) -> Any:
        """A contact with its traits, status and lists; 404 when nobody is known by that name."""
        return await contacts.contact(app, user_id=name(who), workspace_id=workspace)

    @get("/contacts/{who:str}/why", tags=["contacts"])
    async def get_why(workspace: int, who: str, campaign: str | None = None) -> Any:
        """Every kept decision about this person, and what each campaign would decide now."""
        return await why.why(app, user_id=name(who), campaign=campaign, workspace_id=workspace)

    return [get_contact, get_why]
