"""`/deliveries`: every invitation and reminder, how far it got, and what stopped it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get
from sqlalchemy import Connection

from heard.accounts.member import Action
from heard.campaigns.campaign import Campaign, Status
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.deliveries.delivery import Delivery, State
from heard.deliveries.in_words import why_not_sent
from heard.deliveries.ledger import TouchKind
from heard.errors import Invalid
from heard.store import contacts, sendings
from heard.store.directory import Directory
from heard.store.sendings import Wanted
from heard.web.api import paging
from heard.web.dashboard import say
from heard.web.dashboard.door import visit
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.shell import Dashboard

NAMES = ("campaign", "state", "from", "to", "user_id", "cursor")
A_PAGE = 50
BADGES = {
    State.SCHEDULED: ("Scheduled", "", "clock"),
    State.SENDING: ("Sending", "", "mail"),
    State.SENT: ("Sent", "good", "check"),
    State.UNKNOWN: ("Unknown", "warn", "warn"),
    State.FAILED: ("Failed", "bad", "x"),
    State.CANCELLED: ("Cancelled", "off", "no"),
    State.ANSWERED: ("Answered", "good", "reply"),
    State.EXPIRED: ("Expired", "off", "clock"),
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    delivery: Delivery
    campaign: Campaign
    contact: Contact | None
    name: str
    badge: tuple[str, str, str]
    said: str
    in_outbox: bool


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/deliveries", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_deliveries(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, here = visit(request), Narrowed("/deliveries", request.query_params, NAMES)
        if here.has_blanks:
            return dashboard.to(here.without_blanks)
        directory, now, workspace = app.directory, app.clock.now(), seen.workspace.id
        mine = {each.id: each for each in directory.campaigns_of(workspace)}
        campaign = campaign_meant(here, directory, workspace)
        state = here.one_of("state", tuple(State))
        before = paging.after(here.get("cursor"), tuple[datetime, str])
        period, user = here.window(), here.get("user_id")

        def look(connection: Connection) -> dict[str, Any]:
            wanted = Wanted(
                campaign=campaign.id if campaign else None,
                state=State(state) if state else None,
                contacts=_contacts(connection, workspace, user) if user else None,
                since=period.begins,
                until=period.ends,
            )
            found = sendings.latest(connection, workspace, wanted, campaigns=mine, before=before, limit=A_PAGE + 1)
            people = contacts.by_id(connection, workspace, {each.contact for each in found})
            return {
                "deliveries": found[:A_PAGE],
                "more": len(found) > A_PAGE,
                "people": people,
                "totals": sendings.totals(connection, workspace, wanted, campaigns=mine),
            }

        found = await app.store.read(look)
        kept = app.outbox.kept(each.id for each in found["deliveries"]) if app.outbox else frozenset()
        rows = [_row(each, mine[each.campaign], found["people"], kept, now) for each in found["deliveries"]]
        last = rows[-1].delivery if rows and found["more"] else None
        return dashboard.page(
            seen,
            "deliveries.html",
            here="deliveries",
            at=here,
            rows=rows,
            further=paging.written((last.due_at, last.id)) if last else None,
            first_page=before is None,
            tabs=_tabs(found["totals"], here),
            state=state,
            campaigns=[(each.id, each.name) for each in mine.values()],
            states=[(each.value, BADGES[each][0]) for each in State],
            chips=here.chips(
                here.chip("campaign", "campaign is", campaign.name) if campaign else None,
                here.chip("state", "state is", BADGES[State(state)][0].lower()) if state else None,
                here.chip("user_id", "user is"),
            ),
        )

    return [show_deliveries]


def campaign_meant(here: Narrowed, directory: Directory, workspace: int) -> Campaign | None:
    """The campaign of the address, by id or by name. Raises Invalid when the workspace has none such."""
    said = here.get("campaign")
    if said is None:
        return None
    for campaign in directory.campaigns_of(workspace):
        if said in (str(campaign.id), campaign.name):
            return campaign
    raise Invalid("This workspace has no such campaign.", field="campaign")


def _contacts(connection: Connection, workspace: int, user: str) -> tuple[int, ...]:
    """Whoever has this userId, or this address."""
    found = contacts.by_user_id(connection, workspace, [user]).values()
    return tuple(each.id for each in found) or tuple(
        each.id
        for people in contacts.by_email_key(connection, workspace, [user.strip().lower()]).values()
        for each in people
    )


def _row(
    delivery: Delivery, campaign: Campaign, people: dict[int, Contact], kept: Collection[str], now: datetime
) -> Row:
    contact = people.get(delivery.contact)
    name = traits.full_name(traits.decode(contact.traits)) if contact else None
    return Row(
        delivery=delivery,
        campaign=campaign,
        contact=contact,
        name=name or delivery.user_id or delivery.address,
        badge=BADGES[delivery.state],
        said=said(delivery, campaign, now),
        in_outbox=delivery.id in kept,
    )


def said(delivery: Delivery, campaign: Campaign, now: datetime) -> str:
    """Its state in a sentence; what went wrong is told in the mail server's own words."""
    wrong = (delivery.error or "").rstrip(".")
    tries = f"tried {delivery.attempts} times" if delivery.attempts > 1 else "tried once"
    match delivery.state:
        case State.SCHEDULED if campaign.status == Status.PAUSED:
            return f"Waits while {campaign.name} is paused"
        case State.SCHEDULED if delivery.attempts:
            return f"Is tried again; {tries}: {wrong}" if wrong else f"Is tried again; {tries}"
        case State.SCHEDULED if delivery.kind == TouchKind.REMINDER:
            return "Goes out unless they answer before"
        case State.UNKNOWN:
            return "Heard stopped while it was handed over; it is not sent twice"
        case State.CANCELLED if delivery.kind == TouchKind.REMINDER:
            return f"No reminder: {why_not_sent(delivery.error).lower()}"
        case State.FAILED | State.CANCELLED:
            return wrong or ("Not sent" if delivery.state == State.FAILED else "Taken back before it was sent")
        case State.SENT if wrong:
            return wrong  # what a provider reported of it
        case State.SENT | State.EXPIRED if delivery.kind == TouchKind.REMINDER:
            return "The one reminder; the answer stands with the invitation"
        case State.SENT:
            return f"Open for an answer until {say.day(delivery.closes_at, now)}"
        case State.EXPIRED:
            return f"Nobody answered by {say.day(delivery.closes_at, now)}"
        case _:
            return wrong


def _tabs(totals: dict[State, tuple[int, bool]] | None, here: Narrowed) -> list[tuple[str | None, str, str, str]]:
    """(state, label, how many, address); without totals the states without their numbers."""
    tabs: list[tuple[str | None, str, str, str]] = []
    if totals is not None:
        whole = sum(n for n, _ in totals.values())
        tabs.append((None, "All", _number(whole, any(more for _, more in totals.values())), here({"state": None})))
    else:
        tabs.append((None, "All", "", here({"state": None})))
    for state in State:
        n, more = totals.get(state, (0, False)) if totals is not None else (0, False)
        if totals is None or n or here.get("state") == state.value:
            number = "" if totals is None else _number(n, more)
            tabs.append((state.value, BADGES[state][0], number, here({"state": state.value})))
    return tabs


def _number(n: int, more: bool) -> str:
    return say.num(n) + ("+" if more else "")
