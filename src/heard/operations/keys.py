"""Secret keys: what programs read and change a workspace with. Each change is noted in the audit log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from heard.accounts.keys import Scope, SecretKey
from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations import secrets_made
from heard.operations.meant import workspace_meant
from heard.scores.window import rfc3339
from heard.store import accounts, audit
from heard.store.audit import COMMAND_LINE


async def keys_list(app: Installation, *, workspace: str | None = None) -> list[dict[str, Any]]:
    """`[{"name", "hint", "scope", "created_at", "last_used", "revoked_at"}]`, oldest first; the keys themselves are
    kept nowhere."""
    number = workspace_meant(app, workspace, None)
    return [_described(each) for each in await app.store.read(lambda found: accounts.keys_of(found, number))]


async def keys_add(
    app: Installation,
    *,
    name: str,
    scope: str = Scope.FULL.value,
    workspace: str | None = None,
    workspace_id: int | None = None,
    by: str = COMMAND_LINE,
) -> dict[str, Any]:
    """A new key: `{"name", "scope", "secret_key"}`, shown this once.

    Raises:
        Invalid: with `field`: no name or a taken one, or no such scope.
    """
    number, name, now = workspace_meant(app, workspace, workspace_id), name.strip(), app.clock.now()
    if not 1 <= len(name) <= 100:
        raise Invalid("Give the key a name of 1 to 100 characters.", field="name")
    allowed, key = _scope(scope), secrets_made.secret_key()

    def add(connection: Connection) -> None:
        if any(each.name == name for each in _working(connection, number)):
            raise Invalid(f"There is a key called {name!r} already.", field="name")
        accounts.add_key(connection, number, name, key, scope=allowed, now=now)
        audit.note(connection, number, by=by, what="key.added", subject=name, at=now, detail={"scope": allowed.value})

    await app.store.write(add)
    return {"name": name, "scope": allowed.value, "secret_key": key}


async def keys_rotate(
    app: Installation,
    *,
    name: str,
    workspace: str | None = None,
    workspace_id: int | None = None,
    by: str = COMMAND_LINE,
) -> dict[str, Any]:
    """A new key in the place of an old one, which stops working at once: `{"name", "scope", "secret_key"}`."""
    number, key = workspace_meant(app, workspace, workspace_id), secrets_made.secret_key()

    def rotate(connection: Connection) -> SecretKey:
        old, now = _key(connection, number, name), app.clock.now()
        accounts.revoke_key(connection, old, now=now)
        accounts.add_key(connection, number, old.name, key, scope=old.scope, now=now)
        audit.note(connection, number, by=by, what="key.rotated", subject=old.name, at=now)
        return old

    old = await app.store.write(rotate)
    return {"name": old.name, "scope": old.scope.value, "secret_key": key}


async def keys_revoke(
    app: Installation,
    *,
    name: str,
    workspace: str | None = None,
    workspace_id: int | None = None,
    by: str = COMMAND_LINE,
) -> dict[str, Any]:
    """A key stops working at once, for ever: `{"name", "revoked": true}`."""
    number = workspace_meant(app, workspace, workspace_id)

    def revoke(connection: Connection) -> str:
        key, now = _key(connection, number, name), app.clock.now()
        accounts.revoke_key(connection, key, now=now)
        audit.note(connection, number, by=by, what="key.revoked", subject=key.name, at=now)
        return key.name

    return {"name": await app.store.write(revoke), "revoked": True}


def _scope(scope: str) -> Scope:
    try:
        return Scope(scope)
    except ValueError:
        raise Invalid(f"Write a scope: {' or '.join(Scope)}.", field="scope") from None


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
        "scope": key.scope.value,
        "created_at": rfc3339(key.created_at),
        "last_used": rfc3339(key.last_used) if key.last_used else None,
        "revoked_at": rfc3339(key.revoked_at) if key.revoked_at else None,
    }
