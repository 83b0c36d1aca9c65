"""`/campaigns/{id}/dry-run`: what it would have done over the messages that are kept, beside what really happened."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from heard.accounts.member import Action
from heard.campaigns.campaign import Recipients
from heard.deliveries.reasons import Reason
from heard.operations.dry_runs import DryRuns
from heard.steps.rehearse import Progress
from heard.web.dashboard.campaigns import words as campaign_words
from heard.web.dashboard.campaigns.view import mine
from heard.web.dashboard.door import visit
from heard.web.dashboard.shell import Dashboard

SPANS = {"7d": "7 days", "30d": "30 days", "90d": "90 days"}
OF_EACH_REASON = 2  # people that are listed
DAYS = 14  # of which each has a row
PATIENCE = 2.0  # seconds that the page waits before it says how far it is


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app
    runs = DryRuns(app)

    def is_asked_again(request: Request[Any, Any, Any]) -> bool:
        """By the page itself, which shows how far it is."""
        return "again" in request.query_params

    @get("/campaigns/{number:int}/dry-run", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_dry_run(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        campaign = mine(app, seen, number)
        chosen = request.query_params.get("since", "30d")
        chosen = chosen if chosen in SPANS else "30d"
        found = how_far = None
        if campaign.recipients not in (Recipients.API, Recipients.LINK):
            found = await runs.of(campaign, since=chosen, patience=0.1 if is_asked_again(request) else PATIENCE)
        if isinstance(found, Progress):
            found, how_far = None, found
        return dashboard.page(
            seen,
            "campaign_dry.html",
            here="campaigns",
            campaign=campaign,
            found=found,
            how_far=how_far,
            days=_days(found)[-DAYS:] if found else [],
            more_days=bool(found) and len(_days(found)) > DAYS,
            reasons=_reasons(found) if found else [],
            some=_some(found) if found else [],
            span=chosen,
            spans=SPANS,
            labels=campaign_words.LABELS,
            badges=campaign_words.BADGES,
            tab="dry-run",
        )

    return [show_dry_run]


def _days(found: dict[str, Any]) -> list[tuple[str, int, int]]:
    """(day, would, did) of every day with an invitation."""
    sides = (found["would"], found["really"] or {"by_day": []})
    would, did = ({each["day"]: each["invited"] for each in side["by_day"]} for side in sides)
    return [(day, would.get(day, 0), did.get(day, 0)) for day in sorted({*would, *did})]


def _reasons(found: dict[str, Any]) -> list[tuple[str, int, int]]:
    """(what it is called, would, did), the most first."""
    would, did = found["would"]["reasons"], (found["really"] or {}).get("reasons", {})
    every = sorted({*would, *did}, key=lambda each: -would.get(each, 0))
    return [(campaign_words.LABELS[Reason(each)], would.get(each, 0), did.get(each, 0)) for each in every]


def _some(found: dict[str, Any]) -> list[dict[str, Any]]:
    taken: dict[str, int] = {}
    some: list[dict[str, Any]] = []
    for each in found["sample"]:
        first = each["objections"][0]["reason"] if each["objections"] else ""
        taken[first] = taken.get(first, 0) + 1
        if taken[first] <= OF_EACH_REASON:
            some.append(each | {"reason": campaign_words.LABELS[Reason(first)] if first else ""})
    return some
