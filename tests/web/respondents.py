"""Respondents in memory, behind the pages' own port, with real tokens: Marshall was asked by Acme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from litestar import Litestar
from litestar.static_files import create_static_files_router
from msgspec import structs

import heard.web
from heard.accounts.workspace import Brand
from heard.ids import LinkKeys, delivery_id
from heard.responses.clicks import Link
from heard.surveys.wording import worded
from heard.web import survey, unsubscribe
from heard.web.pages import Pages
from heard.web.respondents import Answered, Asked, Closed, Wish

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ACME = Brand(name="Acme", color="#2563eb")
KEYS = LinkKeys(b"the secret of a test, 32 octets!")


def asked(**changes) -> Asked:
    brand = changes.get("brand", ACME)
    marshall = Asked(
        delivery_id=delivery_id(1, 1, "order 1", "first"),
        brand=brand,
        wording=worded("nps", brand=brand.name),
        first_name="Marshall",
        because="you placed an order on 19 November",
        closes_at=datetime(2026, 12, 22, tzinfo=UTC),
        quiet_until=datetime(2027, 2, 20, tzinfo=UTC),
    )
    return structs.replace(marshall, **changes)


def closed(**changes) -> Closed:
    open_one = asked()
    was = Closed(
        delivery_id=open_one.delivery_id,
        brand=open_one.brand,
        wording=open_one.wording,
        closed_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    return structs.replace(was, **changes)


@dataclass
class InMemory:
    """One invitation, and a record of all that the pages asked for."""

    invitation: Asked | Closed = field(default_factory=asked)
    clicks: list[tuple[str, int]] = field(default_factory=list)  # of links with a score
    opened: list[str] = field(default_factory=list)  # the other links
    answers: list[tuple[int, str]] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)

    @property
    def token(self) -> str:
        return KEYS.token(7, self.invitation.delivery_id)

    async def find(self, token: str) -> Asked | Closed | None:
        link = KEYS.read(token)
        return self.invitation if link and link.delivery_id == self.invitation.delivery_id else None

    async def clicked(
        self, token: str, *, link: Link, method: str, value: int | None = None, agent: str, client: str
    ) -> None:
        if value is None:
            self.opened.append(link.value)
        else:
            self.clicks.append((method, value))

    async def answer(self, token: str, *, value: int, comment: str, agent: str, client: str) -> Asked | Closed | None:
        self.answers.append((value, comment))
        self.agents.append(agent)
        said = Answered(value=value, comment=comment, at=NOW)
        self.invitation = structs.replace(self.invitation, answered=said)
        return self.invitation

    async def wish(self, token: str, wish: Wish, *, on: bool) -> Asked | Closed | None:
        field = {Wish.NONE: "unsubscribed", Wish.LESS: "less_often", Wish.NOT_THIS: "not_this_one"}[wish]
        if await self.find(token):
            self.invitation = structs.replace(self.invitation, **{field: on})
        return await self.find(token)


def an_app(respondents: InMemory, *, base: str = "") -> Litestar:
    pages = Pages(now=lambda: NOW, base=base)
    return Litestar(
        [
            *survey.routes(respondents, pages),
            *unsubscribe.routes(respondents, pages),
            create_static_files_router("/static", [Path(heard.web.__file__).parent / "static"]),
        ],
        openapi_config=None,
        logging_config=None,
    )


async def everything(_: object, ids: Sequence[str]) -> frozenset[str]:
    """Whoever looks at the outbox may see all of it."""
    return frozenset(ids)
