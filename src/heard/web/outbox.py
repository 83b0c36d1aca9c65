"""`/outbox`: the mails that were not sent because no mail server is set, as their recipients would see them.

Where a mail server is set there is no outbox; whoever puts the application together leaves these routes out. They show
names and addresses, so they belong behind the dashboard's guard.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import jinja2
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import Guard

from heard.accounts.member import Action
from heard.channels.email.outbox import Outbox, opened

MOST = 200  # mails on the page
SHOWN = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# A mail brings its own styles and nothing else; it cannot reach the page around it. Its links open in a new tab.
POLICY_OF_A_MAIL = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}

_DELIVERY = re.compile(r"[0-9a-f]{32}")


Mine = Callable[[Request[Any, Any, Any], Sequence[str]], Awaitable[frozenset[str]]]


def routes(outbox: Outbox, *, mine: Mine, base: str = "", guards: Sequence[Guard] = ()) -> list[HTTPRouteHandler]:
    """`mine` says which of some deliveries whoever asks may see."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def page(template: str, status: int = 200, **view: Any) -> Response[bytes]:
        html = templates.get_template(template).render(base=base.rstrip("/"), outbox=True, **view)
        return _html(html.encode(), POLICY, status)

    async def read(request: Request[Any, Any, Any], delivery_id: str) -> bytes | None:
        if not _DELIVERY.fullmatch(delivery_id) or not await mine(request, [delivery_id]):
            return None
        return await asyncio.to_thread(outbox.read, delivery_id)

    @get("/outbox", guards=list(guards), opt={"may": Action.SEE}, include_in_schema=False)
    async def show_outbox(request: Request[Any, Any, Any]) -> Response[bytes]:
        kept = await asyncio.to_thread(outbox.listing, MOST)
        visible = await mine(request, [each.delivery_id for each in kept])
        return page("outbox.html", mails=[each for each in kept if each.delivery_id in visible], most=MOST)

    @get("/outbox/{delivery_id:str}", guards=list(guards), opt={"may": Action.SEE}, include_in_schema=False)
    async def show_mail(request: Request[Any, Any, Any], delivery_id: FromPath[str]) -> Response[bytes]:
        content = await read(request, delivery_id)
        if content is None:
            return page("outbox_missing.html", 404)
        mail = opened(content)
        text = mail.get_body(("plain",))
        return page(
            "outbox_mail.html",
            delivery_id=delivery_id,
            subject=str(mail["Subject"] or ""),
            headers=[(name, str(mail[name])) for name in SHOWN if mail[name]],
            text=text.get_content() if text else "",
            size=len(content),
        )

    @get("/outbox/{delivery_id:str}/html", guards=list(guards), opt={"may": Action.SEE}, include_in_schema=False)
    async def show_html(request: Request[Any, Any, Any], delivery_id: FromPath[str]) -> Response[bytes]:
        content = await read(request, delivery_id)
        body = opened(content).get_body(("html",)) if content else None
        if body is None:
            return page("outbox_missing.html", 404)
        html: str = body.get_content()
        return _html(html.replace("<head>", '<head><base target="_blank">', 1).encode(), POLICY_OF_A_MAIL)

    return [show_outbox, show_mail, show_html]


def _html(html: bytes, policy: str, status: int = 200) -> Response[bytes]:
    return Response(
        html, status_code=status, media_type="text/html", headers={**HEADERS, "Content-Security-Policy": policy}
    )
