"""Segment's browser library, as published, against a server that makes it wait: it comes again, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.shop import browsing, shop
from tests.browser.test_snippet import page_with, segments_snippet
from tests.flow.running import RunningHeard, eventually

SENT = 6


@pytest.mark.slow
def test_line_13_fault_27_the_browser_library_resumes_and_loses_nothing(chromium: Path, node: Path, tmp_path: Path):
    with RunningHeard(tmp_path / "data", environment={"HEARD_RATE_LIMIT": "1"}) as heard, browsing(chromium) as browser:
        snippet = segments_snippet(node, f"127.0.0.1:{heard.port}").replace('"https://', '"http://')
        with shop({"/": page_with(snippet)}) as site:
            page = browser.new_page()
            answered: list[int] = []
            page.on("response", lambda said: answered.append(said.status) if "/v1/t" in said.url else None)
            page.goto(site)
            page.evaluate(f"for (let n = 0; n < {SENT}; n++) void analytics.track('Seen', {{n}})")

            def everything() -> bool:
                page.wait_for_timeout(100)  # lets the page's events come in
                return answered.count(200) >= SENT

            eventually(everything, seconds=60, what="the last track")
        heard.settle()
        kept = [each for each in heard.get("messages", limit=100)["data"] if each["event"] == "Seen"]

    assert 429 in answered
    assert sorted(each["message"]["properties"]["n"] for each in kept) == list(range(SENT))
