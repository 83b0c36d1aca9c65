"""A person, as the API and the pages show them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.audiences.audience import Audience
from heard.contacts import traits
from heard.contacts.consent import History, changes
from heard.contacts.contact import Contact
from heard.contacts.group import Membership
from heard.contacts.standing import Kind, standing, status
from heard.errors import NotFound
from heard.installation import Installation
from heard.operations.meant import contact_meant, workspace_meant
from heard.scores.window import rfc3339
from heard.steps import leave
from heard.store import (
    anonymous,
    audiences,
    audit,
    consents,
    contacts,
    directory,
    groups,
    links,
    lists,
    mail_events,
    opens,
    story,
)
from heard.store.messages import Kept

MOST_MESSAGES = 10_000


async def contact(
    app: Installation, *, user_id: str, workspace: str | None = None, workspace_id: int | None = None
) -> dict[str, Any]:
    """`{"id","user_id","email","traits","first_seen","created_at","status","lists","audiences","groups",
    "consent"}`, `consent` by category.

    `user_id` is a userId, `email:ann@x` or `id:12`.

    Raises:
        NotFound: nobody is known by that name.
    """
    number = workspace_meant(app, workspace, workspace_id)

    def look(connection: Connection) -> dict[str, Any] | None:
        found = contact_meant(connection, number, user_id)
        return None if found is None else described(connection, found)

    found = await app.store.read(look)
    if found is None:
        raise NotFound(f"Nobody is known as {user_id!r}.")
    return found


async def wish_no_mail(app: Installation, *, workspace_id: int, contact: int, on: bool, by: str) -> Contact:
    """Note that a contact wishes no mail, or takes that back, as the link in a mail does; what is planned is cancelled.

    `by`: the member who was told so. Saying what is so already changes nothing.

    Raises:
        NotFound: there is no such contact in this workspace.
    """

    def keep(connection: Connection) -> Contact:
        found = contacts.by_id(connection, workspace_id, [contact]).get(contact)
        if found is None:
            raise NotFound("There is no such contact in this workspace.")
        mailbox = [found.email_key] if found.email_key else []
        rows = contacts.suppressions_of(connection, workspace_id, [found.id], mailbox)
        if (Kind.UNSUBSCRIBED in standing(rows)) != on:
            now = app.clock.now()
            cause = f"{'unsubscribed' if on else 'taken back'} by {by}"
            leave.subscribe(connection, workspace_id, found.id, found.email_key, on=on, cause=cause, now=now)
            what = "contact.unsubscribed" if on else "contact.resubscribed"
            subject = found.user_id or f"id:{found.id}"
            audit.note(connection, workspace_id, by=by, what=what, subject=subject, at=now)
        return found

    return await app.store.write(keep)


async def whole_story(app: Installation, *, workspace_id: int, contact: int) -> dict[str, Any]:
    """Everything kept about a contact: `{"contact", "consent", "decisions", "deliveries", "postponed", "clicks",
    "responses", "revisions", "wishes", "mail_events", "opens", "messages"}`, newest first, each as it is stored; of
    messages the newest 10,000. The contact has a "timezone" more than the API shows: what their browser or app said.

    Raises:
        NotFound: there is no such contact in this workspace.
    """

    def look(connection: Connection) -> dict[str, Any]:
        found = contacts.by_id(connection, workspace_id, [contact]).get(contact)
        if found is None:
            raise NotFound("There is no such contact in this workspace.")
        theirs = (
            story.messages_of(connection, workspace_id, found.user_id, limit=MOST_MESSAGES) if found.user_id else []
        )
        told = story.of(connection, found)
        visits = links.visits_of(connection, workspace_id, [found.id])
        return {
            "contact": described(connection, found) | {"timezone": found.zone},
            "consent": changes(consent_of(connection, found)),
            **msgspec.structs.asdict(told),
            "clicks": [*told.clicks, *story.clicks_of(connection, workspace_id, sorted(visits))],
            "mail_events": mail_events.of_deliveries(connection, workspace_id, [each.id for each in told.deliveries]),
            "opens": opens.of_deliveries(connection, workspace_id, [each.id for each in told.deliveries]),
            "messages": [
                {"received_at": each.received_at, "verdict": each.verdict, "reason": each.reason, "body": _body(each)}
                for each in theirs
            ],
        }

    document = await app.store.read(look)
    for kind in ("deliveries", "responses"):  # JSON that is carried as bytes stays JSON
        document[kind] = [_opened(each) for each in document[kind]]
    return document


def described(connection: Connection, contact: Contact) -> dict[str, Any]:
    mailbox = [contact.email_key] if contact.email_key else []
    rows = contacts.suppressions_of(connection, contact.workspace, [contact.id], mailbox)
    return {
        "id": contact.id,
        "user_id": contact.user_id,
        "email": contact.email,
        "traits": traits.decode(contact.traits),
        "first_seen": rfc3339(contact.first_seen),
        "created_at": rfc3339(contact.created_at) if contact.created_at else None,
        "status": status(standing(rows)),
        "lists": lists.of_contact(connection, contact.workspace, contact.id),
        "audiences": [each.name for each, _since in audiences_of(connection, contact)],
        "groups": [
            {
                "group_id": each.group.group_id,
                "traits": traits.decode(each.group.traits),
                "since": rfc3339(each.since),
            }
            for each in groups_of(connection, contact)
        ],
        "consent": {category: said.yes for category, said in sorted(consent_of(connection, contact).now.items())},
    }


def consent_of(connection: Connection, contact: Contact) -> History:
    """What they said of consent, as far as it is on record."""
    return consents.of_user(connection, contact.workspace, contact.user_id)


def audiences_of(connection: Connection, contact: Contact) -> list[tuple[Audience, datetime]]:
    """What a contact is a member of now, with since when; the latest first."""
    known = {each.id: each for each in directory.computed_of(connection, contact.workspace)}
    found = audiences.memberships_of(connection, contact.workspace, contact.id)
    return [
        (audience, each.entered_at)
        for each in found
        if each.left_at is None and isinstance(audience := known.get(each.audience), Audience)
    ]


def groups_of(connection: Connection, contact: Contact) -> list[Membership]:
    """The groups a contact belongs to, by its userId or an anonymous id of its; the first joined first."""
    if contact.user_id is None:
        return []
    theirs = anonymous.of_user(connection, contact.workspace, contact.user_id)
    return groups.of_person(connection, contact.workspace, contact.user_id, theirs)


def _body(message: Kept) -> Any:
    try:
        return msgspec.json.decode(message.body)
    except msgspec.DecodeError:
        return message.body.decode("utf-8", "replace")


def _opened(kept: msgspec.Struct) -> dict[str, Any]:
    return {
        name: msgspec.Raw(value) if isinstance(value, bytes) else value
        for name, value in msgspec.structs.asdict(kept).items()
    }
