"""Who is signed in, and the links that invite new members. Of every token only its fingerprint is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select, update

from heard.accounts.keys import fingerprint
from heard.accounts.member import Member, Role
from heard.contacts import address as addresses
from heard.store import cursors
from heard.store.tables import invites, members, sessions

IDLE = timedelta(days=14)  # a session nobody used for so long is over
LONGEST = timedelta(days=90)  # and one that was begun so long ago
SEEN_EVERY = timedelta(hours=1)  # how exactly it is known when one was last used


class Session(msgspec.Struct, frozen=True, kw_only=True):
    email_key: str
    workspace: int  # the one being looked at
    memberships: tuple[Member, ...]  # of everybody with this address, so of one person; never empty
    created_at: datetime
    last_seen: datetime


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    workspace: int
    role: Role
    note: str  # whom it is meant for
    invited_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_by: str | None


# ── sessions ──


def begin(connection: Connection, token: str, email: str, workspace: int, *, agent: str, now: datetime) -> None:
    connection.execute(delete(sessions).where(sessions.c.last_seen < now - IDLE))
    connection.execute(
        sessions.insert().values(
            fingerprint=fingerprint(token),
            email_key=addresses.key(email),
            workspace_id=workspace,
            created_at=now,
            last_seen=now,
            agent=agent[:300],
        )
    )


def by_token(connection: Connection, token: str, *, now: datetime) -> Session | None:
    """The session of a token, while it lasts and its holder is a member of something."""
    row = connection.execute(select(sessions).where(sessions.c.fingerprint == fingerprint(token))).first()
    if row is None or now - row.last_seen >= IDLE or now - row.created_at >= LONGEST:
        return None
    theirs = memberships(connection, row.email_key)
    if not theirs:
        return None
    places = {each.workspace for each in theirs}
    return Session(
        email_key=row.email_key,
        workspace=row.workspace_id if row.workspace_id in places else theirs[0].workspace,
        memberships=theirs,
        created_at=row.created_at,
        last_seen=row.last_seen,
    )


def seen(connection: Connection, token: str, *, now: datetime) -> None:
    _change(connection, token, last_seen=now)


def look_at(connection: Connection, token: str, workspace: int) -> None:
    """Look at another workspace from now on."""
    _change(connection, token, workspace_id=workspace)


def end(connection: Connection, token: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.fingerprint == fingerprint(token)))


def end_all(connection: Connection, email: str, *, but: str | None = None) -> None:
    """Sign an address out everywhere: its password changed, or it is a member no longer."""
    query = delete(sessions).where(sessions.c.email_key == addresses.key(email))
    connection.execute(query.where(sessions.c.fingerprint != fingerprint(but)) if but else query)


def memberships(connection: Connection, email_key: str) -> tuple[Member, ...]:
    """What an address is a member of, the oldest first."""
    rows = connection.execute(select(members).where(members.c.email_key == email_key).order_by(members.c.id))
    return tuple(
        Member(id=row.id, workspace=row.workspace_id, email=row.email, role=Role(row.role), created_at=row.created_at)
        for row in rows
    )


# ── invites ──


def invite(
    connection: Connection,
    workspace: int,
    token: str,
    role: Role,
    *,
    note: str,
    by: str,
    now: datetime,
    until: datetime,
) -> int:
    number = cursors.take(connection, "invites")
    connection.execute(
        invites.insert().values(
            workspace_id=workspace,
            id=number,
            fingerprint=fingerprint(token),
            role=role.value,
            note=note,
            invited_by=by,
            created_at=now,
            expires_at=until,
        )
    )
    return number


def open_invites(connection: Connection, workspace: int, *, now: datetime) -> list[Invite]:
    """Those that still work, oldest first."""
    query = select(invites).where(
        invites.c.workspace_id == workspace, invites.c.used_at.is_(None), invites.c.expires_at > now
    )
    return [_invite(row) for row in connection.execute(query.order_by(invites.c.id))]


def invite_by_token(connection: Connection, token: str) -> Invite | None:
    """An invite of any workspace, used and expired ones too."""
    row = connection.execute(select(invites).where(invites.c.fingerprint == fingerprint(token))).first()
    return _invite(row) if row else None


def use_invite(connection: Connection, used: Invite, *, by: str, now: datetime) -> None:
    connection.execute(
        update(invites)
        .where(invites.c.workspace_id == used.workspace, invites.c.id == used.id)
        .values(used_at=now, used_by=by)
    )


def withdraw_invite(connection: Connection, workspace: int, number: int) -> bool:
    """Whether there was one to withdraw."""
    query = delete(invites).where(
        invites.c.workspace_id == workspace, invites.c.id == number, invites.c.used_at.is_(None)
    )
    return connection.execute(query).rowcount > 0


def _change(connection: Connection, token: str, **values: object) -> None:
    connection.execute(update(sessions).where(sessions.c.fingerprint == fingerprint(token)).values(**values))


def _invite(row: Any) -> Invite:
    return Invite(
        id=row.id,
        workspace=row.workspace_id,
        role=Role(row.role),
        note=row.note,
        invited_by=row.invited_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        used_by=row.used_by,
    )
