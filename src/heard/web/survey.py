"""`/s/{token}`: the question in a mail, opened.

Machines fetch the links in mails before people do. So a GET or HEAD records that it happened and nothing else; only
the form that a person sends is an answer. `/about/{token}` is the link of a mail that no person sees: it opens a page
on which there is nothing to do, and tells machines apart.
"""

from __future__ import annotations

import re
from typing import Any, TypedDict
from urllib.parse import parse_qsl

from litestar import Request, Response, route
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from heard.responses.clicks import Link
from heard.surveys.wording import Wording
from heard.web.pages import HEADERS, Draft, Pages
from heard.web.respondents import Asked, Closed, Respondents

LARGEST_FORM = 128 * 1024  # octets: 5,000 characters can take 60,000 when every one is an escaped emoji
LONGEST_AGENT = 500

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Incoming = Request[Any, Any, Any]


class Who(TypedDict):
    agent: str
    client: str


class Fetched(Who):
    method: str


def routes(respondents: Respondents, pages: Pages) -> list[HTTPRouteHandler]:
    @route("/s/{token:str}", http_method=["GET", "HEAD"], name="survey", include_in_schema=False)
    async def open_survey(request: Incoming, token: FromPath[str]) -> Response[bytes]:
        asked = await respondents.find(token)
        if not isinstance(asked, Asked):
            return _nothing_to_ask(asked, token, pages)
        tapped = on_scale(request.query_params.get("a"), asked.wording)
        said = asked.answered
        is_receipt = tapped is None and (said is not None or "change" in request.query_params)
        if not is_receipt:
            link = Link.SURVEY if tapped is None else Link.SCORE
            await respondents.clicked(token, link=link, value=tapped, **fetched(request))
        if tapped is None and said is not None and "change" not in request.query_params:
            return pages.thanks(asked, token)
        chosen = tapped if tapped is not None or said is None else said.value
        return pages.survey(
            asked, token, Draft(chosen=chosen, comment=said.comment if said else "", tapped=tapped is not None)
        )

    @route(
        "/s/{token:str}",
        http_method=["POST"],
        include_in_schema=False,
        request_max_body_size=LARGEST_FORM,
        exception_handlers={HTTPException: lambda _, error: pages.failed(error.status_code)},
    )
    async def send_answer(request: Incoming, token: FromPath[str]) -> Response[bytes]:
        asked = await respondents.find(token)
        if not isinstance(asked, Asked):
            return _nothing_to_ask(asked, token, pages)
        form = fields(await request.body())
        value = on_scale(form.get("score"), asked.wording)
        comment = written(form.get("comment", ""))
        too_long = len(comment) > asked.wording.longest
        if value is None or too_long:
            draft = Draft(chosen=value, comment=comment, wrong_score=value is None, wrong_comment=too_long)
            return pages.survey(asked, token, draft)
        kept = await respondents.answer(token, value=value, comment=comment, **who(request))
        if not isinstance(kept, Asked):
            return _nothing_to_ask(kept, token, pages)
        if kept.preview:  # there is nothing to come back to
            return pages.thanks(kept, token)
        # 303: reloading the receipt, or going back to it, sends nothing again.
        return Response(b"", status_code=303, headers={**HEADERS, "Location": f"{pages.base}/s/{token}"})

    @route("/about/{token:str}", http_method=["GET", "HEAD"], name="hidden", include_in_schema=False)
    async def open_hidden(request: Incoming, token: FromPath[str]) -> Response[bytes]:
        asked = await respondents.find(token)
        if asked is None:
            return pages.unknown()
        await respondents.clicked(token, link=Link.HIDDEN, **fetched(request))
        return pages.hidden(asked, token)

    return [open_survey, send_answer, open_hidden]


def _nothing_to_ask(found: Closed | None, token: str, pages: Pages) -> Response[bytes]:
    return pages.unknown() if found is None else pages.closed(found, token)


def fields(body: bytes) -> dict[str, str]:
    """A form's fields. What no form of ours could send has none, and is answered like an empty one."""
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=20))
    except ValueError:
        return {}


def on_scale(text: str | None, wording: Wording) -> int | None:
    """A number on the scale, as our own links and forms write it; anything else is no number."""
    if text is None or not re.fullmatch(r"-?[0-9]{1,3}", text):
        return None
    value = int(text)
    return value if wording.low <= value <= wording.high else None


def written(text: str) -> str:
    """A comment as it was meant: browsers send line ends as CRLF, and nobody types control characters."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def fetched(request: Incoming) -> Fetched:
    """How a link was fetched, and by whom."""
    return {"method": str(request.method), **who(request)}


def who(request: Incoming) -> Who:
    """The browser's name for itself, and the address that the collector saw: evidence for the verdict, nothing more."""
    agent = request.headers.get("user-agent", "")[:LONGEST_AGENT]
    return {"agent": agent, "client": request.headers.get("x-heard-client", "")}
