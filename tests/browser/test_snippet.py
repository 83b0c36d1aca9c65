"""A page with Segment's own snippet, or its npm package, that knows no other host than Heard's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from heard.web.dashboard.sources.snippets import snippets
from tests.browser.shop import MODULES, Visit, browsing, bundled, shop
from tests.browser.tls import https_before, made_certificate
from tests.conftest import absent
from tests.flow.running import RunningHeard, eventually, free_port

KEY = "wk_acme_website"
HEAD = '<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">'
BUNDLE = f'{HEAD}<script type="module" src="/stdin.js"></script><h1>Shop</h1>'
LIBRARY_PATH = f"/analytics.js/v1/{KEY}/analytics.min.js"


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with browsing(chromium) as running:
        yield running


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("heard") / "data") as running:
        yield running


def segments_snippet(node: Path, host: str, **options: Any) -> str:
    """What Segment's app gives people to paste, for this host: published as @segment/snippet."""
    program = f"process.stdout.write(require('@segment/snippet').max({{host: '{host}', apiKey: '{KEY}'}}))"
    done = subprocess.run([node, "-e", program], cwd=MODULES.parent, capture_output=True, text=True, check=True)
    return done.stdout


def page_with(script: str) -> str:
    return f"{HEAD}<script>{script}</script><h1>Shop</h1>"


def sent_by(heard: RunningHeard, visitor: str) -> dict[str, Any]:
    """What came from this visitor's page, by event or type. (A page that is seen before the identify has no userId.)"""
    found = (each["message"] for each in heard.get("messages", limit=100)["data"])
    return {each.get("event") or each["type"]: each for each in found if each["anonymousId"] == visitor}


def visited(visit: Visit, site: str, user: str) -> None:
    """Somebody comes from a mail that names them; the shop's own scripts speak, whether the library is there or not."""
    visit.page.goto(f"{site}/?utm_source=news&ajs_aid={user}")
    visit.page.evaluate(f"void analytics.identify('{user}', {{email: '{user}@mosby.example', plan: 'Team'}})")
    visit.page.evaluate("void analytics.track('Order Completed', {total: 42, products: [{sku: 'é 1'}]})")


@pytest.mark.parametrize("cdn", ["named", "found"])
def test_segments_snippet_over_http(heard: RunningHeard, browser: Browser, node: Path, cdn: str):
    """Over plain HTTP the library does not look at its own address; it knows ours even if the page does not say it."""
    snippet = segments_snippet(node, f"127.0.0.1:{heard.port}").replace('"https://', '"http://')
    if cdn == "named":
        snippet = snippet.replace("analytics.load(", f'analytics._cdn = "{heard.url}"; analytics.load(', 1)
        assert "_cdn" in snippet
    with shop({"/": page_with(snippet)}) as site:
        visit = Visit(browser, site, heard.url)
        visited(visit, site, f"robin_{cdn}")
        eventually(lambda: len(sent_by(heard, f"robin_{cdn}")) == 3, what="identify, track and page")
        visit.page.wait_for_load_state("networkidle")

    sent = sent_by(heard, f"robin_{cdn}")
    assert visit.complaints == []
    assert visit.asked_for(f"GET {heard.url}{LIBRARY_PATH}")
    assert visit.asked_for(f"GET {heard.url}/v1/projects/{KEY}/settings")
    assert visit.asked_for(f"GET {heard.url}/analytics-next/bundles/queryString.bundle.")
    assert sent["Order Completed"]["properties"] == {"total": 42, "products": [{"sku": "é 1"}]}
    assert sent["page"]["context"]["campaign"] == {"source": "news"}
    assert sent["Order Completed"]["context"]["library"] == {"name": "analytics.js", "version": "next-1.84.3"}


def test_segments_snippet_unchanged_over_https_and_under_a_path(browser: Browser, node: Path, tmp_path: Path):
    if shutil.which("openssl") is None:
        absent("no openssl on this machine to make a certificate with")
    certificate, port = made_certificate(tmp_path), free_port()
    environment = {"HEARD_BASE_URL": f"https://127.0.0.1:{port}/feedback"}
    with (
        RunningHeard(tmp_path / "data", environment=environment) as heard,
        https_before(heard.port, certificate, port=port) as front,
        shop({"/": page_with(segments_snippet(node, f"127.0.0.1:{port}/feedback"))}) as site,
    ):
        visit = Visit(browser, site, f"{front}/feedback/")
        visited(visit, site, "robin")
        eventually(lambda: len(sent_by(heard, "robin")) == 3, what="identify, track and page")
        visit.page.wait_for_load_state("networkidle")

        assert visit.complaints == []
        assert visit.asked_for(f"GET {front}/feedback{LIBRARY_PATH}")
        assert visit.asked_for(f"GET {front}/feedback/analytics-next/bundles/queryString.bundle.")
        assert visit.asked_for(f"POST {front}/feedback/v1/t")


def test_the_npm_package_needs_nothing_but_our_address(
    heard: RunningHeard, browser: Browser, node: Path, tmp_path: Path
):
    program = f"""
      import {{ AnalyticsBrowser }} from '@segment/analytics-next'
      window.analytics = AnalyticsBrowser.load({{writeKey: '{KEY}', cdnURL: '{heard.url}'}})
      analytics.page()
    """
    with shop({"/": BUNDLE}, scripts=bundled(node, program, tmp_path / "scripts")) as site:
        visit = Visit(browser, site, heard.url)
        visited(visit, site, "barney")
        eventually(lambda: len(sent_by(heard, "barney")) == 3, what="identify, track and page")
        visit.page.wait_for_load_state("networkidle")

    assert visit.complaints == []
    assert len(visit.asked_for("/v1/projects/")) == 1


