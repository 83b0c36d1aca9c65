"""The block that another tool's mail takes: our question and its row, with that tool's tags in the links."""

from __future__ import annotations

import msgspec

from heard.channels.email import look
from heard.channels.link.tools import Tool
from heard.surveys.wording import Wording


class Block(msgspec.Struct, frozen=True):
    """For the HTML and the text part of a mail; both hold the tool's tags as they are."""

    html: str
    text: str


def link(address: str, tool: Tool, language: str | None = None) -> str:
    """The link with the tool's tags, which are not encoded: the tool looks for them as they are."""
    said = [("user_id", tool.user_id), ("email", tool.email), ("lang", language)]
    return address + "?" + "&".join(f"{name}={value}" for name, value in said if value)


def block(address: str, tool: Tool, wording: Wording, *, language: str | None = None) -> Block:
    """`language` is said in the links where a survey speaks several."""
    html, text = look.block(wording, link(address, tool, language), "&a=", hidden=link(f"{address}/about", tool))
    return Block(html, text)
