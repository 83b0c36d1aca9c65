"""Segment's own browser library, as published, in a real browser: identify, track, and the survey comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from heard.channels.email.outbox import opened
from tests.browser.shop import MODULES, Visit, browsing, shop
from tests.flow.running import RunningHeard, eventually, links_in

SHOP = """<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
<script src="/index.js"></script>
<script>
  const analytics = AnalyticsNext.AnalyticsBrowser.load({
    writeKey: "wk_acme_website",
    cdnSettings: {integrations: {"Segment.io": {apiKey: "wk_acme_website", apiHost: "HOST/v1", protocol: "http"}}},
  }, {integrations: {"Segment.io": {apiHost: "HOST/v1", protocol: "http"}}});
</script><h1>Shop</h1>"""


def test_a_visitor_identifies_orders_and_answers_the_mail(chromium: Path, tmp_path: Path):
    """With settings that the page itself brings along, and the library beside it, Heard only takes and asks."""
    with RunningHeard(tmp_path / "data") as heard, browsing(chromium) as browser:
        library = MODULES / "@segment/analytics-next/dist/umd"
        with shop({"/": SHOP.replace("HOST", f"127.0.0.1:{heard.port}")}, scripts=library) as site:
            visit = Visit(browser, site, heard.url)
            page = visit.page
            page.goto(site)
            page.evaluate("void analytics.identify('robin', {email: 'robin@mosby.example', plan: 'Team'})")
            page.evaluate("void analytics.track('Order Completed', {total: 42})")
            contact = eventually(lambda: look_up(heard, "robin"), what="robin's identify")
            mails = eventually(lambda: list((heard.data / "outbox").glob("*.eml")), what="the survey mail")
            html = opened(mails[0].read_bytes()).get_body(("html",))
            assert html is not None
            page.goto(links_in(html.get_content())[9])
            page.get_by_label("What is the main reason").fill("Quick checkout")
            page.get_by_role("button", name="Send my answer").click()
            page.get_by_role("heading", name="Thank you").wait_for()

        assert contact["traits"]["plan"] == "Team"
        assert [each for each in visit.complaints if "somebody else" in each] == []
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
