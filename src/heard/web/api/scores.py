"""`GET /api/scores`: a score with its count and its interval."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get
from litestar.params import Parameter

from heard.installation import Installation
from heard.operations import score


def routes(app: Installation) -> list[Any]:
    @get("/scores", tags=["scores"])
    async def get_score(
        workspace: int,
        survey: str,
        since: Annotated[str | None, Parameter(query="from")] = None,
        until: Annotated[str | None, Parameter(query="to")] = None,
        where: str | None = None,
        by: str | None = None,
        every: str | None = None,
    ) -> Any:
        """The score of a survey, of everybody or of those `where` is true of; broken down `by` a trait; over time."""
        return await score.score(
            app, survey=survey, from_=since, to=until, where=where, by=by, every=every, workspace_id=workspace
        )

    return [get_score]
