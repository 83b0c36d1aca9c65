"""`/decisions`: who stands behind a step of the funnel, newest first, each with the rules that objected."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get
from sqlalchemy import Connection

from heard.accounts.member import Action
from heard.deliveries.decision import Decision, Outcome
from heard.deliveries.in_words import Words, in_words, label
from heard.deliveries.reasons import Objection, Reason
from heard.errors import Invalid
from heard.store import contacts, decisions
from heard.web.dashboard.contacts.why import names_for
from heard.web.dashboard.door import visit
from heard.web.dashboard.named import Named, named
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.shell import Dashboard

NAMES = ("campaign", "outcome", "reason", "from", "to", "cursor")
PAGE = 50
EXAMINED = 10_000  # decisions, where a reason is looked for


class Row(msgspec.Struct, frozen=True, kw_only=True):
    decision: Decision
    campaign: str
    person: Named | None  # nobody had said who it is
    objections: list[tuple[Objection, Words]]
    reasons: str


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/decisions", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_decisions(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen = visit(request)
        at = Narrowed("/decisions", request.query_params, NAMES)
        campaigns = {each.id: each for each in app.directory.campaigns_of(seen.workspace.id)}
        outcome, reason = at.one_of("outcome", tuple(Outcome)), at.one_of("reason", tuple(Reason))
        chosen, below, window = at.number("campaign"), at.number("cursor"), at.window()
        if chosen is not None and chosen not in campaigns:
            raise Invalid("There is no such campaign in this workspace.", field="campaign")
        wanted = Outcome(outcome) if outcome else Outcome.DECLINED if reason else None

        def look(connection: Connection) -> tuple[list[Row], int | None, datetime | None]:
            found, further = decisions.newest(
                connection,
                seen.workspace.id,
                campaigns=[chosen] if chosen is not None else campaigns,
                outcome=wanted,
                reason=Reason(reason) if reason else None,
                since=window.begins,
                until=window.ends,
                below=below,
                examined=max(PAGE, EXAMINED // max(1, 1 if chosen is not None else len(campaigns))),
                limit=PAGE,
            )
            reached = None
            if further is not None and len(found) < PAGE:
                edge = decisions.by_id(connection, seen.workspace.id, [further])
                reached = edge[further].at if further in edge else None
            return _rows(connection, seen.workspace.id, found), further, reached

        def _rows(connection: Connection, workspace: int, found: list[Decision]) -> list[Row]:
            ids = {each.contact for each in found if each.contact is not None}
            unmet = {each.user_id for each in found if each.contact is None and each.user_id is not None}
            people = contacts.by_id(connection, workspace, ids)
            users = contacts.by_user_id(connection, workspace, unmet)  # identified since
            return [_row(each, person=people.get(each.contact or 0) or users.get(each.user_id or "")) for each in found]

        def _row(decision: Decision, person: Any) -> Row:
            who = named(person) if person else None
            names = names_for(decision, app.directory, who.first if who else None)
            return Row(
                decision=decision,
                campaign=names.campaign,
                person=who,
                objections=[(each, in_words(each, names, at=decision.at)) for each in decision.objections],
                reasons=", ".join(label(each.reason) for each in decision.objections),
            )

        rows, further, reached = await app.store.read(look)
        chips = at.chips(
            at.chip("campaign", "campaign", campaigns[chosen].name if chosen is not None else None),
            at.chip("outcome", "outcome"),
            at.chip("reason", "reason", label(Reason(reason)) if reason else None),
        )
        return dashboard.page(
            seen,
            "decisions.html",
            here="campaigns",
            at=at,
            rows=rows,
            chips=chips,
            further=further,
            reached=reached,
            campaigns=[(each.id, each.name) for each in campaigns.values()],
            outcomes=[(each.value, each.value.capitalize()) for each in Outcome],
            reasons=[(each.value, label(each).capitalize()) for each in Reason],
        )

    return [show_decisions]