def test_in_batching_mode_a_page_sends_its_calls_together(heard: RunningHeard, browser: Browser, node: Path):
    batching = (
        "{integrations: {'Segment.io': {deliveryStrategy: {strategy: 'batching', config: {size: 3, timeout: 700}}}}}"
    )
    snippet = segments_snippet(node, f"127.0.0.1:{heard.port}").replace('"https://', '"http://')
    snippet = snippet.replace(f'analytics.load("{KEY}")', f'analytics.load("{KEY}", {batching})')
    assert "batching" in snippet
    with shop({"/": page_with(snippet)}) as site:
        visit = Visit(browser, site, heard.url)
        visited(visit, site, "lily")
        eventually(lambda: len(sent_by(heard, "lily")) == 3, what="identify, track and page")
        visit.page.evaluate("void analytics.track('Left')")
        assert visit.complaints == []
        # Chromium may call the request of a page that was left aborted; that its event arrived is what counts.
        visit.page.goto("about:blank")  # leaving sends what is left
        left = eventually(lambda: sent_by(heard, "lily").get("Left"), what="the last event")

    assert {each.partition("/v1/")[2] for each in visit.asked_for("POST")} == {"b"}
    assert left["userId"] == "lily"


def test_line_12_the_librarys_own_metrics_are_taken_and_never_an_error(
    heard: RunningHeard, browser: Browser, node: Path, tmp_path: Path
):
    """Our settings switch them off; a page that switches them on again gets a 200."""
    program = f"""
      import {{ AnalyticsBrowser }} from '@segment/analytics-next'
      window.analytics = AnalyticsBrowser.load(
        {{writeKey: '{KEY}', cdnURL: '{heard.url}'}},
        {{
          integrations: {{'Segment.io': {{apiHost: '127.0.0.1:{heard.port}/v1', protocol: 'http'}}}},
          updateCDNSettings: (told) => ({{...told, metrics: {{...told.metrics, sampleRate: 1, flushTimer: 200}}}}),
        }}
      )
    """
    with shop({"/": BUNDLE}, scripts=bundled(node, program, tmp_path / "scripts")) as site:
        visit = Visit(browser, site, heard.url)
        visited(visit, site, "marvin")
        with visit.page.expect_response(lambda said: said.url == f"{heard.url}/v1/m") as taken:
            pass
        assert taken.value.status == 200
        visit.page.wait_for_load_state("networkidle")

    assert visit.complaints == []


def test_a_page_keeps_its_library_while_the_heart_is_away(heard: RunningHeard, browser: Browser, node: Path):
    snippet = segments_snippet(node, f"127.0.0.1:{heard.port}").replace('"https://', '"http://')
    heart = heard.part("heard.heart")
    os.kill(heart, signal.SIGSTOP)
    try:
        with shop({"/": page_with(snippet)}) as site:
            visit = Visit(browser, site, heard.url)
            visited(visit, site, "tracy")
            with visit.page.expect_response(lambda said: said.url.endswith("/v1/t") and said.ok, timeout=10_000):
                visit.page.evaluate("void analytics.track('Seen')")
    finally:
        os.kill(heart, signal.SIGCONT)

    assert visit.complaints == []
    eventually(lambda: "Seen" in sent_by(heard, "tracy"), what="what was sent meanwhile")


def test_a_page_with_a_wrong_key_is_told_so_and_asks_nobody_else(heard: RunningHeard, browser: Browser, node: Path):
    snippet = segments_snippet(node, f"127.0.0.1:{heard.port}").replace('"https://', '"http://').replace(KEY, "wk_gone")
    with shop({"/": page_with(snippet)}) as site:
        visit = Visit(browser, site, heard.url)
        visit.page.goto(site)
        visit.page.wait_for_load_state("networkidle")

    address = f"{heard.url}/analytics.js/v1/wk_gone/analytics.min.js"
    assert [each for each in visit.complaints if "somebody else" in each] == []
    assert f"404 {address}" in visit.complaints
    assert "No source has the write key" in httpx.get(address).text


def test_the_code_that_a_sources_page_offers_is_whole(
    heard: RunningHeard, browser: Browser, node: Path, tmp_path: Path
):
    sends_what_it_says(heard, heard.url, browser, node, tmp_path)


def test_the_code_that_a_sources_page_offers_is_whole_under_a_path(browser: Browser, node: Path, tmp_path: Path):
    behind = RunningHeard(tmp_path / "data")
    address = behind.environment["HEARD_BASE_URL"] = f"{behind.url}/feedback"
    with behind as heard:
        sends_what_it_says(heard, address, browser, node, tmp_path)


def sends_what_it_says(heard: RunningHeard, address: str, browser: Browser, node: Path, folder: Path) -> None:
    """Both snippets for browsers, as they are copied, with an event that is called like nothing else."""
    odd = """It's "</script>" \\ <b>"""
    offered = {each.id: each.code for each in snippets(address, KEY, odd)}
    pages = {"/page": HEAD + offered["page"] + "<h1>Shop</h1>", "/npm": BUNDLE}
    with shop(pages, scripts=bundled(node, offered["browser"], folder / "scripts")) as site:
        for number, name in enumerate(pages, 1):
            visit = Visit(browser, site, address)
            visit.page.goto(site + name)
            sent = eventually(
                lambda number=number: len(of_event(heard, odd)) == number and of_event(heard, odd), what=name
            )
            visit.page.wait_for_load_state("networkidle")
            assert visit.complaints == []
            assert (sent[0]["userId"], sent[0]["properties"]) == ("u_1", {"total": 49})


def of_event(heard: RunningHeard, event: str) -> list[dict[str, Any]]:
    return [each["message"] for each in heard.get("messages", limit=100)["data"] if each["event"] == event]
