"""Secret keys: what programs read and change a workspace with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from heard.accounts.keys import SecretKey
from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations import secrets_made
from heard.operations.meant import workspace_meant
from heard.scores.window import rfc3339
from heard.store import accounts


async def keys_list(app: Installation, *, workspace: str | None = None) -> list[dict[str, Any]]:
    """`[{"name", "hint", "created_at", "revoked_at"}]`, oldest first; the keys themselves are kept nowhere."""
    number = workspace_meant(app, workspace, None)
    return [_described(each) for each in await app.store.read(lambda found: accounts.keys_of(found, number))]


async def keys_add(app: Installation, *, name: str, workspace: str | None = None) -> dict[str, Any]:
    """A new key: `{"name", "secret_key"}`, shown this once."""
    number = workspace_meant(app, workspace, None)
    if not 1 <= len(name.strip()) <= 100:
        raise Invalid("Give the key a name of 1 to 100 characters.", field="name")
    key = secrets_made.secret_key()

    def add(connection: Connection) -> None:
        if any(each.name == name.strip() for each in _working(connection, number)):
            raise Invalid(f"There is a key called {name.strip()!r} already.", field="name")
        accounts.add_key(connection, number, name.strip(), key, now=app.clock.now())

    await app.store.write(add)
    return {"name": name.strip(), "secret_key": key}


async def keys_rotate(app: Installation, *, name: str, workspace: str | None = None) -> dict[str, Any]:
    """A new key in the place of an old one, which stops working at once: `{"name", "secret_key"}`."""
    number, key = workspace_meant(app, workspace, None), secrets_made.secret_key()

    def rotate(connection: Connection) -> str:
        old, now = _key(connection, number, name), app.clock.now()
        accounts.revoke_key(connection, old, now=now)
        accounts.add_key(connection, number, old.name, key, now=now)
        return old.name

    return {"name": await app.store.write(rotate), "secret_key": key}


async def keys_revoke(app: Installation, *, name: str, workspace: str | None = None) -> dict[str, Any]:
    """A key stops working at once, for ever: `{"name", "revoked": true}`."""
    number = workspace_meant(app, workspace, None)

    def revoke(connection: Connection) -> str:
        key = _key(connection, number, name)
        accounts.revoke_key(connection, key, now=app.clock.now())
        return key.name

    return {"name": await app.store.write(revoke), "revoked": True}


def _working(connection: Connection, workspace: int) -> list[SecretKey]:
    return [each for each in accounts.keys_of(connection, workspace) if each.revoked_at is None]


def _key(connection: Connection, workspace: int, name: str) -> SecretKey:
    """The working key of this name, or with this hint."""
    working = _working(connection, workspace)
    for key in working:
        if name in (key.name, key.hint):
            return key
    raise NotFound(f"There is no key {name!r}. Keys: {', '.join(each.name for each in working) or 'none'}.")


def _described(key: SecretKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "hint": key.hint,
        "created_at": rfc3339(key.created_at),
        "revoked_at": rfc3339(key.revoked_at) if key.revoked_at else None,
    }
