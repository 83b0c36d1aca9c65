"""The code of docs/how-to/from-the-browser.md, as it stands, in a real browser that no CDN answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from heard.web.dashboard.sources.snippets import snippets
from tests.architecture.tree import ROOT
from tests.browser.shop import Visit, browsing, bundled, shop
from tests.flow.running import RunningHeard, eventually

PAGE = (ROOT / "docs/how-to/from-the-browser.md").read_text(encoding="utf-8")
OFFERED = {each.id: each.code for each in snippets("http://localhost:8800", "wk_acme_website")}


def block(language: str) -> str:
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return code


def test_the_how_to_has_the_code_that_the_dashboard_offers():
    assert block("html") == OFFERED["page"]
    assert block("js") == OFFERED["browser"]


@pytest.mark.parametrize("language", ["html", "js"])
def test_from_the_browser_under_the_policy_it_names(chromium: Path, node: Path, tmp_path: Path, language: str):
    with RunningHeard(tmp_path / "data") as heard, browsing(chromium) as browser:
        code = block(language).replace("localhost:8800", f"127.0.0.1:{heard.port}")
        policy = block("text").strip().replace("https://feedback.example.com", heard.url)
        if language == "html":
            policy = policy.replace("script-src", "script-src 'nonce-shop'")
            page, scripts = code.replace("<script>", '<script nonce="shop">'), tmp_path
        else:
            page = '<script type="module" src="/stdin.js"></script>'
            scripts = bundled(node, code, tmp_path / "scripts")
        head = f'<meta http-equiv="Content-Security-Policy" content="{policy}"><link rel="icon" href="data:,">'
        with shop({"/": f"<!doctype html><title>Shop</title>{head}{page}"}, scripts=scripts) as site:
            visit = Visit(browser, site, heard.url)
            visit.page.goto(site)
            eventually(lambda: heard.get("deliveries", user_id="u_1")["data"], what="the visitor's survey")
            visit.page.wait_for_load_state("networkidle")

        assert visit.complaints == []
