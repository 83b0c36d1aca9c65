"""The block for another tool's mail: small, one table, and its links hold that tool's tags as they are."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from heard.channels.link import embed
from heard.channels.link.tools import BY_KEY, TOOLS, Tool
from heard.surveys.locales import LOCALES
from heard.surveys.wording import worded

ADDRESS = "https://feedback.acme.example/l/abcdefghijklmnopqrstuv"
KNOWN = {"table", "tr", "td", "div", "a"}


def a_block(tool: Tool, language: str = "en") -> embed.Block:
    return embed.block(ADDRESS, tool, worded("nps", brand="Acme & Söhne", language=language), language=language)


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_it_is_below_six_kilobytes_for_every_tool_in_every_language(language: str):
    assert {tool.key: len(a_block(tool, language).html.encode()) for tool in TOOLS} == pytest.approx(
        dict.fromkeys([tool.key for tool in TOOLS], 5_100), abs=1_000
    )


@pytest.mark.parametrize("tool", TOOLS, ids=lambda each: each.key)
def test_each_number_is_a_link_with_the_tags_of_the_tool_and_nothing_else_is(tool: Tool):
    html = a_block(tool, "de").html
    links = [(unescape(href), text) for href, text in re.findall(r'<a href="([^"]+)"[^>]*>([^<]*)</a>', html)]
    assert [text for _, text in links] == [*map(str, range(11)), ""], "the last one is for machines"
    for number, (href, _) in enumerate(links[:11]):
        assert href == embed.link(ADDRESS, tool, "de") + f"&a={number}"
    assert links[11][0].startswith(f"{ADDRESS}/about?")


def test_only_what_every_mail_program_shows_is_in_it_and_every_tag_is_closed():
    open_: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in KNOWN
            assert not {"class", "id", "src"} & {name for name, _ in attrs}
            open_.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_.pop() == tag

    Reader().feed(a_block(BY_KEY["mailchimp"]).html)
    assert open_ == []


def test_the_text_part_has_a_line_for_each_number():
    text = a_block(BY_KEY["zendesk"]).text
    assert "Acme & Söhne" in text
    assert len(re.findall(r"^ ?\d+.*: https://", text, re.MULTILINE)) == 11
    assert "user_id={{ticket.requester.external_id}}&email={{ticket.requester.email}}&lang=en&a=10" in text
