"""The site of the documents in a real browser: it asks no other host, its search finds, and both themes are there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.architecture.test_docs_site import build

pytestmark = pytest.mark.needs_browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = ("", "tutorial/your-own/", "how-to/https/", "reference/why-not/", "reference/api/", "explanation/decision/")
DARK, LIGHT = "rgb(27, 27, 25)", "rgb(255, 255, 255)"  # --surface of tokens.css
WIDEST_LINE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    assert build(folder).returncode == 0
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(chromium: Path, site: str) -> Iterator[Page]:
    """A page that fails its test when it asked another host, or complained."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        wrong: list[str] = []
        page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith((site, "data:")) else None)
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda problem: wrong.append(str(problem)))
        yield page
        browser.close()
    assert wrong == []


def test_pages_ask_no_other_host_and_fit_a_phone(page: Page, site: str):
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for path in PAGES:
            page.goto(site + path)
            page.wait_for_load_state("networkidle")
            assert page.evaluate(WIDEST_LINE) <= 0, (path, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, site: str, scheme: Literal["light", "dark"]):
    page.emulate_media(color_scheme=scheme)
    for path in PAGES:
        page.goto(site + path)
        page.wait_for_load_state("networkidle")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate(f"axe.run({{runOnly: {TAGS}}})")
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == [], path


def test_search_finds_a_word_of_the_product(page: Page, site: str):
    page.goto(site)
    page.locator(".md-search__input").click()
    page.keyboard.type("workspace_quiet_period")
    page.locator(".md-search-result__link").first.wait_for()

    assert "quiet" in page.locator(".md-search-result__list").inner_text()


def test_the_theme_follows_the_system_until_one_is_chosen(page: Page, site: str):
    def see(colour: str) -> None:
        page.wait_for_function(f"getComputedStyle(document.body).backgroundColor == '{colour}'", timeout=5000)

    page.emulate_media(color_scheme="dark")
    page.goto(site)
    see(DARK)
    page.emulate_media(color_scheme="light")
    page.reload()
    see(LIGHT)
    for name in ("Switch to light", "Switch to dark"):
        page.locator(f"label[title='{name}']:visible").click()
    see(DARK)
