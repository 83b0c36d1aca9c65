"""Segment's own browser library, as published, in a real browser: identify, track, and the survey comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from heard.channels.email.outbox import opened
from tests.flow.running import RunningHeard, eventually, links_in

LIBRARY = Path(__file__).parent / "node_modules/@segment/analytics-next/dist/umd"
SHOP = """<!doctype html><html lang="en"><title>Shop</title><script src="/index.js"></script>
<script>
  const analytics = AnalyticsNext.AnalyticsBrowser.load({
    writeKey: "wk_acme_website",
    cdnSettings: {integrations: {"Segment.io": {apiKey: "wk_acme_website", apiHost: "HOST/v1", protocol: "http"}}},
  });
</script><h1>Shop</h1>"""


class Quiet(SimpleHTTPRequestHandler):
    """The shop's own web server: one page, and the library beside it."""

    shop = ""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.shop.encode())
        return None

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def browser(chromium: Path) -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield running
        running.close()


def test_a_visitor_identifies_orders_and_answers_the_mail(browser: Browser, tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard:
        page_of = type("Shop", (Quiet,), {"shop": SHOP.replace("HOST", f"127.0.0.1:{heard.port}")})
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(page_of, directory=LIBRARY)) as shop:
            threading.Thread(target=shop.serve_forever, daemon=True).start()
            hosts = (f"http://127.0.0.1:{shop.server_port}", heard.url)
            page = browser.new_page()
            elsewhere: list[str] = []
            page.on("request", lambda asked: None if asked.url.startswith(hosts) else elsewhere.append(asked.url))
            page.goto(hosts[0])
            page.evaluate("analytics.identify('robin', {email: 'robin@mosby.example', plan: 'Team'})")
            page.evaluate("analytics.track('Order Completed', {total: 42})")
            contact = eventually(lambda: look_up(heard, "robin"), what="robin's identify")
            mails = eventually(lambda: list((heard.data / "outbox").glob("*.eml")), what="the survey mail")
            html = opened(mails[0].read_bytes()).get_body(("html",))
            assert html is not None
            page.goto(links_in(html.get_content())[9])
            page.get_by_label("What is the main reason").fill("Quick checkout")
            page.get_by_role("button", name="Send my answer").click()
            page.get_by_role("heading", name="Thank you").wait_for()
            shop.shutdown()

        assert contact["traits"]["plan"] == "Team"
        assert elsewhere == []
        answers = heard.get("responses")["data"]
        assert [(each["user_id"], each["value"], each["comment"]) for each in answers] == [
            ("robin", 9, "Quick checkout")
        ]
        library = {each["message"]["context"]["library"]["name"] for each in heard.get("messages")["data"]}
        assert library == {"analytics.js"}


def look_up(heard: RunningHeard, user_id: str) -> Any:
    answer = httpx.get(
        f"{heard.url}/api/contacts/{user_id}", headers={"Authorization": f"Bearer {heard.secret_key}"}, timeout=5
    )
    return answer.json() if answer.status_code == 200 else None
