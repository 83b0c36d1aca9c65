"""The score of a survey, as the terminal and the API give it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from heard.installation import Installation
from heard.operations.kept import gone_before
from heard.operations.meant import workspace_meant
from heard.retention import Kind
from heard.scores.window import shown, window


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

    told = msgspec.to_builtins(await asyncio.to_thread(count))
    gone = await gone_before(app, Kind.ANSWERS, window(from_, to).begins)
    if gone is not None:
        told["window_note"] += f" Answers from before {shown(gone)} are kept no longer."
    return told
