"""Segment's browser library, as published, against a server that makes it wait: it comes again, and nothing is lost."""

from __future__ import annotations

import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.test_analytics_next import LIBRARY, SHOP, Quiet, browser  # noqa: F401 (a fixture)
from tests.flow.running import RunningHeard, eventually

SENT = 6


@pytest.mark.slow
def test_line_13_fault_27_the_browser_library_resumes_and_loses_nothing(browser: Browser, tmp_path: Path):  # noqa: F811
    with RunningHeard(tmp_path / "data", environment={"HEARD_RATE_LIMIT": "1"}) as heard:
        page_of = type("Shop", (Quiet,), {"shop": SHOP.replace("HOST", f"127.0.0.1:{heard.port}")})
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(page_of, directory=LIBRARY)) as shop:
            threading.Thread(target=shop.serve_forever, daemon=True).start()
            page = browser.new_page()
            answered: list[int] = []
            page.on("response", lambda said: answered.append(said.status) if "/v1/t" in said.url else None)
            page.goto(f"http://127.0.0.1:{shop.server_port}")
            page.evaluate(f"for (let n = 0; n < {SENT}; n++) analytics.track('Seen', {{n}})")

            def everything() -> bool:
                page.wait_for_timeout(100)  # lets the page's events come in
                return answered.count(200) >= SENT

            eventually(everything, seconds=60, what="the last track")
            shop.shutdown()
        heard.settle()
        kept = heard.get("messages", limit=100)["data"]

    assert 429 in answered
    assert sorted(each["message"]["properties"]["n"] for each in kept) == list(range(SENT))
