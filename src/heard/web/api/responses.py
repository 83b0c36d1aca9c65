"""`GET /api/responses`: the answers themselves."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import Parameter

from heard.installation import Installation
from heard.responses.response import Response
from heard.store import responses
from heard.store.directory import Directory
from heard.web.api.deliveries import Limit
from heard.web.api.paging import LIMIT


def routes(app: Installation) -> list[Any]:
    @get("/responses", tags=["responses"])
    async def list_responses(
        workspace: int,
        survey: str | None = None,
        user_id: str | None = None,
        since: Annotated[str | None, Parameter(query="from")] = None,
        until: Annotated[str | None, Parameter(query="to")] = None,
        where: str | None = None,
        cursor: str | None = None,
        limit: Limit = LIMIT,
    ) -> dict[str, Any]:
        """Answers, newest first. Filters: `survey` (its name), `user_id`, `from`, `to`, and `where` in FQL."""
        directory = app.directory
        if survey:
            directory.survey(workspace, survey)
        analytics = await app.answers()
        find = partial(
            analytics.matching,
            workspace,
            survey=survey,
            user_id=user_id,
            from_=since,
            to=until,
            where=where,
            cursor=cursor,
            limit=limit,
        )
        page = await asyncio.to_thread(find)
        found = await app.store.read(lambda connection: responses.by_ids(connection, workspace, page.ids))
        return {"data": [shown(each, directory) for each in found], "next": page.next}

    return [list_responses]


def shown(response: Response, directory: Directory) -> dict[str, Any]:
    return {
        "id": str(response.id),
        "survey": directory.surveys[response.survey].name,
        "campaign": directory.campaigns[response.campaign].name,
        "user_id": response.user_id,
        "channel": response.channel,
        "metric": response.metric,
        "value": response.value,
        "category": response.category,
        "comment": response.comment,
        "answers": response.answers,
        "traits": msgspec.Raw(response.traits),
        "answered_at": response.answered_at,
        "updated_at": response.updated_at,
        "verdict": response.verdict,
        "campaign_version": response.campaign_version,
        "survey_version": response.survey_version,
    }
