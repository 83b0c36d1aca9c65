"""The code of docs/how-to/from-the-browser.md, as it stands, in a real browser that no CDN answers."""

from __future__ import annotations

import re
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.architecture.tree import ROOT
from tests.browser.test_analytics_next import LIBRARY, Quiet
from tests.flow.running import RunningHeard, eventually

PAGE = (ROOT / "docs/how-to/from-the-browser.md").read_text(encoding="utf-8")
IMPORT = "import { AnalyticsBrowser } from '@segment/analytics-next'\n"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.mark.needs_browser
def test_from_the_browser(chromium: Path, tmp_path: Path):
    (program,) = re.findall(r"^```js\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert IMPORT in program
    script = program.replace(IMPORT, "const { AnalyticsBrowser } = AnalyticsNext\n")  # a page without a bundler
    with RunningHeard(tmp_path / "data") as heard, sync_playwright() as playwright:
        script = script.replace("localhost:8800", f"localhost:{heard.port}")
        shop = f'<!doctype html><title>Shop</title><script src="/index.js"></script><script>{script}</script>'
        page_of = type("Shop", (Quiet,), {"shop": shop})
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(page_of, directory=LIBRARY)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            eventually(lambda: heard.get("deliveries", user_id="eve")["data"], what="eve's survey")
            browser.close()
            server.shutdown()

    ours = (f"http://127.0.0.1:{server.server_port}/", f"http://localhost:{heard.port}/v1/")
    assert [url for url in asked if not url.startswith(ours)] == []
