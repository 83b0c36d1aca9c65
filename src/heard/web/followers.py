"""What stands behind the page of a public link: parameters become somebody, forms become answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TypedDict

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign, is_running
from heard.channels.link import who
from heard.channels.link.who import Named, Unnamed
from heard.installation import Installation
from heard.operations import campaign_link
from heard.operations.campaign_link import Links
from heard.responses.clicks import GET, Click, Link
from heard.responses.scanners import known_as
from heard.steps import follow
from heard.steps.follow import Became
from heard.store import links
from heard.surveys.locales import matching
from heard.surveys.wording import worded
from heard.web.respondents import Asked


class Fetched(TypedDict):
    method: str
    agent: str
    client: str


class Follower(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody came by a campaign's link. `named` is who, or why that cannot be told; `asked` is the same for all."""

    campaign: Campaign
    named: Named | Unnamed
    asked: Asked
    is_open: bool


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """`token` opens the answer, for whoever came by a signed link."""

    became: Became
    token: str | None = None


class Followers:
    def __init__(self, app: Installation) -> None:
        self._app = app
        self._links = Links(app)

    def find(self, token: str, parameters: Mapping[str, str]) -> Follower | None:
        """None when there is no such link, or no more. Nothing is looked up of whom it names."""
        app, campaign = self._app, self._links.campaign(token)
        if campaign is None:
            return None
        survey = app.directory.surveys[campaign.survey]
        brand = app.directory.workspaces[campaign.workspace].brand
        language = matching(parameters.get("lang", ""), survey.languages) or survey.languages[0]
        secrets = campaign_link.secrets(app, campaign)
        return Follower(
            campaign=campaign,
            named=who.read(parameters, secrets=secrets, identity=campaign.link_identity),
            asked=Asked(delivery_id="", brand=brand, wording=worded(survey.kind, brand=brand.name, language=language)),
            is_open=is_running(campaign, app.clock.now()),
        )

    async def opened(self, follower: Follower, *, link: Link, value: int | None = None, fetched: Fetched) -> None:
        """A machine or a person fetched it; of links that name nobody, what people open is counted."""
        app, campaign, named, now = self._app, follower.campaign, follower.named, self._app.clock.now()
        if isinstance(named, Named):
            one = Click(at=now, link=link, value=value, **fetched)
            keep = partial(follow.opened, campaign=campaign, named=named, click=one, directory=app.directory)
        elif fetched["method"] == GET and link is not Link.HIDDEN and known_as(fetched["agent"]) is None:
            keep = partial(links.count, workspace=campaign.workspace, campaign=campaign.id, what=named.value, at=now)
        else:
            return
        await app.store.write(keep)

    async def send(
        self, follower: Follower, named: Named, *, value: int, comment: str, agent: str, client: str
    ) -> Sent:
        app = self._app

        def keep(connection: Connection) -> follow.Followed:
            return follow.follow(
                connection,
                follower.campaign,
                named,
                value=value,
                comment=comment,
                agent=agent,
                client=client,
                directory=app.directory,
                now=app.clock.now(),
            )

        found = await app.store.write(keep)
        if found.asked.changed:
            await app.reload()
        if found.asked.told:
            app.couriers.wake()
        shown = found.delivery if named.signed else None
        token = app.keys.token(follower.campaign.workspace, shown) if shown else None
        return Sent(became=found.became, token=token)
