"""`/outbox`: the mails that were not sent because no mail server is set, as their readers would see them.

Where a mail server is set there is no outbox, and none of these pages. They show a workspace its own mails only.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath
from sqlalchemy import Connection

from heard.accounts.member import Action
from heard.campaigns.campaign import Campaign
from heard.channels.email.outbox import Outbox, opened
from heard.contacts.contact import Contact
from heard.deliveries.delivery import Delivery, State
from heard.deliveries.ledger import TouchKind
from heard.errors import NotFound
from heard.store import contacts, deliveries
from heard.web.api import paging
from heard.web.dashboard.deliveries import BADGES
from heard.web.dashboard.door import visit
from heard.web.dashboard.named import Named, named
from heard.web.dashboard.narrowed import Narrowed
from heard.web.dashboard.outbox.mail import VIEWS, framed, headers_of, text_of
from heard.web.dashboard.shell import Dashboard

A_PAGE = 25
AT_ONCE = 500  # mails asked about in one query
MOST_EXAMINED = 10_000  # mails one page looks at for an address; it goes on from there
OVER = frozenset({State.EXPIRED, State.CANCELLED})

_DELIVERY = re.compile(r"[0-9a-f]{32}")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    delivery: Delivery
    at: datetime
    subject: str
    contact: Named | None
    campaign: Campaign


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries with when their mail was kept, newest first; `further` is where the next page begins."""

    mails: list[tuple[Delivery, datetime]]
    people: dict[int, Contact]
    further: tuple[datetime, str] | None


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app
    if app.outbox is None:
        return []
    outbox: Outbox = app.outbox

    async def mail_of(request: Request[Any, Any, Any], delivery_id: str) -> tuple[Delivery, Contact | None, bytes]:
        """Raises NotFound when the workspace has no such mail."""

        def look(connection: Connection) -> tuple[Delivery | None, Contact | None]:
            workspace = visit(request).workspace.id
            delivery = deliveries.by_id(connection, workspace, delivery_id)
            people = contacts.by_id(connection, workspace, [delivery.contact]) if delivery else {}
            return delivery, people.get(delivery.contact) if delivery else None

        if _DELIVERY.fullmatch(delivery_id):
            delivery, contact = await app.store.read(look)
            content = await asyncio.to_thread(outbox.read, delivery_id) if delivery else None
            if delivery and content:
                return delivery, contact, content
        raise NotFound("This mail is not in the outbox, or its file was removed.")

    @get("/outbox", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_outbox(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, here = visit(request), Narrowed("/outbox", request.query_params, ("q", "cursor"))
        if here.has_blanks:
            return dashboard.to(here.without_blanks)
        before = paging.after(here.get("cursor"), tuple[datetime, str])
        kept = await asyncio.to_thread(outbox.newest)
        look = partial(_found, workspace=seen.workspace.id, kept=kept, before=before, address=here.get("q"))
        found = await app.store.read(look)
        subjects = await asyncio.to_thread(_subjects, outbox, [each.id for each, _ in found.mails])
        rows = [
            Row(
                delivery=each,
                at=at,
                subject=subjects.get(each.id) or "(no subject)",
                contact=named(person) if (person := found.people.get(each.contact)) else None,
                campaign=app.directory.campaigns[each.campaign],
            )
            for each, at in found.mails
        ]
        return dashboard.page(
            seen,
            "outbox.html",
            here="outbox",
            at=here,
            rows=rows,
            badges=BADGES,
            further=paging.written(found.further) if found.further else None,
            first_page=before is None,
        )

    @get("/outbox/{delivery_id:str}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_mail(request: Request[Any, Any, Any], delivery_id: FromPath[str]) -> Response[bytes]:
        seen, here = visit(request), Narrowed(f"/outbox/{delivery_id}", request.query_params, ("as", "theme"))
        delivery, contact, content = await mail_of(request, delivery_id)
        view = here.one_of("as", tuple(VIEWS)) or "phone"
        theme = here.one_of("theme", ("light", "dark")) or "light"
        mail = opened(content)
        return dashboard.page(
            seen,
            "outbox_mail.html",
            here="outbox",
            at=here,
            delivery=delivery,
            contact=named(contact) if contact else None,
            campaign=app.directory.campaigns[delivery.campaign],
            badge=BADGES[delivery.state],
            is_open=delivery.kind == TouchKind.FIRST
            and delivery.state not in OVER
            and delivery.closes_at > app.clock.now(),
            subject=str(mail["Subject"] or "(no subject)"),
            sender=str(mail["From"] or ""),
            view=view,
            views=VIEWS,
            mail_theme=theme,
            text=text_of(mail) if view == "text" else headers_of(mail) if view == "headers" else None,
            size=len(content),
        )

    @get("/outbox/{delivery_id:str}/html", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_html(request: Request[Any, Any, Any], delivery_id: FromPath[str]) -> Response[bytes]:
        """The mail itself, for a frame; `theme` shows it as a reader's dark or light program would."""
        here = Narrowed("", request.query_params, ("theme",))
        theme = here.one_of("theme", ("light", "dark"))
        _, _, content = await mail_of(request, delivery_id)
        return framed(opened(content), theme)

    return [show_outbox, show_mail, show_html]


def _found(
    connection: Connection,
    *,
    workspace: int,
    kept: Sequence[tuple[str, datetime]],
    before: tuple[datetime, str] | None,
    address: str | None,
) -> Found:
    """A page of the workspace's own mails, to whoever's address contains `address`.

    The folder holds the mails of all workspaces: they are asked about some at a time until the page is full.
    """
    waiting = [each for each in kept if before is None or (each[1], each[0]) < before]
    wanted = address.casefold() if address else ""
    mails: list[tuple[Delivery, datetime]] = []
    last: tuple[datetime, str] | None = None
    examined = 0
    while examined < min(len(waiting), MOST_EXAMINED) and len(mails) < A_PAGE:
        some = waiting[examined : examined + AT_ONCE]
        mine = deliveries.by_ids(connection, workspace, [delivery_id for delivery_id, _ in some])
        for delivery_id, at in some:
            examined += 1
            last = (at, delivery_id)
            delivery = mine.get(delivery_id)
            if delivery and wanted in delivery.address.casefold():
                mails.append((delivery, at))
                if len(mails) == A_PAGE:
                    break
    people = contacts.by_id(connection, workspace, {each.contact for each, _ in mails})
    return Found(mails=mails, people=people, further=last if examined < len(waiting) else None)


def _subjects(outbox: Outbox, ids: Sequence[str]) -> dict[str, str]:
    return {each: line.subject for each in ids if (line := outbox.line(each)) is not None}
