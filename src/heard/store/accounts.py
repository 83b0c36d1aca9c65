"""Workspaces, their members and their secret keys."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from heard.accounts import keys
from heard.accounts.keys import Scope, SecretKey
from heard.accounts.member import Member, Role
from heard.accounts.workspace import Brand, slug
from heard.contacts import address as addresses
from heard.store import cursors, tables
from heard.store.tables import members, secret_keys, sessions, workspaces


def add_workspace(connection: Connection, name: str, *, now: datetime) -> int:
    """A new workspace; returns its id. Two names that make one slug are told apart by a number."""
    number = cursors.take(connection, "workspaces")
    connection.execute(
        workspaces.insert().values(
            id=number, name=name, slug=free_slug(connection, name), brand=Brand(name=name), created_at=now
        )
    )
    return number


def workspace_is_called(connection: Connection, name: str) -> bool:
    return connection.execute(select(workspaces.c.id).where(workspaces.c.name == name)).first() is not None


def free_slug(connection: Connection, name: str) -> str:
    """`acme`, or `acme-2` where another workspace is called that."""
    taken = set(connection.execute(select(workspaces.c.slug)).scalars())
    wanted, number = slug(name), 2
    free = wanted
    while free in taken:
        free, number = f"{wanted}-{number}", number + 1
    return free


def add_source(connection: Connection, workspace: int, name: str, write_key: str, *, now: datetime) -> int:
    number = cursors.take(connection, "sources")
    connection.execute(
        tables.sources.insert().values(
            workspace_id=workspace, id=number, name=name, write_key=write_key, created_at=now
        )
    )
    return number


def add_surveys_destination(connection: Connection, workspace: int, name: str) -> None:
    """The survey engine as a destination, fed by every source."""
    connection.execute(
        tables.destinations.insert().values(
            workspace_id=workspace,
            id=cursors.take(connection, "destinations"),
            name=name,
            type="surveys",
            settings={},
            source_ids=None,
        )
    )


# ── members ──


def members_of(connection: Connection, workspace: int) -> list[Member]:
    """Oldest first."""
    rows = connection.execute(select(members).where(members.c.workspace_id == workspace).order_by(members.c.id))
    return [
        Member(id=row.id, workspace=workspace, email=row.email, role=Role(row.role), created_at=row.created_at)
        for row in rows
    ]


def add_member(
    connection: Connection, workspace: int, email: str, password_hash: str, role: Role, *, now: datetime
) -> None:
    connection.execute(
        members.insert().values(
            workspace_id=workspace,
            id=cursors.take(connection, "members"),
            email=email,
            email_key=addresses.key(email),
            password_hash=password_hash,
            role=role.value,
            created_at=now,
        )
    )


def passwords_of(connection: Connection, email: str) -> list[tuple[int, str]]:
    """(workspace, hash) of every account with this address: the same hash, since one address has one password."""
    query = select(members.c.workspace_id, members.c.password_hash).where(members.c.email_key == addresses.key(email))
    return [(row.workspace_id, row.password_hash) for row in connection.execute(query.order_by(members.c.id))]


def is_a_member_anywhere(connection: Connection, email: str) -> bool:
    """Somebody with a password already: a new one must not be made for them by adding them somewhere else."""
    query = select(func.count()).select_from(members).where(members.c.email_key == addresses.key(email))
    return connection.execute(query).scalar_one() > 0


def change_password(connection: Connection, member: Member, password_hash: str) -> None:
    connection.execute(
        update(members)
        .where(members.c.workspace_id == member.workspace, members.c.id == member.id)
        .values(password_hash=password_hash)
    )


def change_role(connection: Connection, member: Member, role: Role) -> None:
    connection.execute(
        update(members)
        .where(members.c.workspace_id == member.workspace, members.c.id == member.id)
        .values(role=role.value)
    )


def remove_member(connection: Connection, member: Member) -> None:
    """Whoever is a member of nothing then is signed out: were they invited again, their old sessions would be good."""
    connection.execute(delete(members).where(members.c.workspace_id == member.workspace, members.c.id == member.id))
    if not is_a_member_anywhere(connection, member.email):
        connection.execute(delete(sessions).where(sessions.c.email_key == addresses.key(member.email)))


def last_seen(connection: Connection, emails: Iterable[str]) -> dict[str, datetime]:
    """When each of these addresses last used a session that still is, known to the hour; by address key."""
    wanted = [addresses.key(each) for each in emails]
    query = select(sessions.c.email_key, func.max(sessions.c.last_seen)).where(sessions.c.email_key.in_(wanted))
    return {row[0]: row[1] for row in connection.execute(query.group_by(sessions.c.email_key))}


def there_are_members(connection: Connection) -> bool:
    return connection.execute(select(members.c.id).limit(1)).first() is not None


# ── secret keys ──


def keys_of(connection: Connection, workspace: int) -> list[SecretKey]:
    """Oldest first, the revoked ones too."""
    query = select(secret_keys).where(secret_keys.c.workspace_id == workspace).order_by(secret_keys.c.id)
    return [_key(row) for row in connection.execute(query)]


def add_key(
    connection: Connection, workspace: int, name: str, key: str, *, now: datetime, scope: Scope = Scope.FULL
) -> None:
    """Only the fingerprint of `key` is kept."""
    connection.execute(
        secret_keys.insert().values(
            workspace_id=workspace,
            id=cursors.take(connection, "secret_keys"),
            name=name,
            fingerprint=keys.fingerprint(key),
            hint=keys.hint(key),
            scope=scope.value,
            created_at=now,
        )
    )


def key_by_secret(connection: Connection, key: str) -> SecretKey | None:
    """The working key, of any workspace. What is compared is a hash of 256 random bits: timing tells nothing of it."""
    query = select(secret_keys).where(
        secret_keys.c.fingerprint == keys.fingerprint(key), secret_keys.c.revoked_at.is_(None)
    )
    row = connection.execute(query).first()
    return _key(row) if row else None


def key_used(connection: Connection, key: SecretKey, *, now: datetime) -> None:
    _change_key(connection, key, last_used=now)


def revoke_key(connection: Connection, key: SecretKey, *, now: datetime) -> None:
    _change_key(connection, key, revoked_at=now)


def _change_key(connection: Connection, key: SecretKey, **values: Any) -> None:
    connection.execute(
        update(secret_keys)
        .where(secret_keys.c.workspace_id == key.workspace, secret_keys.c.id == key.id)
        .values(**values)
    )


def _key(row: Any) -> SecretKey:
    return SecretKey(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        hint=row.hint,
        created_at=row.created_at,
        scope=Scope(row.scope),
        last_used=row.last_used,
        revoked_at=row.revoked_at,
    )
