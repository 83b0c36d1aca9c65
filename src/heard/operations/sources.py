"""Sources: make one, call it something else, give it another write key or a shared secret."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations import secrets_made
from heard.operations.file_read import LONGEST_NAME, SHARED_SECRET
from heard.store import accounts, audit, edits, tables
from heard.store.edits import Row


async def add(app: Installation, *, workspace: int, name: str, by: str) -> int:
    """A source with a write key of its own; gives its id. Its key works when this returns.

    Raises:
        Invalid: with `field` `name`: no name, or a taken one.
    """
    name, now = _name(name), app.clock.now()

    def make(connection: Connection) -> int:
        _must_be_free(connection, workspace, name)
        number = accounts.add_source(connection, workspace, name, secrets_made.write_key(), now=now)
        audit.note(connection, workspace, by=by, what="source.added", subject=name, at=now)
        return number

    number = await app.store.write(make)
    await app.reload()
    return number


async def rename(app: Installation, *, workspace: int, source: int, name: str, by: str) -> None:
    """Raises:
    NotFound: no such source.
    Invalid: with `field` `name`: no name, or a taken one.
    """
    name, now = _name(name), app.clock.now()

    def change(connection: Connection, known: Row) -> None:
        if known["name"] == name:
            return
        _must_be_free(connection, workspace, name)
        edits.change_source(connection, workspace, source, name=name)
        audit.note(
            connection, workspace, by=by, what="source.renamed", subject=name, at=now, detail={"was": known["name"]}
        )

    await _change(app, workspace, source, change)


async def replace_key(app: Installation, *, workspace: int, source: int, by: str) -> None:
    """Another write key. The old one stops at once: what is still sent with it is refused with 401.

    Raises:
        NotFound: no such source.
    """

    def change(connection: Connection, known: Row) -> None:
        edits.change_source(connection, workspace, source, write_key=secrets_made.write_key())
        audit.note(
            connection, workspace, by=by, what="source.key_replaced", subject=known["name"], at=app.clock.now(),
            detail={"was": known["write_key"]},
        )  # fmt: skip

    await _change(app, workspace, source, change)


async def keep_secret(app: Installation, *, workspace: int, source: int, secret: str, by: str) -> None:
    """From now on the source takes at `/hooks/segment` only what is signed with this; blanks around it do not count.

    Raises:
        NotFound: no such source.
        Invalid: with `field` `secret`: it is too short or too long.
    """
    secret = secret.strip()
    if len(secret) not in SHARED_SECRET:
        shortest, longest = SHARED_SECRET[0], SHARED_SECRET[-1]
        raise Invalid(f"Write the secret with {shortest} to {longest} characters.", field="secret")
    await _sign_with(app, workspace, source, secret, by=by, what="source.secret_kept")


async def make_secret(app: Installation, *, workspace: int, source: int, by: str) -> str:
    """A shared secret in the place of whatever there was; gives it, for whoever is to sign with it.

    Raises:
        NotFound: no such source.
    """
    secret = secrets_made.shared_secret()
    await _sign_with(app, workspace, source, secret, by=by, what="source.secret_made")
    return secret


async def remove_secret(app: Installation, *, workspace: int, source: int, by: str) -> None:
    """The source takes at `/hooks/segment` what is not signed. Removing none changes nothing, and is not noted.

    Raises:
        NotFound: no such source.
    """
    await _sign_with(app, workspace, source, None, by=by, what="source.secret_removed")


async def _sign_with(app: Installation, workspace: int, source: int, secret: str | None, *, by: str, what: str) -> None:
    """The audit log says that it changed, never what it is."""

    def change(connection: Connection, known: Row) -> None:
        if known["webhook_secret"] == secret:
            return
        edits.change_source(connection, workspace, source, webhook_secret=secret)
        audit.note(connection, workspace, by=by, what=what, subject=known["name"], at=app.clock.now())

    await _change(app, workspace, source, change)


async def _change(app: Installation, workspace: int, source: int, change: Callable[[Connection, Row], None]) -> None:
    def work(connection: Connection) -> None:
        rows = edits.rows_of(connection, tables.sources, workspace)
        known = next((row for row in rows if row["id"] == source), None)
        if known is None:
            raise NotFound("There is no such source.")
        change(connection, known)

    await app.store.write(work)
    await app.reload()


def _must_be_free(connection: Connection, workspace: int, name: str) -> None:
    if any(row["name"] == name for row in edits.rows_of(connection, tables.sources, workspace)):
        raise Invalid(f"There is a source called {name!r} already.", field="name")


def _name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"Give the source a name of 1 to {LONGEST_NAME} characters.", field="name")
    return name
