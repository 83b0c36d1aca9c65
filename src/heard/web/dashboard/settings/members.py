"""`/settings/members`: who works here, with which role; invitations by link."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from heard.accounts.member import Action, Member, Role, may_give
from heard.contacts import address as addresses
from heard.errors import HeardError, Invalid, NotFound
from heard.operations import members
from heard.store import accounts, sessions
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.shell import Dashboard


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What was not done, and where it is said: beside a member, or at a field of the invitation."""

    member: int | None = None
    field: str = ""
    said: str


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/settings/members", opt={"may": Action.MEMBERS}, include_in_schema=False)
    async def show_members(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await members_page(visit(request))

    @post("/settings/members", opt={"may": Action.MEMBERS}, include_in_schema=False, status_code=200)
    async def invite_member(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The link is on the page that answers, and never again."""
        seen, form = visit(request), await request.form()
        role, note = str(form.get("role", "")), str(form.get("note", "")).strip()
        try:
            made = await members.invite(
                app, workspace=seen.workspace.id, role=role, note=note, by=seen.email, giver=seen.role
            )
        except Invalid as problem:
            refusal = Refusal(field=problem.field or "role", said=str(problem))
            return await members_page(seen, 422, refusal=refusal, note=note, role=role)
        return await members_page(seen, made=made | {"note": note, "url": app.base_url.rstrip("/") + made["path"]})

    @post("/settings/members/{number:int}/role", opt={"may": Action.MEMBERS}, include_in_schema=False, status_code=200)
    async def change_role(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen, role = visit(request), str((await request.form()).get("role", ""))
        try:
            await members.change_role(
                app, workspace=seen.workspace.id, member=number, role=role, by=seen.email, giver=seen.role
            )
        except Invalid as problem:
            return await members_page(seen, 422, refusal=Refusal(member=number, said=str(problem)))
        return dashboard.to("/settings/members", "The role is changed, from the next click on.")

    @post(
        "/settings/members/{number:int}/remove", opt={"may": Action.MEMBERS}, include_in_schema=False, status_code=200
    )
    async def remove_member(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        try:
            email = await members.remove(
                app, workspace=seen.workspace.id, member=number, by=seen.email, giver=seen.role
            )
        except NotFound:
            raise
        except HeardError as problem:
            return await members_page(seen, 422, refusal=Refusal(member=number, said=str(problem)))
        if addresses.key(email) == addresses.key(seen.email):
            return dashboard.to("/")
        return dashboard.to("/settings/members", f"{email} is out.")

    @post(
        "/settings/invites/{number:int}/withdraw", opt={"may": Action.MEMBERS}, include_in_schema=False, status_code=200
    )
    async def withdraw_invite(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[bytes]:
        seen = visit(request)
        await members.withdraw(app, workspace=seen.workspace.id, invite=number, by=seen.email)
        return dashboard.to("/settings/members", "The invitation works no longer.")

    async def members_page(
        seen: Visit,
        status: int = 200,
        *,
        made: dict[str, Any] | None = None,
        refusal: Refusal | None = None,
        note: str = "",
        role: str = Role.MEMBER.value,
    ) -> Response[bytes]:
        workspace, now = seen.workspace.id, app.clock.now()

        def look(connection: Connection) -> tuple[list[Member], dict[str, Any], list[sessions.Invite]]:
            everyone = accounts.members_of(connection, workspace)
            last = accounts.last_seen(connection, [each.email for each in everyone])
            return everyone, last, sessions.open_invites(connection, workspace, now=now)

        everyone, last, invites = await app.store.read(look)
        return dashboard.page(
            seen,
            "settings_members.html",
            here="settings",
            tab="members",
            status=status,
            members=[(each, last.get(addresses.key(each.email)), may_give(seen.role, each.role)) for each in everyone],
            roles=[each for each in Role if may_give(seen.role, each)],
            invites=invites,
            made=made,
            refusal=refusal,
            note=note,
            role=role,
        )

    return [show_members, invite_member, change_role, remove_member, withdraw_invite]
