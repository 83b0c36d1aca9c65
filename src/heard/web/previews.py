"""The survey page of a mail that a member sent to themselves: the same page, behind which nothing is kept."""

from __future__ import annotations

from msgspec import structs

from heard import ids
from heard.deliveries.delivery import OPEN_FOR
from heard.ids import PREVIEW
from heard.installation import Installation
from heard.surveys.because import because
from heard.surveys.wording import worded
from heard.web.respondents import Answered, Asked, Wish


def asked(app: Installation, token: str) -> Asked | None:
    """What the link opens; None when it is no preview of ours, is older than a month, or its campaign is gone."""
    link = app.keys.read(token, purpose=PREVIEW)
    found = ids.previewed(link.delivery_id) if link else None
    campaign = app.directory.campaigns.get(found.campaign) if found else None
    now = app.clock.now()
    if found is None or campaign is None or campaign.workspace != found.workspace or now >= found.at + OPEN_FOR:
        return None
    survey = app.directory.surveys[campaign.survey]
    brand = app.directory.workspaces[campaign.workspace].brand
    language = survey.languages[found.language if found.language < len(survey.languages) else 0]
    return Asked(
        delivery_id=link.delivery_id if link else "",
        brand=brand,
        wording=worded(survey.kind, brand=brand.name, language=language),
        because=because(campaign.event, found.at - campaign.delay, now=now, language=language),
        closes_at=found.at + OPEN_FOR,
        preview=True,
    )


def answered(app: Installation, token: str, *, value: int, comment: str) -> Asked | None:
    """As the page would look after this answer."""
    open_one = asked(app, token)
    if open_one is None:
        return None
    return structs.replace(open_one, answered=Answered(value=value, comment=comment, at=app.clock.now()))


def wished(app: Installation, token: str, wish: Wish, *, on: bool) -> Asked | None:
    """As the page would look after this wish."""
    open_one = asked(app, token)
    if open_one is None:
        return None
    field = {Wish.NONE: "unsubscribed", Wish.LESS: "less_often", Wish.NOT_THIS: "not_this_one"}[wish]
    return structs.replace(open_one, **{field: on})
