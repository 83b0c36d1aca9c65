"""`/contacts/{id}`: one contact's whole story, and why they were, or were not, asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from heard import durations
from heard.accounts.member import Action
from heard.audiences.audience import Audience, ComputedTrait
from heard.contacts import zone as zones
from heard.contacts.consent import History, changes
from heard.contacts.contact import Contact
from heard.contacts.group import Membership
from heard.contacts.standing import LESS_OFTEN, Kind, Suppression, standing, status, wishes
from heard.deliveries.decision import Decision
from heard.deliveries.delivery import State
from heard.deliveries.in_words import day
from heard.destinations.known import Known
from heard.errors import NotFound
from heard.installation import Installation
from heard.operations import contacts as operations
from heard.store import contacts, lists, story, touches
from heard.store.directory import Directory
from heard.store.messages import Kept
from heard.store.story import Story
from heard.store.types import moment
from heard.web.dashboard.contacts import timeline
from heard.web.dashboard.contacts.moment import PAGE, Page, paged
from heard.web.dashboard.contacts.traits import traits_shown
from heard.web.dashboard.contacts.why import Now, Why, decided_now, why
from heard.web.dashboard.door import visit
from heard.web.dashboard.named import Named, named
from heard.web.dashboard.shell import Dashboard

LATELY = timedelta(days=90)
WENT_OUT = frozenset({State.SENT, State.ANSWERED, State.EXPIRED, State.UNKNOWN})


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the page shows, read at one moment."""

    contact: Contact
    story: Story
    messages: list[Kept]
    status: str
    unsubscribed: bool
    wishes: list[str]  # what they asked for, in words
    lists: list[str]
    groups: list[Membership]
    audiences: list[tuple[Audience, datetime]]  # with since when
    computed: list[tuple[ComputedTrait, str]]  # with its value
    consent: History
    touches: int  # in the last 90 days
    sharing: list[Named]  # other contacts with the same mailbox
    why: Why | None
    now: list[Now]


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/contacts/{contact_id:str}", opt={"may": Action.SEE}, include_in_schema=False)
    async def show_contact(request: Request[Any, Any, Any], contact_id: FromPath[str]) -> Response[bytes]:
        seen, query = visit(request), request.query_params
        show = query.get("show", "all")
        show = show if show in timeline.SHOWS else "all"
        before = _moment(query.get("before"))
        chosen = _number(query.get("decision"))
        found = await read(app, seen.workspace.id, contact_id, chosen=chosen, show=show, before=before)
        person, directory = named(found.contact), app.directory
        return dashboard.page(
            seen,
            "contact.html",
            here="contacts",
            person=person,
            found=found,
            show=show,
            chosen=chosen,
            paged=before is not None,
            page=_page(found, directory, show=show, before=before),
            traits=traits_shown(found.contact.traits),
            timezone=_timezone(found.contact),
            groups=[(each, traits_shown(each.group.traits)) for each in found.groups],
            last_mail=next((each for each in found.story.deliveries if each.state in WENT_OUT), None),
            consent_changes=changes(found.consent),
            sources=directory.sources,
            surveys=directory.surveys,
            waiting=sorted({each.event for each in directory.campaigns_of(seen.workspace.id) if each.event}),
        )

    @get("/contacts/{contact_id:str}/export", opt={"may": Action.SEE}, include_in_schema=False)
    async def export_contact(request: Request[Any, Any, Any], contact_id: FromPath[str]) -> Response[bytes]:
        document = await operations.whole_story(app, workspace_id=visit(request).workspace.id, contact=_id(contact_id))
        return Response(
            msgspec.json.format(msgspec.json.encode(document), indent=2),
            media_type="application/json",
            headers={
                "Content-Disposition": f'attachment; filename="contact-{_id(contact_id)}.json"',
                "Cache-Control": "no-store",
            },
        )

    @post("/contacts/{contact_id:str}/unsubscribe", opt={"may": Action.ASK}, include_in_schema=False)
    async def unsubscribe(request: Request[Any, Any, Any], contact_id: FromPath[str]) -> Response[bytes]:
        return await _subscribe(request, contact_id, on=True)

    @post("/contacts/{contact_id:str}/resubscribe", opt={"may": Action.ASK}, include_in_schema=False)
    async def resubscribe(request: Request[Any, Any, Any], contact_id: FromPath[str]) -> Response[bytes]:
        return await _subscribe(request, contact_id, on=False)

    async def _subscribe(request: Request[Any, Any, Any], contact_id: str, *, on: bool) -> Response[bytes]:
        seen = visit(request)
        contact = await operations.wish_no_mail(
            app, workspace_id=seen.workspace.id, contact=_id(contact_id), on=on, by=seen.email
        )
        name = named(contact).name
        said = f"{name} is asked no more. What was planned is cancelled." if on else f"{name} can be asked again."
        return dashboard.to(f"/contacts/{contact.id}", said)

    return [show_contact, export_contact, unsubscribe, resubscribe]


