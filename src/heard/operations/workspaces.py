"""Another workspace beside the one somebody works in."""

from __future__ import annotations

from sqlalchemy import Connection

from heard.accounts.member import Role
from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations import secrets_made
from heard.operations.first_run import DESTINATION, SOURCE
from heard.store import accounts, audit

LONGEST_NAME = 100


async def add(app: Installation, *, name: str, owner: str) -> int:
    """A workspace with a source and the surveys destination; `owner`, who has a password already, owns it. Its id.

    Raises:
        Invalid: with `field` `name`: no name, or one that another workspace has.
        NotFound: nobody signs in with this address.
    """
    name, now = name.strip(), app.clock.now()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"Give the workspace a name of 1 to {LONGEST_NAME} characters.", field="name")

    def make(connection: Connection) -> int:
        if accounts.workspace_is_called(connection, name):
            raise Invalid("This name is taken on this server. Choose another.", field="name")
        passwords = accounts.passwords_of(connection, owner)
        if not passwords:
            raise NotFound(f"{owner} is not a member.")
        number = accounts.add_workspace(connection, name, now=now)
        accounts.add_source(connection, number, SOURCE, secrets_made.write_key(), now=now)
        accounts.add_surveys_destination(connection, number, DESTINATION)
        accounts.add_member(connection, number, owner, passwords[0][1], Role.OWNER, now=now)
        audit.note(connection, number, by=owner, what="workspace.made", subject=name, at=now)
        return number

    number = await app.store.write(make)
    await app.reload()
    return number
