"""The door to everything that only members may see: a session in a cookie, a role, and a token in every form.

Each route names in its `opt` what one must be allowed to do (`{"may": Action.SEE}`); one that names nothing is open to
nobody. What changes something is a POST that carries the session's form token, so that no other site can send it. The
token is one workspace's; what is about the person says `{"anywhere": True}` and takes that of any of theirs.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from sqlalchemy import Connection

from heard.accounts.member import Action, Member, Role, may, who_may
from heard.accounts.workspace import Workspace
from heard.errors import HeardError
from heard.installation import Installation
from heard.store import contacts, sessions

COOKIE, SAID, THEME = "heard_session", "heard_said", "heard_theme"
VISIT = "visit"
SAFE = frozenset({"GET", "HEAD"})
COUNTED_EVERY = 30.0  # seconds


class NotSignedIn(HeardError):
    """Whoever asks has no session, or one that is over."""


class Refused(HeardError):
    """The role is not enough, or the form did not come from our page."""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks at which workspace."""

    member: Member
    workspace: Workspace
    workspaces: tuple[Workspace, ...]  # all that this person is a member of
    token: str  # the session's; never shown
    form: str  # the token that forms carry
    contacts: int  # how many there are, counted now and then
    campaigns: int
    said: str | None = None  # what the last act came to
    theme: str | None = None  # "light" or "dark"; None as the system has it

    @property
    def email(self) -> str:
        return self.member.email

    @property
    def role(self) -> Role:
        return self.member.role

    def may(self, action: str) -> bool:
        return may(self.role, Action(action))


class Door:
    def __init__(self, app: Installation) -> None:
        self._app = app
        self._counted: dict[int, tuple[float, int]] = {}

    async def guard(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """A Litestar guard; afterwards `visit(request)` tells who it is.

        Raises:
            NotSignedIn: no session.
            Refused: not with this role, or not from our own page.
        """
        request = Request[Any, Any, Any](connection.scope, connection.receive)
        if request.method not in SAFE:  # who answers before has the answer cut off by what still comes
            await request.body()
        seen = await self.look(connection)
        if seen is None:
            raise NotSignedIn("Sign in first.")
        places = seen.workspaces if handler.opt.get("anywhere") else (seen.workspace,)
        expected = [form_token(seen.token, place.id) for place in places]
        await _from_our_page(request, expected)
        action = handler.opt.get("may")
        if action is None or not may(seen.role, action):
            lowest = who_may(action) if action else Role.OWNER
            raise Refused(f"This takes the role {lowest}; yours in this workspace is {seen.role}.")

    async def look(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Visit | None:
        """Who it is, which is noted for `visit`; None for somebody who is not signed in."""
        token = connection.cookies.get(COOKIE, "")
        now = self._app.clock.now()
        session = await self._app.store.read(lambda found: sessions.by_token(found, token, now=now)) if token else None
        if session is None:
            return None
        if now - session.last_seen >= sessions.SEEN_EVERY:
            await self._app.store.write(lambda found: sessions.seen(found, token, now=now))
        member = next(each for each in session.memberships if each.workspace == session.workspace)
        directory = self._app.directory
        seen = Visit(
            member=member,
            workspace=directory.workspaces[member.workspace],
            workspaces=tuple(directory.workspaces[each.workspace] for each in session.memberships),
            token=token,
            form=form_token(token, member.workspace),
            contacts=await self._contacts(member.workspace),
            campaigns=len(directory.campaigns_of(member.workspace)),
            said=unquote(connection.cookies.get(SAID, "")) or None,
            theme=theme(connection.cookies),
        )
        connection.state[VISIT] = seen
        return seen

    async def _contacts(self, workspace: int) -> int:
        """How many contacts there are. Counting a million takes a moment, so the last count serves until then."""
        counted_at, number = self._counted.get(workspace, (0.0, -1))
        if time.monotonic() - counted_at > COUNTED_EVERY:

            async def count() -> int:
                found = await self._app.store.read(lambda connection: _count(connection, workspace))
                self._counted[workspace] = (time.monotonic(), found)
                return found

            self._counted[workspace] = (time.monotonic(), number)  # the next visitor need not count too
            counting = asyncio.create_task(count())
            return await counting if number < 0 else number
        return max(number, 0)


def visit(request: ASGIConnection[Any, Any, Any, Any]) -> Visit:
    return request.state[VISIT]


def form_token(token: str, workspace: int) -> str:
    """What the forms of a session carry that are about a workspace; it tells nothing of the session's own token.

    A page that was left open while another tab went to another workspace must not change that one.
    """
    return hmac.digest(token.encode(), b"form about %d" % workspace, "sha256").hex()


def theme(cookies: Mapping[str, str]) -> str | None:
    chosen = cookies.get(THEME)
    return chosen if chosen in ("light", "dark") else None


def cookie(app: Installation, name: str, value: str, *, seconds: int) -> Cookie:
    """One that only our pages send and no script reads; `seconds` 0 takes it away."""
    base = urlsplit(app.base_url)
    return Cookie(
        key=name,
        value=quote(value),
        path=base.path.rstrip("/") or "/",
        max_age=seconds,
        httponly=True,
        secure=base.scheme == "https",
        samesite="lax",
    )


async def _from_our_page(request: Request[Any, Any, Any], expected: Sequence[str]) -> None:
    if request.method in SAFE:
        return
    # The form's own comes first: what a script sends along stands in the frame of the page, which may be older.
    given = str((await request.form()).get("form_token", "")) or request.headers.get("x-form-token", "")
    if not any(hmac.compare_digest(given.encode(), each.encode()) for each in expected):
        raise Refused(
            "This form is from an earlier session, or about another workspace than the one you look at now. "
            "Go back, load the page again and repeat it."
        )


def _count(connection: Connection, workspace: int) -> int:
    return contacts.count(connection, workspace)
