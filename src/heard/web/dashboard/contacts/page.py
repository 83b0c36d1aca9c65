"""`/contacts`: everybody, found by userId, address, name or company, and narrowed by any trait."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get
from sqlalchemy import Connection

from heard import fql
from heard.accounts.member import Action
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.errors import Invalid
from heard.fql.tree import Path
from heard.fql.write import field_of
from heard.installation import Installation
from heard.operations import contacts_found
from heard.operations.contacts_found import STATUSES, Found, Search
from heard.store import contacts, touches
from heard.web.dashboard import chips as filters
from heard.web.dashboard.chips import Draft
from heard.web.dashboard.door import visit
from heard.web.dashboard.named import Named, named
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.shell import Dashboard

NAMES = ("q", "where", "status", "cursor")
COLUMNS = 3  # of traits that the filter speaks of
SAMPLED = 100  # contacts whose traits are offered in the filter editor


class Row(msgspec.Struct, frozen=True, kw_only=True):
    person: Named
    status: str
    since: datetime
    asked: datetime | None  # last, or next where it lies ahead
    shown: list[str]  # the traits the filter speaks of
    by_name: bool


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/contacts", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_contacts(request: Request[Any, Any, Any]) -> Response[Any]:
        seen, query = visit(request), request.query_params
        at = Narrowed("/contacts", query, NAMES)
        draft = Draft(field=query.get("field", ""), operator=query.get("operator", "is"), value=query.get("value", ""))
        wrong: dict[str, str] = {}
        if draft.field or draft.value:
            try:
                return dashboard.to(at(where=filters.applied(at.get("where"), draft)))
            except Invalid as problem:
                wrong[problem.field or "field"] = str(problem)
        try:
            status = at.one_of("status", STATUSES)
            search = Search(q=at.get("q"), where=at.get("where"), status=status, below=at.number("cursor"))
            found = await contacts_found.find(app, workspace_id=seen.workspace.id, search=search)
        except Invalid as problem:
            wrong[problem.field or "where"] = str(problem)
            found = Found(contacts=[], status={})
        columns = [] if "where" in wrong else _columns(at.get("where"))
        rows, known = await _rows(app, seen.workspace.id, found, columns)
        return dashboard.page(
            seen,
            "contacts.html",
            here="contacts",
            status=400 if wrong else 200,
            at=at,
            found=found,
            rows=rows,
            columns=[field_of(path).removeprefix("traits.") for path in columns],
            chips=_chips(at),
            draft=draft,
            wrong=wrong,
            operators=filters.OPERATORS,
            known=known,
            statuses=STATUSES,
        )

    @get("/contacts/of", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_contact_of(request: Request[Any, Any, Any]) -> Response[bytes]:
        """To the contact of `?user_id=`, for pages that know no more of somebody; to the search where there is none."""
        user_id = request.query_params.get("user_id", "")
        workspace = visit(request).workspace.id
        found = await app.store.read(lambda connection: contacts.by_user_id(connection, workspace, [user_id]))
        contact = found.get(user_id)
        return dashboard.to(f"/contacts/{contact.id}" if contact else f"/contacts?{urlencode({'q': user_id})}")

    return [show_contacts, show_contact_of]


async def _rows(app: Installation, workspace: int, found: Found, columns: list[Path]) -> tuple[list[Row], list[str]]:
    """The rows, and the names of traits that contacts have."""
    people = found.contacts

    def look(connection: Connection) -> tuple[dict[int, datetime], list[Contact]]:
        asked = {
            touch.contact: touch.at for touch in touches.of(connection, workspace, [each.id for each in people], [])
        }
        some = people or contacts.newest(connection, workspace, examined=SAMPLED)[0]
        return asked, some

    asked, some = await app.store.read(look)
    known = sorted({name for each in some[:SAMPLED] for name in traits.decode(each.traits)})
    rows = [
        Row(
            person=named(each),
            status=found.status[each.id],
            since=each.since,
            asked=asked.get(each.id),
            shown=[_value(each, path) for path in columns],
            by_name=each.id in found.named,
        )
        for each in people
    ]
    return rows, [f"traits.{name}" for name in known]


def _chips(at: Narrowed) -> list[tuple[filters.Chip, str]]:
    """Each part of the filter with the address without it."""
    where = at.get("where") or ""
    parts = filters.chips(where)
    return [(chip, at(where=filters.without(where, place))) for place, chip in enumerate(parts)]


def _columns(where: str | None) -> list[Path]:
    """The traits a filter speaks of: what one filters by, one wants to see."""
    paths = fql.fields(fql.parse(where)) if where else frozenset[Path]()
    return sorted(path for path in paths if path[0] == "traits" and len(path) > 1)[:COLUMNS]


def _value(contact: Contact, path: Path) -> str:
    value = fql.evaluate(fql.Field(path))({"traits": traits.decode(contact.traits)})
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