async def read(
    app: Installation, workspace: int, contact_id: str, *, chosen: int | None, show: str, before: datetime | None
) -> Seen:
    """
    Raises:
        NotFound: there is no such contact in this workspace, or no such decision about them.
    """
    number, now, directory = _id(contact_id), app.clock.now(), app.directory

    def look(connection: Connection) -> Seen:
        contact = contacts.by_id(connection, workspace, [number]).get(number)
        if contact is None:
            raise NotFound("There is no such contact in this workspace.")
        whole = story.of(connection, contact)
        key, known = contact.email_key, Known(connection, directory, workspace)
        mailbox = contacts.by_email_key(connection, workspace, [key]).get(key, []) if key else []
        rows = contacts.suppressions_of(connection, workspace, [contact.id], [key] if key else [])
        kinds = standing(rows)
        asks = touches.of(connection, workspace, [contact.id], [key] if key else [])
        decision = _decision(whole, chosen)
        return Seen(
            contact=contact,
            story=whole,
            messages=_messages(connection, contact, show, before),
            status=status(kinds),
            unsubscribed=Kind.UNSUBSCRIBED in kinds,
            wishes=_wishes(rows, directory),
            lists=lists.of_contact(connection, workspace, contact.id),
            groups=operations.groups_of(connection, contact),
            audiences=operations.audiences_of(connection, contact),
            computed=_computed(known, contact, now),
            consent=operations.consent_of(connection, contact),
            touches=sum(now - LATELY <= each.at <= now for each in asks),
            sharing=[named(each) for each in mailbox if each.id != contact.id],
            why=why(decision, whole, directory, who=named(contact).first, now=now) if decision else None,
            now=decided_now(directory.campaigns_of(workspace), known, contact, now),
        )

    return await app.store.read(look)


def _wishes(rows: list[Suppression], directory: Directory) -> list[str]:
    """`no mail, since 12 Nov 2026`"""
    hold = wishes(rows)
    said: list[str] = []
    if Kind.UNSUBSCRIBED in standing(rows):
        since = max(row.at for row in rows if row.kind is Kind.UNSUBSCRIBED and row.on)
        said.append(f"no mail, since {day(since)}")
    if hold.less_often:
        said.append(f"at most one survey in {durations.in_words(LESS_OFTEN)}")
    named = sorted(directory.surveys[each].name for each in hold.surveys if each in directory.surveys)
    return said + [f"no more {name}" for name in named]


def _timezone(contact: Contact) -> str:
    """On whose clock they get mails, where a campaign asks on theirs."""
    if (named_by_trait := zones.by_trait(contact)) is not None:
        return f"{named_by_trait.key}, by a trait"
    known = zones.of(contact)
    return f"{known.key} (said by their browser or app)" if known else "not known, so UTC"


def _computed(known: Known, contact: Contact, now: datetime) -> list[tuple[ComputedTrait, str]]:
    """What was computed of them, as it is now."""
    told = known.audiences.values(contact, now) if known.audiences.book else {}
    found = [(each, told.get(each.id)) for each in known.audiences.book.all if isinstance(each, ComputedTrait)]
    return [
        (each, value if isinstance(value, str) else msgspec.json.encode(value).decode())
        for each, value in found
        if value not in (None, [])
    ]


def _messages(connection: Connection, contact: Contact, show: str, before: datetime | None) -> list[Kept]:
    if show == "asked" or contact.user_id is None:
        return []
    return story.messages_of(connection, contact.workspace, contact.user_id, before=before, limit=PAGE + 1)


def _page(found: Seen, directory: Directory, *, show: str, before: datetime | None) -> Page:
    moments = timeline.said(found.messages, directory)
    if show != "messages":
        moments += timeline.asked(found.story, directory)
    return paged(moments, before=before, more=len(found.messages) > PAGE)


def _decision(whole: Story, chosen: int | None) -> Decision | None:
    """The one that is asked for, else the newest."""
    if chosen is None:
        return whole.decisions[0] if whole.decisions else None
    for decision in whole.decisions:
        if decision.id == chosen:
            return decision
    raise NotFound("There is no such decision about this contact.")


def _id(written: str) -> int:
    number = _number(written)
    if number is None:
        raise NotFound("There is no such contact in this workspace.")
    return number


def _number(written: str | None) -> int | None:
    return int(written) if written and written.isascii() and written.isdigit() and len(written) <= 18 else None


def _moment(written: str | None) -> datetime | None:
    number = _number(written)
    return moment(number) if number is not None and number < 1 << 57 else None
