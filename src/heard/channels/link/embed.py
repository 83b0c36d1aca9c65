"""The block that another tool's mail takes: our question and its row, with that tool's tags in the links."""

from __future__ import annotations

import msgspec

from heard.channels.email import look
from heard.channels.link.tools import Tool
from heard.surveys.wording import Wording

SIGNATURE = "SIG"  # to be replaced by whoever uses the block


class Block(msgspec.Struct, frozen=True):
    """For the HTML and the text part of a mail; both hold the tool's tags as they are."""

    html: str
    text: str


def link(address: str, tool: Tool, language: str | None = None, *, signed: bool = False) -> str:
    """The link with the tool's tags, which are not encoded: the tool looks for them as they are. `signed`: with a place
    for the signature, which no tool makes by itself."""
    sig = SIGNATURE if signed else None
    said = [("user_id", tool.user_id), ("email", tool.email), ("sig", sig), ("lang", language)]
    return address + "?" + "&".join(f"{name}={value}" for name, value in said if value)


def block(address: str, tool: Tool, wording: Wording, *, language: str | None = None, signed: bool = False) -> Block:
    """`language` is said in the links where a survey speaks several."""
    to_a_number = link(address, tool, language, signed=signed)
    return Block(*look.block(wording, to_a_number, "&a=", hidden=link(f"{address}/about", tool, signed=signed)))
