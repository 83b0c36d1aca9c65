"""The public link of a campaign: its address, what signs it, the blocks for other tools' mails, and making it anew."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign, Channel, LinkIdentity
from heard.channels.link import embed
from heard.channels.link.embed import Block
from heard.channels.link.tools import BY_KEY, OTHER, Tool
from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations.meant import workspace_meant
from heard.store import audit, links
from heard.store.directory import Directory
from heard.surveys.wording import worded

LENGTH = 22  # characters of a token


class Links:
    """Whose link a token is, looked up in memory; made again when the directory is."""

    def __init__(self, app: Installation) -> None:
        self._app = app
        self._of: Directory | None = None
        self._campaigns: dict[str, int] = {}

    def campaign(self, token: str) -> Campaign | None:
        directory = self._app.directory
        if self._of is not directory:
            self._campaigns = {
                each: campaign.id
                for campaign in directory.campaigns.values()
                if campaign.channel is Channel.LINK
                for each in self._app.keys.campaign_tokens(campaign.workspace, campaign.id, campaign.link_turn)
            }
            self._of = directory
        number = self._campaigns.get(token) if len(token) == LENGTH else None
        return directory.campaigns[number] if number is not None else None


def address(app: Installation, campaign: Campaign) -> str:
    """Without parameters."""
    token = app.keys.campaign_tokens(campaign.workspace, campaign.id, campaign.link_turn)[0]
    return f"{app.base_url}/l/{token}"


def secrets(app: Installation, campaign: Campaign) -> list[str]:
    """What its parameters may be signed with, the newest first."""
    return app.keys.campaign_secrets(campaign.workspace, campaign.id, campaign.link_turn)


def blocks(app: Installation, campaign: Campaign, tool: Tool) -> dict[str, Block]:
    """For each language of the survey. With several of them each says its own in the links."""
    survey = app.directory.surveys[campaign.survey]
    brand = app.directory.workspaces[campaign.workspace].brand.name
    several = len(survey.languages) > 1
    return {
        code: embed.block(
            address(app, campaign),
            tool,
            worded(survey.kind, brand=brand, language=code),
            language=code if several else None,
            signed=campaign.link_identity is LinkIdentity.SIGNED,
        )
        for code in survey.languages
    }


async def described(
    app: Installation,
    *,
    campaign: str,
    tool: str | None = None,
    workspace: str | None = None,
    workspace_id: int | None = None,
) -> dict[str, Any]:
    """`{"name", "survey", "channel", "recipients", "status", "link": {"url", "identity"} | null,
    "embed": {"tool", "html": {language: text}, "text": {language: text}} | null}`, the last two of the channel link.

    What signs the link is not told: a key that may only read could make contacts by it.

    Raises:
        NotFound: there is no such campaign.
        Invalid: there is no such tool (field `tool`).
    """
    found = app.directory.campaign(workspace_meant(app, workspace, workspace_id), campaign)
    chosen = BY_KEY.get(tool or OTHER.key)
    if chosen is None:
        raise Invalid(f"Write one of {', '.join(BY_KEY)}.", field="tool")
    is_link = found.channel is Channel.LINK
    ready = blocks(app, found, chosen) if is_link else {}
    return {
        "name": found.name,
        "survey": app.directory.surveys[found.survey].name,
        "channel": found.channel.value,
        "recipients": found.recipients.value,
        "status": found.status.value,
        "link": {
            "url": address(app, found),
            "identity": found.link_identity.value,
        }
        if is_link
        else None,
        "embed": {
            "tool": chosen.key,
            "html": {code: block.html for code, block in ready.items()},
            "text": {code: block.text for code, block in ready.items()},
        }
        if is_link
        else None,
    }


async def turn(app: Installation, *, workspace: int, number: int, by: str) -> Campaign:
    """Make the link and its secret anew: those that were given out open nothing any more.

    Raises:
        NotFound: there is no such campaign here.
        Invalid: it has no link.
    """
    campaign = app.directory.campaigns.get(number)
    if campaign is None or campaign.workspace != workspace:
        raise NotFound("There is no such campaign in this workspace.")
    if campaign.channel is not Channel.LINK:
        raise Invalid(f"{campaign.name} asks by e-mail and has no link.")
    now = app.clock.now()

    def keep(connection: Connection) -> None:
        links.turn(connection, workspace, number, now=now)
        audit.note(connection, workspace, by=by, what="campaign.link_made_anew", subject=campaign.name, at=now)

    await app.store.write(keep)
    await app.reload()
    return app.directory.campaigns[number]
