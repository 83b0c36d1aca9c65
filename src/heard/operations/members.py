"""Members by invitation: a link makes whoever opens it a member, once, within a week."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from heard.accounts.member import Role, may_give
from heard.contacts import address as addresses
from heard.errors import HeardError, Invalid, NotFound
from heard.installation import Installation
from heard.operations import secrets_made
from heard.store import accounts, audit, sessions

GOOD_FOR = timedelta(days=7)
SHORTEST_PASSWORD = 10


async def invite(app: Installation, *, workspace: int, role: str, note: str, by: str, giver: Role) -> dict[str, Any]:
    """`{"path", "role", "expires_at"}`: a path to put after the base URL and to send to a colleague; shown this once.

    Raises:
        Invalid: no such role, or one that `giver` may not give.
    """
    wanted = _role(role)
    if not may_give(giver, wanted):
        raise Invalid(f"Only an owner makes an {wanted}.", field="role")
    token, now = secrets.token_urlsafe(24), app.clock.now()

    def keep(connection: Connection) -> None:
        sessions.invite(connection, workspace, token, wanted, note=note[:200], by=by, now=now, until=now + GOOD_FOR)
        audit.note(
            connection, workspace, by=by, what="member.invited", subject=note[:200] or wanted, at=now,
            detail={"role": wanted.value},
        )  # fmt: skip

    await app.store.write(keep)
    return {"path": f"/join/{token}", "role": wanted.value, "expires_at": now + GOOD_FOR}


async def withdraw(app: Installation, *, workspace: int, invite: int, by: str) -> None:
    """Raises:
    NotFound: there is no such open invitation.
    """
    now = app.clock.now()

    def keep(connection: Connection) -> None:
        known = next(
            (each for each in sessions.open_invites(connection, workspace, now=now) if each.id == invite), None
        )
        if known is None or not sessions.withdraw_invite(connection, workspace, invite):
            raise NotFound("This invitation was used or withdrawn already.")
        audit.note(
            connection, workspace, by=by, what="member.invite_withdrawn", subject=known.note or known.role, at=now
        )

    await app.store.write(keep)


async def join(app: Installation, *, token: str, email: str, password: str) -> int:
    """Become a member by an invite; gives the workspace. Somebody with an account elsewhere keeps their password.

    The caller has checked the password of an address that has one already.

    Raises:
        NotFound: the invite does not work, or no longer.
        Invalid: with `field`: no address, too short a password, a member already.
    """
    address, now = addresses.read(email), app.clock.now()
    if address is None:
        raise Invalid("Write your e-mail address, like ann@acme.example.", field="email")
    check_password(password)
    password_hash = await asyncio.to_thread(secrets_made.hashed, password)

    def keep(connection: Connection) -> int:
        found = sessions.invite_by_token(connection, token)
        if found is None or found.used_at is not None or found.expires_at <= now:
            raise NotFound("This invitation does not work, or no longer.")
        theirs = sessions.memberships(connection, addresses.key(address))
        if any(each.workspace == found.workspace for each in theirs):
            raise Invalid(f"{address} is a member here already. Sign in.", field="email")
        known = accounts.passwords_of(connection, address)
        accounts.add_member(
            connection, found.workspace, address, known[0][1] if known else password_hash, found.role, now=now
        )
        sessions.use_invite(connection, found, by=address, now=now)
        audit.note(
            connection, found.workspace, by=address, what="member.joined", subject=address, at=now,
            detail={"role": found.role.value, "invited_by": found.invited_by},
        )  # fmt: skip
        return found.workspace

    return await app.store.write(keep)


async def change_role(app: Installation, *, workspace: int, member: int, role: str, by: str, giver: Role) -> None:
    """Raises:
    NotFound: no such member.
    Invalid: a role that `giver` may not give or take, or nobody would be owner any more.
    """
    now = app.clock.now()

    def keep(connection: Connection) -> None:
        everyone = accounts.members_of(connection, workspace)
        known = next((each for each in everyone if each.id == member), None)
        if known is None:
            raise NotFound("There is no such member.")
        wanted = _role(role)
        if not (may_give(giver, wanted) and may_give(giver, known.role)):
            raise Invalid("Only an owner makes and unmakes owners.", field="role")
        if known.role == Role.OWNER != wanted and sum(each.role == Role.OWNER for each in everyone) == 1:
            raise Invalid(f"{known.email} is the last owner; make somebody else owner first.", field="role")
        accounts.change_role(connection, known, wanted)
        audit.note(
            connection, workspace, by=by, what="member.role_changed", subject=known.email, at=now,
            detail={"role": wanted.value, "was": known.role.value},
        )  # fmt: skip

    await app.store.write(keep)


async def remove(app: Installation, *, workspace: int, member: int, by: str, giver: Role) -> str:
    """Take a member's access away at once; gives their address.

    Raises:
        NotFound: no such member.
        HeardError: the last owner stays, and only an owner removes an owner.
    """

    def keep(connection: Connection) -> str:
        everyone = accounts.members_of(connection, workspace)
        known = next((each for each in everyone if each.id == member), None)
        if known is None:
            raise NotFound("There is no such member.")
        if not may_give(giver, known.role):
            raise HeardError("Only an owner removes an owner.")
        if known.role == Role.OWNER and sum(each.role == Role.OWNER for each in everyone) == 1:
            raise HeardError(f"{known.email} is the last owner; make somebody else owner first.")
        accounts.remove_member(connection, known)
        audit.note(connection, workspace, by=by, what="member.removed", subject=known.email, at=app.clock.now())
        return known.email

    return await app.store.write(keep)


async def change_password(app: Installation, *, email: str, password: str, token: str) -> None:
    """Somebody's own new password, everywhere they are a member; every other session of theirs ends.

    Raises:
        Invalid: it is too short (field `new`).
    """
    check_password(password, field="new")
    password_hash = await asyncio.to_thread(secrets_made.hashed, password)

    def keep(connection: Connection) -> None:
        for each in sessions.memberships(connection, addresses.key(email)):
            accounts.change_password(connection, each, password_hash)
            audit.note(
                connection, each.workspace, by=email, what="member.password_changed", subject=email,
                at=app.clock.now(),
            )  # fmt: skip
        sessions.end_all(connection, email, but=token)

    await app.store.write(keep)


def check_password(password: str, *, field: str = "password") -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid(f"Choose a password of at least {SHORTEST_PASSWORD} characters.", field=field)


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise Invalid(f"Write a role: {', '.join(Role)}.", field="role") from None
