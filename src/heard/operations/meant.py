"""Which workspace, and which person, an operation is about."""

from __future__ import annotations

from sqlalchemy import Connection

from heard.contacts import address as addresses
from heard.contacts.contact import Contact
from heard.errors import HeardError, Invalid
from heard.installation import Installation
from heard.store import contacts


def workspace_meant(app: Installation, name: str | None, number: int | None) -> int:
    """The id of the workspace: given (the API knows it from the key), named, or the only one.

    Raises:
        NotFound: there is none of that name, or there are several and none is named.
    """
    return number if number is not None else app.directory.workspace(name).id


def contact_meant(connection: Connection, workspace: int, who: str) -> Contact | None:
    """The contact that `who` names: a userId, `email:ann@x` or `id:12`. None when nobody is known by it.

    Raises:
        HeardError: several contacts share the address; says their names.
        Invalid: what stands after `id:` is no number.
    """
    if (literal := contacts.by_user_id(connection, workspace, [who]).get(who)) is not None:
        return literal
    kind, _, value = who.partition(":")
    if kind == "email":
        people = contacts.by_email_key(connection, workspace, [addresses.key(value)]).get(addresses.key(value), [])
        if len(people) > 1:
            names = ", ".join(each.user_id or f"id:{each.id}" for each in people)
            raise HeardError(f"Several contacts have this address; name one of them: {names}.")
        return people[0] if people else None
    if kind == "id":
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            raise Invalid("Write the number of a contact after `id:`.", field="user_id")
        return contacts.by_id(connection, workspace, [int(value)]).get(int(value))
    return None
