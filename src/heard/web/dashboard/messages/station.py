"""What a row of the debugger is made of: badges, sentences below them, and the stations of the opened route."""

from __future__ import annotations

import re

import msgspec
from markupsafe import Markup, escape

from heard.deliveries.decision import Decision


class Badge(msgspec.Struct, frozen=True):
    text: str
    kind: str = ""
    sign: str = ""


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is the word the API has for it; `why` a decision of a contact whose page explains it."""

    text: Markup | str
    code: str | None = None
    why: Decision | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One station of a message's way; where it `stops`, it went no further.

    `link` leads to the destination's page. `again`: (destination, what the button says) where it can be sent by hand.
    """

    title: str
    rest: str = ""
    text: Markup | str = ""
    code: str | None = None
    sign: str = "check"
    stops: bool = False
    quiet: bool = False  # worth knowing, and nothing to look into
    why: Decision | None = None
    link: str | None = None
    again: tuple[int, str] | None = None


class Became(msgspec.Struct, frozen=True, kw_only=True):
    badges: list[Badge]
    said: list[Sentence]


def with_code(text: str) -> Markup:
    """What stands between backticks becomes code."""
    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts)
    )
