"""What respondents see, as whole answers to a request.

The pages need no script, no cookie and nobody else's host; the policy below makes sure that what people typed could
not bring any in. The brand's colour is the one thing that differs in style; it comes in under a nonce.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from litestar import Response
from markupsafe import Markup, escape

from heard.accounts import logo
from heard.accounts.workspace import Brand
from heard.channels.colour import LINE, NIGHT, PAPER, edge, on_colour
from heard.channels.email.look import initial
from heard.contacts.standing import LESS_OFTEN
from heard.surveys.because import in_words
from heard.surveys.locales import locale
from heard.surveys.wording import Wording
from heard.web.respondents import Asked, Closed, Wish

NOBODY = Brand(name="")  # where we do not know who asked

POLICY = (
    "default-src 'none'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The survey form as it is shown: what is chosen and written in it, and what is wrong with it."""

    chosen: int | None = None
    comment: str = ""
    tapped: bool = False  # the choice came with the link, not from the person on this page
    wrong_score: bool = False
    wrong_comment: bool = False

    @property
    def is_wrong(self) -> bool:
        return self.wrong_score or self.wrong_comment


class Said(Enum):
    THANKS = "thanks"
    ANSWERED = "answered"
    CLOSED = "closed"
    REFUSED = "refused"
    NAMELESS = "nameless"


class Pages:
    """`base` is the path that Heard is served under ("" or `/feedback`); `now` tells which dates need their year."""

    def __init__(self, *, now: Callable[[], datetime], base: str = "") -> None:
        self.base = base.rstrip("/")
        self._now = now
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["fill"] = _fill
        self._templates.globals["bold"] = _bold

    def survey(self, asked: Asked, token: str, draft: Draft) -> Response[bytes]:
        status, place = 422 if draft.is_wrong else 200, f"/s/{token}"
        return self._of(asked, "survey.html", status, token=token, place=place, carried={}, draft=draft)

    def followed(self, asked: Asked, token: str, carried: Mapping[str, str], draft: Draft) -> Response[bytes]:
        """The same by a public link, whose parameters go with the form. It shows nothing of whom the link names."""
        status, place = 422 if draft.is_wrong else 200, f"/l/{token}"
        return self._of(asked, "survey.html", status, token="", place=place, carried=carried, draft=draft)

    def said(self, asked: Asked, about: Said) -> Response[bytes]:
        """What came of a public link, in two sentences."""
        page = locale(asked.wording.language).page
        title, lead, status = {
            Said.THANKS: (page.thanks, page.received, 200),
            Said.ANSWERED: (page.said_before, page.said_before_lead, 409),
            Said.CLOSED: (page.closed, page.closed_lead, 410),
            Said.REFUSED: (page.not_taken, page.not_taken_lead, 403),
            Said.NAMELESS: (page.nameless, page.nameless_lead, 400),
        }[about]
        return self._of(asked, "said.html", status, title=title, lead=lead, done=about is Said.THANKS)

    def thanks(self, asked: Asked, token: str) -> Response[bytes]:
        return self._of(asked, "thanks.html", token=token)

    def closed(self, closed: Closed, token: str) -> Response[bytes]:
        return self._of(closed, "closed.html", 410, token=token)

    def hidden(self, asked: Asked | Closed, token: str) -> Response[bytes]:
        return self._of(asked, "hidden.html", token=token, open=isinstance(asked, Asked))

    def unknown(self) -> Response[bytes]:
        return self._page("unknown.html", 404)

    def nothing_here(self) -> Response[bytes]:
        return self._page("nothing_here.html", 404)

    def failed(self, status: int) -> Response[bytes]:
        return self._page("failed.html", status)

    def leave(self, asked: Asked | Closed, token: str) -> Response[bytes]:
        return self._of(asked, "leave.html", token=token, length=_length(asked))

    def done(self, asked: Asked | Closed, token: str, wish: Wish) -> Response[bytes]:
        """What they wished holds; here it can be taken back."""
        return self._of(asked, "left.html", token=token, wish=wish.value, length=_length(asked))

    def back(self, asked: Asked | Closed, token: str) -> Response[bytes]:
        return self._of(asked, "back.html", token=token, open=isinstance(asked, Asked))

    def _of(self, asked: Asked | Closed, template: str, status: int = 200, **view: Any) -> Response[bytes]:
        return self._page(template, status, brand=asked.brand, wording=asked.wording, asked=asked, **view)

    def _page(
        self, template: str, status: int, *, brand: Brand = NOBODY, wording: Wording | None = None, **view: Any
    ) -> Response[bytes]:
        language = locale(wording.language if wording else "en")
        nonce = secrets.token_urlsafe(16)
        now = self._now()
        html = self._templates.get_template(template).render(
            base=self.base,
            nonce=nonce,
            brand=brand,
            initial=initial(brand.name),
            logo=logo.read(brand.logo),
            on_color=on_colour(brand.color),
            by_day=edge(brand.color, PAPER),
            by_night=edge(brand.color, NIGHT, ratio=LINE),
            language=language,
            say=language.page,
            day=lambda at: language.on(at, now=now),
            wording=wording,
            **view,
        )
        return Response(
            html.encode(),
            status_code=status,
            media_type="text/html",
            headers={**HEADERS, "Content-Security-Policy": POLICY.format(nonce=nonce)},
        )


def _length(asked: Asked | Closed) -> str:
    return in_words(LESS_OFTEN, language=asked.wording.language)


def _fill(sentence: str, **values: object) -> Markup:
    """Fill in one of our sentences; every value is escaped on its way in."""
    return escape(sentence).format(**values)


def _bold(value: object) -> Markup:
    return Markup("<b>{}</b>").format(value)
