"""The first run: a workspace with a source, a secret key and an owner. Made once, and only what is missing."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from sqlalchemy import Connection

from heard.accounts.member import Role
from heard.errors import Invalid
from heard.installation import Installation
from heard.operations import secrets_made
from heard.store import accounts, directory
from heard.store.directory import Directory

DEFAULT_NAME = "My workspace"  # until a workspace file or `heard init --workspace` gives it another
SOURCE, DESTINATION, KEY = "Website", "Heard", "first key"
OWNER = "owner@localhost"


async def init(app: Installation, *, workspace: str | None = None) -> dict[str, Any]:
    """`{"workspace", "write_key", "secret_key", "owner_email", "owner_password"}`.

    The two secrets are there when they were made just now, and never again: only their hashes are kept. Without a name
    the workspace is the only one there is, or a new one.
    """
    name = workspace.strip() if workspace is not None else None
    if name is not None and not 1 <= len(name) <= 100:
        raise Invalid("Give the workspace a name of 1 to 100 characters.", field="workspace")
    key, password = secrets_made.secret_key(), secrets_made.password()
    password_hash = await asyncio.to_thread(secrets_made.hashed, password)

    def make(connection: Connection) -> dict[str, Any]:
        known, now = directory.load(connection), app.clock.now()
        number = _workspace(known, name)
        if number is None:
            number = accounts.add_workspace(connection, name or DEFAULT_NAME, now=now)
        made: dict[str, Any] = {}
        if not any(each.workspace == number for each in known.sources.values()):
            accounts.add_source(connection, number, SOURCE, secrets_made.write_key(), now=now)
        if number not in known.intakes:
            accounts.add_surveys_destination(connection, number, DESTINATION)
        if not accounts.keys_of(connection, number):
            accounts.add_key(connection, number, KEY, key, now=now)
            made["secret_key"] = key
        if not accounts.members_of(connection, number):
            accounts.add_member(
                connection, number, _free_address(connection, number), password_hash, Role.OWNER, now=now
            )
            made["owner_password"] = password
        return _described(directory.load(connection), connection, number) | made

    result = await app.store.write(make)
    await app.reload()
    order = ("workspace", "write_key", "secret_key", "owner_email", "owner_password")
    return {name: result[name] for name in order if name in result}


async def welcome(app: Installation) -> None:
    """At the start of a server: when nobody can sign in yet, make the first run and print what it made, once."""
    if await app.store.read(accounts.there_are_members):
        return
    first = min(app.directory.workspaces.values(), key=lambda each: each.id, default=None)
    made = await init(app, workspace=first.name if first else None)
    if not (app.settings.data / "keys.json").exists():
        app.publish_keys()
    sys.stdout.write(in_words(made) + "\n")
    sys.stdout.flush()


def in_words(made: dict[str, Any]) -> str:
    """For the terminal."""
    lines = [f"Workspace  {made['workspace']}", f"Write key  {made['write_key']}"]
    if "secret_key" in made:
        lines.append(f"Secret key {made['secret_key']}")
    lines.append(f"Owner      {made['owner_email']}")
    if "owner_password" in made:
        lines.append(f"Password   {made['owner_password']}")
    if "secret_key" in made or "owner_password" in made:
        lines.append("Keep the secret key and the password now: they are not shown again.")
    return "\n".join(lines)


def _workspace(known: Directory, name: str | None) -> int | None:
    """The workspace that is meant; None when it has to be made."""
    if name is None:
        return known.workspace(None).id if known.workspaces else None
    return next((each.id for each in known.workspaces.values() if name in (each.name, each.slug)), None)


def _free_address(connection: Connection, workspace: int) -> str:
    return f"owner-{workspace}@localhost" if accounts.is_a_member_anywhere(connection, OWNER) else OWNER


def _described(known: Directory, connection: Connection, number: int) -> dict[str, Any]:
    source = min((each for each in known.sources.values() if each.workspace == number), key=lambda each: each.id)
    owners = [each.email for each in accounts.members_of(connection, number) if each.role == Role.OWNER]
    return {
        "workspace": known.workspaces[number].name,
        "write_key": source.write_key,
        "owner_email": owners[0] if owners else None,
    }
