"""`/export/score.csv` and `/export/score.png`: exactly what the overview shows, to take along."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

from litestar import Request, Response, get

from heard.accounts.member import Action
from heard.errors import Invalid
from heard.fql.values import canonical
from heard.operations.overview import Overview
from heard.scores.window import rfc3339
from heard.web.dashboard.door import visit
from heard.web.dashboard.overview import picture
from heard.web.dashboard.overview import state as overview_state
from heard.web.dashboard.overview.state import State
from heard.web.dashboard.shell import HEADERS, Dashboard

Look: TypeAlias = Callable[[int, State], Awaitable[tuple[Overview, State]]]
Line: TypeAlias = tuple[Any, ...]

HEAD = (
    "section", "name", "n", "score", "interval_low", "interval_high",
    "difference", "difference_low", "difference_high", "q", "asked", "answered_of_asked",
)  # fmt: skip
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets run when a text begins with it


def routes(dashboard: Dashboard, look: Look) -> list[Any]:
    now = dashboard.app.clock.now

    async def found(request: Request[Any, Any, Any]) -> tuple[Overview, State]:
        """Raises Invalid for a parameter that cannot be used: a file says nothing of what it left out."""
        state = overview_state.read(dict(request.query_params), now=now())
        overview, state = await look(visit(request).workspace.id, state)
        for name, why in state.wrong.items():
            raise Invalid(why, field=name)
        return overview, state

    @get("/export/score.csv", opt={"may": Action.SEE}, include_in_schema=False)
    async def export_csv(request: Request[Any, Any, Any]) -> Response[bytes]:
        overview, state = await found(request)
        return _file(as_csv(overview, state), "text/csv", _name(overview, state, "csv"))

    @get("/export/score.png", opt={"may": Action.SEE}, include_in_schema=False)
    async def export_png(request: Request[Any, Any, Any]) -> Response[bytes]:
        overview, state = await found(request)
        drawn = picture.drawn(overview, state, workspace=visit(request).workspace.name, now=now())
        return _file(await picture.png(drawn), "image/png", _name(overview, state, "png"))

    return [export_csv, export_png]


def as_csv(found: Overview, state: State) -> bytes:
    """One table, UTF-8: `section` says what a row is about, numbers are exact to six digits."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    writer.writerows([_safe(cell) for cell in line] for line in _lines(found, state))
    return text.getvalue().encode()


def _lines(found: Overview, state: State) -> Iterator[Line]:
    window = found.question.window
    yield _said("metric", found.metric.title)
    yield _said("from", rfc3339(window.begins) if window.begins else "")
    yield _said("to", rfc3339(window.ends) if window.ends else "")
    yield _said("survey", state.given.get("survey", "all"))
    yield _said("where", state.given.get("where", ""))
    yield _said("traits", "now" if found.question.as_of_now else "answer")
    yield "score", "all", found.score.n, found.score.score, *(found.score.interval or ("", ""))
    if found.change is not None:
        before = found.change.before
        yield "compared", found.question.against.value, before.n, before.score, *(before.interval or ("", ""))
        yield "change", found.change.verdict.value, "", "", "", "", found.change.value, *found.change.interval
    for point in found.trend:
        yield found.every, point.period, point.n, point.score, *(point.interval or ("", ""))
    for value, n in found.score.distribution.items():
        yield "value", value, n
    for name, n in found.score.counts.items():
        yield "class", name, n
    rates = found.rates.by_value if found.rates else {}
    for group in found.groups:
        key = canonical(group.value)
        name = group.value if isinstance(group.value, str) else "" if group.value is None else key
        difference = group.difference
        against = (difference.value, *difference.interval, difference.q) if difference else ("", "", "", "")
        rate = rates.get(key)
        asked = (rate.asked, rate.answered) if rate else ("", "")
        yield f"by {found.by}", name, group.n, group.score, *(group.interval or ("", "")), *against, *asked


def _said(name: str, value: str) -> Line:
    return "about", f"{name}: {value}"


def _safe(cell: Any) -> Any:
    """What a customer wrote must not run as a formula in a spreadsheet."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULAS) else "" if cell is None else cell


def _name(found: Overview, state: State, kind: str) -> str:
    first, last = state.days
    days = f"{first.isoformat() if first else 'all'}-to-{last.isoformat() if last else 'today'}"
    return f"{found.metric.kind}-{days if first or last else 'all'}.{kind}"


def _file(content: bytes, media_type: str, name: str) -> Response[bytes]:
    return Response(
        content,
        media_type=media_type,
        headers={**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'},
    )
