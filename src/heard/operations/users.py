"""Members: who may sign in to a workspace."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Connection

from heard.accounts.member import Member, Role
from heard.contacts import address as addresses
from heard.errors import HeardError, Invalid, NotFound
from heard.installation import Installation
from heard.operations import secrets_made
from heard.operations.meant import workspace_meant
from heard.scores.window import rfc3339
from heard.store import accounts, audit, sessions
from heard.store.audit import COMMAND_LINE


async def users_list(app: Installation, *, workspace: str | None = None) -> list[dict[str, Any]]:
    """`[{"email", "role", "created_at"}]`, oldest first."""
    number = workspace_meant(app, workspace, None)
    return [_described(each) for each in await app.store.read(lambda found: accounts.members_of(found, number))]


async def users_add(
    app: Installation, *, email: str, role: str = Role.MEMBER.value, workspace: str | None = None
) -> dict[str, Any]:
    """A member with a password made for them: `{"email", "role", "password"}`; the password is shown this once.

    Raises:
        Invalid: no address, no such role, or a member already.
    """
    number, address = workspace_meant(app, workspace, None), addresses.read(email)
    if address is None:
        raise Invalid(f"Write an e-mail address, not {email!r}.", field="email")
    if role not in {each.value for each in Role}:
        raise Invalid(f"Write a role: {', '.join(Role)}.", field="role")
    password, password_hash = await _new_password()

    def add(connection: Connection) -> None:
        if accounts.is_a_member_anywhere(connection, address):
            raise Invalid(
                f"{address} is a member already. Invite them from the settings page to add them to another workspace.",
                field="email",
            )
        now = app.clock.now()
        accounts.add_member(connection, number, address, password_hash, Role(role), now=now)
        audit.note(
            connection, number, by=COMMAND_LINE, what="member.added", subject=address, at=now, detail={"role": role}
        )

    await app.store.write(add)
    return {"email": address, "role": role, "password": password}


async def users_password(app: Installation, *, email: str, workspace: str | None = None) -> dict[str, Any]:
    """A new password in the place of the old one: `{"email", "password"}`. Sessions begun with the old one end."""
    number = workspace_meant(app, workspace, None)
    password, password_hash = await _new_password()

    def change(connection: Connection) -> str:
        member = _member(connection, number, email)
        for each in sessions.memberships(connection, addresses.key(member.email)):  # one address has one password
            accounts.change_password(connection, each, password_hash)
            audit.note(
                connection, each.workspace, by=COMMAND_LINE, what="member.password_changed", subject=each.email,
                at=app.clock.now(),
            )  # fmt: skip
        sessions.end_all(connection, member.email)
        return member.email

    return {"email": await app.store.write(change), "password": password}


async def users_remove(app: Installation, *, email: str, workspace: str | None = None) -> dict[str, Any]:
    """Take a member's access away: `{"email", "removed": true}`. The last owner stays."""
    number = workspace_meant(app, workspace, None)

    def remove(connection: Connection) -> str:
        member = _member(connection, number, email)
        owners = [each for each in accounts.members_of(connection, number) if each.role == Role.OWNER]
        if owners == [member]:
            raise HeardError(f"{member.email} is the last owner; add another owner first.")
        accounts.remove_member(connection, member)
        audit.note(connection, number, by=COMMAND_LINE, what="member.removed", subject=member.email, at=app.clock.now())
        return member.email

    return {"email": await app.store.write(remove), "removed": True}


def _member(connection: Connection, workspace: int, email: str) -> Member:
    for member in accounts.members_of(connection, workspace):
        if addresses.key(member.email) == addresses.key(email):
            return member
    raise NotFound(f"{email} is not a member.")


async def _new_password() -> tuple[str, str]:
    password = secrets_made.password()
    return password, await asyncio.to_thread(secrets_made.hashed, password)


def _described(member: Member) -> dict[str, Any]:
    return {"email": member.email, "role": member.role.value, "created_at": rfc3339(member.created_at)}
