"""A person, as the API and the pages show them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.contacts.standing import standing, status
from heard.errors import NotFound
from heard.installation import Installation
from heard.operations.meant import contact_meant, workspace_meant
from heard.scores.window import rfc3339
from heard.store import contacts


async def contact(
    app: Installation, *, user_id: str, workspace: str | None = None, workspace_id: int | None = None
) -> dict[str, Any]:
    """`{"id","user_id","email","traits","first_seen","created_at","status","lists","audiences"}`.

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
        "lists": contacts.lists_of(connection, contact.workspace, contact.id),
        "audiences": [],
    }
