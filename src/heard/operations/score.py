"""The score of a survey, as the terminal and the API give it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from heard.installation import Installation
from heard.operations.meant import workspace_meant


async def score(
    app: Installation,
    *,
    survey: str,
    where: str | None = None,
    by: str | None = None,
    from_: str | None = None,
    to: str | None = None,
    every: str | None = None,
    workspace: str | None = None,
    workspace_id: int | None = None,
) -> dict[str, Any]:
    """A `heard.scores.report.ScoreReport` as JSON.

    Raises:
        NotFound: there is no such survey.
        Invalid: with the `field` that cannot be used: where, by, every, from, to.
    """
    number = workspace_meant(app, workspace, workspace_id)
    asked, now = app.directory.survey(number, survey), app.clock.now()
    analytics = await app.answers()

    def count() -> Any:
        return analytics.score(
            number, asked.name, asked.kind, now=now, from_=from_, to=to, where=where, by=by, every=every
        )

    return msgspec.to_builtins(await asyncio.to_thread(count))
