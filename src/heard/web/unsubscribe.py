"""`/u/{token}`: the way out of every survey.

RFC 8058: the mail provider's own button POSTs `List-Unsubscribe=One-Click`, as a form or as multipart, without cookie,
and wants a plain 200. Whatever the body says, a POST here means it. A GET only shows the page, because scanners follow
links; firewalls that fetched everything have unsubscribed people from other systems.
"""

from __future__ import annotations

from litestar import Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from heard.responses.clicks import Link
from heard.web.pages import Pages
from heard.web.respondents import Respondents
from heard.web.survey import Incoming, fetched


def routes(respondents: Respondents, pages: Pages) -> list[HTTPRouteHandler]:
    @route(
        ["/u/{token:str}", "/u/{token:str}/undo"],
        http_method=["GET", "HEAD"],
        name="unsubscribe",
        include_in_schema=False,
    )
    async def open_preferences(request: Incoming, token: FromPath[str]) -> Response[bytes]:
        asked = await respondents.find(token)
        if asked is None:
            return pages.unknown()
        await respondents.clicked(token, link=Link.LEAVE, **fetched(request))
        return pages.left(asked, token) if asked.unsubscribed else pages.leave(asked, token)

    @route("/u/{token:str}", http_method=["POST"], include_in_schema=False)
    async def leave(token: FromPath[str]) -> Response[bytes]:
        asked = await respondents.unsubscribe(token)
        return pages.unknown() if asked is None else pages.left(asked, token)

    @route("/u/{token:str}/undo", http_method=["POST"], include_in_schema=False)
    async def come_back(token: FromPath[str]) -> Response[bytes]:
        asked = await respondents.resubscribe(token)
        return pages.unknown() if asked is None else pages.back(asked, token)

    return [open_preferences, leave, come_back]
