"""`/u/{token}`: the way out of every survey, of one, or of so many.

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
from heard.web.respondents import Respondents, Wish
from heard.web.survey import Incoming, fetched, fields

UNDO = "undo"
WAYS = {"less": Wish.LESS, "not-this": Wish.NOT_THIS}


def routes(respondents: Respondents, pages: Pages) -> list[HTTPRouteHandler]:
    @route(
        ["/u/{token:str}", "/u/{token:str}/{way:str}"],
        http_method=["GET", "HEAD"],
        name="unsubscribe",
        include_in_schema=False,
    )
    async def open_preferences(request: Incoming, token: FromPath[str], way: FromPath[str] = "") -> Response[bytes]:
        if way and way != UNDO and way not in WAYS:
            return pages.unknown()
        asked = await respondents.find(token)
        if asked is None:
            return pages.unknown()
        await respondents.clicked(token, link=Link.LEAVE, **fetched(request))
        return pages.done(asked, token, Wish.NONE) if asked.unsubscribed else pages.leave(asked, token)

    @route("/u/{token:str}", http_method=["POST"], include_in_schema=False)
    async def leave(token: FromPath[str]) -> Response[bytes]:
        return await _wish(token, Wish.NONE)

    @route("/u/{token:str}/{way:str}", http_method=["POST"], include_in_schema=False)
    async def choose(request: Incoming, token: FromPath[str], way: FromPath[str]) -> Response[bytes]:
        if way == UNDO:
            taken_back = fields(await request.body()).get("wish", Wish.NONE)
            wish = Wish(taken_back) if taken_back in tuple(Wish) else Wish.NONE
            asked = await respondents.wish(token, wish, on=False)
            return pages.unknown() if asked is None else pages.back(asked, token)
        return pages.unknown() if way not in WAYS else await _wish(token, WAYS[way])

    async def _wish(token: str, wish: Wish) -> Response[bytes]:
        asked = await respondents.wish(token, wish, on=True)
        return pages.unknown() if asked is None else pages.done(asked, token, wish)

    return [open_preferences, leave, choose]
