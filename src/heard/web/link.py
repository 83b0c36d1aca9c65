"""`/l/{token}`: a campaign's public link, in mails and pages that others make.

Who follows it stands in its parameters, which go on in the form. A GET or HEAD shows the same page whoever is named,
known or not, and decides nothing: machines follow links, and a link that nobody signed is no proof of who follows it.
So the page tells nothing of that person. The form is the answer. `/l/{token}/about` is the link that no person sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, route
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from heard.channels.link.who import PARAMETERS, Named
from heard.responses.clicks import Link
from heard.steps.follow import Became
from heard.web.followers import Followers
from heard.web.pages import HEADERS, Draft, Pages, Said
from heard.web.survey import LARGEST_FORM, Incoming, fetched, fields, on_scale, who, written

CARRIED = (*PARAMETERS, "lang")
LONGEST = 600  # characters of a parameter: a userId has 512 at the most
SAID: Mapping[Became, Said] = {
    Became.KEPT: Said.THANKS,
    Became.ANSWERED: Said.ANSWERED,
    Became.CLOSED: Said.CLOSED,
    Became.UNKNOWN: Said.REFUSED,
    Became.REFUSED: Said.REFUSED,
}


def routes(followers: Followers, pages: Pages) -> list[HTTPRouteHandler]:
    @route("/l/{token:str}", http_method=["GET", "HEAD"], name="link", include_in_schema=False)
    async def open_link(request: Incoming, token: FromPath[str]) -> Response[bytes]:
        carried = carried_by(request.query_params)
        follower = followers.find(token, carried)
        if follower is None:
            return pages.unknown()
        tapped = on_scale(request.query_params.get("a"), follower.asked.wording)
        link = Link.SURVEY if tapped is None else Link.SCORE
        await followers.opened(follower, link=link, value=tapped, fetched=fetched(request))
        if not isinstance(follower.named, Named):
            return pages.said(follower.asked, Said.NAMELESS)
        if not follower.is_open:
            return pages.said(follower.asked, Said.CLOSED)
        return pages.followed(follower.asked, token, carried, Draft(chosen=tapped, tapped=tapped is not None))

    @route(
        "/l/{token:str}",
        http_method=["POST"],
        include_in_schema=False,
        request_max_body_size=LARGEST_FORM,
        exception_handlers={HTTPException: lambda _, error: pages.failed(error.status_code)},
    )
    async def send_answer(request: Incoming, token: FromPath[str]) -> Response[bytes]:
        form = fields(await request.body())
        carried = carried_by(form)
        follower = followers.find(token, carried)
        if follower is None:
            return pages.unknown()
        if not isinstance(follower.named, Named):
            return pages.said(follower.asked, Said.NAMELESS)
        value, comment = on_scale(form.get("score"), follower.asked.wording), written(form.get("comment", ""))
        too_long = len(comment) > follower.asked.wording.longest
        if value is None or too_long:
            draft = Draft(chosen=value, comment=comment, wrong_score=value is None, wrong_comment=too_long)
            return pages.followed(follower.asked, token, carried, draft)
        sent = await followers.send(follower, follower.named, value=value, comment=comment, **who(request))
        if sent.token is not None:  # whoever signed the link has said that it is theirs
            return Response(b"", status_code=303, headers={**HEADERS, "Location": f"{pages.base}/s/{sent.token}"})
        return pages.said(follower.asked, SAID[sent.became])

    @route("/l/{token:str}/about", http_method=["GET", "HEAD"], name="hidden-link", include_in_schema=False)
    async def open_hidden(request: Incoming, token: FromPath[str]) -> Response[bytes]:
        follower = followers.find(token, carried_by(request.query_params))
        if follower is None:
            return pages.unknown()
        await followers.opened(follower, link=Link.HIDDEN, fetched=fetched(request))
        return pages.nothing_here()

    return [open_link, send_answer, open_hidden]


def carried_by(said: Mapping[str, Any]) -> dict[str, str]:
    """The parameters that the form carries on, as they came."""
    return {name: str(said[name])[:LONGEST] for name in CARRIED if said.get(name)}
