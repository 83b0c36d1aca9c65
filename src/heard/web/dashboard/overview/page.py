"""`/`: the score of the workspace, what it rests on and where it comes from. What one chooses stands in the URL."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from heard.accounts.member import Action
from heard.contacts import traits
from heard.errors import Invalid
from heard.installation import Installation
from heard.operations.kept import gone_before
from heard.operations.overview import Newest, Overview, overview
from heard.operations.overview_rates import Remembered
from heard.retention import Kind
from heard.scores.trend import PERIODS as EVERY
from heard.store.analytics_filters import PLAIN
from heard.store.analytics_question import Known
from heard.web.dashboard import chips
from heard.web.dashboard.chips import OPERATORS, WITHOUT_VALUE, Draft
from heard.web.dashboard.door import visit
from heard.web.dashboard.named import named
from heard.web.dashboard.overview import export
from heard.web.dashboard.overview import state as overview_state
from heard.web.dashboard.overview import view as overview_view
from heard.web.dashboard.overview.state import AGAINST, PERIODS, State
from heard.web.dashboard.shell import Dashboard
from heard.web.dashboard.start import never_heard_anything

MOST_CHOICES = 12  # traits offered to break down by; any other can be written
FEW_VALUES = range(2, 41)
META = 2  # traits shown beside an answer


class Overviews:
    """Looks for a state; what cannot be used is put aside with its reason, and the rest is shown."""

    def __init__(self, app: Installation) -> None:
        self._app = app
        self._remembered = Remembered()

    async def look(self, workspace: int, state: State) -> tuple[Overview, State]:
        """Raises Invalid for what is no parameter's fault."""
        while True:
            try:
                asked = state.question()
                return await overview(self._app, asked, workspace_id=workspace, remembered=self._remembered), state
            except Invalid as problem:
                wrong = overview_state.refused(problem)
                if not wrong or wrong.keys() <= state.wrong.keys():
                    raise
                state = state.without(wrong)


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app
    overviews = Overviews(app)

    @get(["/", "/score"], opt={"may": Action.SEE}, include_in_schema=False)
    async def show_overview(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, now = visit(request), app.clock.now()
        query = dict(request.query_params)
        if not query and await never_heard_anything(app, seen.workspace.id):
            return dashboard.to("/start")
        state = overview_state.read(query, now=now)
        draft, wrong = _draft(query, state), {}
        if "field" in query:
            try:
                return dashboard.to("/" + state.to(where=chips.applied(state.given.get("where"), draft)))
            except Invalid as problem:
                wrong = {problem.field or "field": str(problem)}
        found, state = await overviews.look(seen.workspace.id, state)
        gone = await gone_before(app, Kind.ANSWERS, state.window.begins)
        return dashboard.page(
            seen,
            "overview.html",
            here="overview",
            status=400 if state.wrong or wrong else 200,
            found=found,
            gone=gone,
            state=state,
            page=overview_view.page(found, state, base=dashboard.base, now=now),
            written=found.metric.written,
            chips=chips.chips(state.given.get("where")),
            without_chip=lambda place: state.to(where=chips.without(state.given["where"], place)),
            draft=draft,
            wrong=wrong,
            editing="edit" in query or "field" in query,
            edits_fql="edit" in query and draft.replaces is None,
            operators=OPERATORS,
            without_value=WITHOUT_VALUE,
            presets=PERIODS,
            against=AGAINST,
            every=EVERY,
            fql=_effective(state),
            names=[each.name for each in found.fields] + list(PLAIN)[:-1],
            groupings=_groupings(found.fields),
            newest=[(each, _name(each), _meta(each, found)) for each in found.newest],
            pretty=lambda name: name.removeprefix("traits."),
        )

    return [show_overview, *export.routes(dashboard, overviews.look)]


def _draft(query: dict[str, str], state: State) -> Draft:
    """What the filter editor holds: what was written into it, or the chip that is edited."""
    place = query.get("edit", query.get("replaces", ""))
    known = chips.chips(state.given.get("where"))
    edited = int(place) if place.isdigit() and int(place) < len(known) else None
    if "field" in query:
        return Draft(
            field=query["field"][:200],
            operator=query.get("operator", "is"),
            value=query.get("value", "")[:1000],
            replaces=edited,
        )
    if edited is not None and known[edited].operator is not None:
        return chips.drafted(known[edited], edited)
    return Draft()


def _effective(state: State) -> str:
    """The filter as it is asked."""
    return state.given.get("where", "")


def _groupings(fields: list[Known]) -> list[Known]:
    """What parts people into groups, traits first."""
    fit = [each for each in fields if each.values in FEW_VALUES]
    return sorted(fit, key=lambda each: not each.name.startswith("traits."))[:MOST_CHOICES]


def _name(newest: Newest) -> str:
    if newest.contact is not None:
        return named(newest.contact).name
    return traits.full_name(traits.decode(newest.response.traits)) or newest.response.user_id or "Somebody forgotten"


def _meta(newest: Newest, found: Overview) -> str:
    """Team · DE · Post-purchase: as they were at the answer."""
    said = traits.decode(newest.response.traits)
    names = [found.by or "", *(each.name for each in _groupings(found.fields))]
    shown: list[str] = []
    for name in dict.fromkeys(each.removeprefix("traits.") for each in names):
        value = said.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and len(shown) < META:
            shown.append(str(value))
    return " · ".join([*shown, newest.campaign])
