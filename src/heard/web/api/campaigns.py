"""`/api/campaigns/{name}`: what it is, with its link; activate, pause, ask somebody, send again."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import Parameter

from heard.errors import Invalid
from heard.installation import Installation
from heard.operations import campaign_link, campaign_statistics, campaigns, campaigns_ask
from heard.operations.dry_runs import DryRuns
from heard.steps.rehearse import Progress
from heard.web.api import names
from heard.web.api.lists import NamedPerson, person

LONGEST_KEY = 200
AT_LEAST = 0.2  # seconds that are waited for a dry run


class Ask(NamedPerson, forbid_unknown_fields=True):
    """Whom to ask. `properties` are kept with the answer; `idempotency_key` makes it safe to say twice."""

    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    idempotency_key: str | None = None


class Again(msgspec.Struct, forbid_unknown_fields=True):
    """`everyone`: also whoever the campaign has asked before."""

    everyone: bool = False


class Past(msgspec.Struct, forbid_unknown_fields=True):
    """From when on: `30d`, a day or a moment. `wait`: answer when it is done, however long that takes."""

    since: str = "30d"
    wait: bool = True


def routes(app: Installation) -> list[Any]:
    runs = DryRuns(app)

    @get("/campaigns/{name:str}", tags=["campaigns"])
    async def get_campaign(workspace: int, name: str, tool: str | None = None) -> Any:
        """What a campaign is; by link, also its address and the blocks for mails of `tool`."""
        return await campaign_link.described(app, campaign=names.name(name), tool=tool, workspace_id=workspace)

    @post("/campaigns/{name:str}/activate", tags=["campaigns"], status_code=200)
    async def activate_campaign(workspace: int, caller: str, name: str) -> Any:
        """Make a campaign ready; it turns active with the first event that matches."""
        return await campaigns.activate(app, name=names.name(name), workspace_id=workspace, by=caller)

    @post("/campaigns/{name:str}/pause", tags=["campaigns"], status_code=200)
    async def pause_campaign(workspace: int, caller: str, name: str) -> Any:
        """Send nothing until it is activated again; what is scheduled is kept."""
        return await campaigns.pause(app, name=names.name(name), workspace_id=workspace, by=caller)

    @post("/campaigns/{name:str}/ask", tags=["campaigns"], status_code=200)
    async def ask_somebody(workspace: int, name: str, data: Ask) -> dict[str, Any]:
        """Ask one person, if the rules allow it; the answer says what was decided. A contact is made where none is."""
        if data.idempotency_key is not None and not 0 < len(data.idempotency_key) <= LONGEST_KEY:
            raise Invalid(f"Write 1 to {LONGEST_KEY} characters.", field="idempotency_key")
        return await campaigns_ask.ask(
            app,
            workspace=workspace,
            campaign=names.name(name),
            person=person(data),
            properties=data.properties,
            key=data.idempotency_key or secrets.token_urlsafe(16),
        )

    @post("/campaigns/{name:str}/send-again", tags=["campaigns"], status_code=200)
    async def send_again(workspace: int, caller: str, name: str, data: Again) -> dict[str, str]:
        """Go through the list or the audience once more: whoever was never asked, or everybody."""
        number = app.directory.campaign(workspace, names.name(name)).id
        sent = await campaigns_ask.send_again(
            app, workspace=workspace, number=number, everyone=data.everyone, by=caller
        )
        return {"campaign": sent.name, "status": sent.status.value}

    @post("/campaigns/{name:str}/dry-run", tags=["campaigns"], status_code=200)
    async def dry_run_campaign(workspace: int, name: str, data: Past) -> Any:
        """What it would have done over the messages that are kept, beside what really happened. Nothing is changed."""
        campaign = app.directory.campaign(workspace, names.name(name))
        found = await runs.of(campaign, since=data.since, patience=None if data.wait else AT_LEAST)
        if isinstance(found, Progress):
            how_far = {"campaign": campaign.name, "progress": found}
            return Response(how_far, status_code=202, headers={"Retry-After": "1"})
        return found

    @get("/campaigns/{name:str}/statistics", tags=["campaigns"])
    async def get_statistics(
        workspace: int,
        name: str,
        since: Annotated[str | None, Parameter(query="from")] = None,
        until: Annotated[str | None, Parameter(query="to")] = None,
        by: str | None = None,
    ) -> Any:
        """Everything a campaign came to, from those decided about to those who answered; broken down `by` a trait."""
        return await campaign_statistics.campaign_statistics(
            app, campaign=names.name(name), from_=since, to=until, by=by, workspace_id=workspace
        )

    return [get_campaign, activate_campaign, pause_campaign, ask_somebody, send_again, dry_run_campaign, get_statistics]
