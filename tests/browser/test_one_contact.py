"""A page with Segment's snippet and a service in Python, both pointed at Heard, feed one contact and one webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import segment.analytics as segment
from playwright.sync_api import Browser

from tests.browser.shop import Visit, browsing, shop
from tests.browser.test_snippet import page_with, segments_snippet
from tests.contracts.receiver import Receiver
from tests.flow.running import RunningHeard, eventually

KEY, SERVICE = "wk_acme_website", "wk_acme_service"


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with browsing(chromium) as running:
        yield running


def workspace(hook: str) -> str:
    return json.dumps(
        {
            "workspace": "Acme",
            "sources": [{"name": "Website", "write_key": KEY}, {"name": "Shop service", "write_key": SERVICE}],
            "destinations": [
                {
                    "name": "Warehouse hook",
                    "type": "webhook",
                    "settings": {"url": hook, "secret": "shh"},
                    "events": {"Page Scrolled": False},
                    "filters": [{"if": "properties.test", "then": "drop"}],
                }
            ],
            "surveys": [{"name": "Relationship NPS", "kind": "nps"}],
            "campaigns": [
                {
                    "name": "Post-purchase",
                    "survey": "Relationship NPS",
                    "channel": "email",
                    "event": "Order Completed",
                    "status": "ready",
                }
            ],
        }
    )


def test_a_page_and_a_service_feed_one_contact_and_a_signed_webhook(tmp_path: Path, browser: Browser, node: Path):
    with Receiver() as receiver:
        environment = {"HEARD_ALLOW_PRIVATE_NETWORK": "on"}
        with RunningHeard(tmp_path / "data", environment=environment, workspace=workspace(receiver.url)) as heard:
            snippet = segments_snippet(node, f"127.0.0.1:{heard.port}").replace('"https://', '"http://')
            with shop({"/": page_with(snippet)}) as site:
                visit = Visit(browser, site, heard.url)
                visit.page.goto(site)
                visit.page.evaluate("void analytics.identify('ann', {email: 'ann@example.com', plan: 'Team'})")
                visit.page.evaluate("void analytics.track('Page Scrolled', {percent: 50})")
                visit.page.evaluate("void analytics.track('Basket Filled', {total: 42})")
                visit.page.evaluate("void analytics.track('Basket Filled', {total: 1, test: true})")
                eventually(lambda: len(messages(heard)) == 5, what="what the page says")
                visit.page.wait_for_load_state("networkidle")
                assert visit.complaints == []
            service = segment.Client(SERVICE, host=heard.url, sync_mode=True)
            service.identify("ann", {"seats": 7})
            service.track("ann", "Order Completed", {"total": 42})
            service.track("ann", "Invoice Opened", integrations={"Warehouse hook": False})
            eventually(lambda: heard.get("deliveries", user_id="ann")["data"], what="the survey")

            traits = heard.get("contacts/ann")["traits"]
            assert traits == {"email": "ann@example.com", "plan": "Team", "seats": 7}
            eventually(lambda: "Order Completed" in events(receiver), what="the order at the webhook")
            assert sorted(events(receiver)) == ["Basket Filled", "Order Completed", "identify", "identify", "page"]
            assert all("x-signature" in each.headers for each in receiver.received)
            why = {
                (each["event"], json.dumps(each["message"].get("properties"))): each["not_to"]
                for each in messages(heard)
                if each["not_to"]
            }
            assert sorted((event, no[0]["why"][:9]) for (event, _), no in why.items()) == [
                ("Basket Filled", "Filter 1 "),
                ("Invoice Opened", "The messa"),
                ("Page Scrolled", "The event"),
            ]


def messages(heard: RunningHeard) -> list[dict[str, Any]]:
    return heard.get("messages", limit=100)["data"]


def events(receiver: Receiver) -> list[str]:
    return [body.get("event") or body["type"] for body in map(json.loads, receiver.bodies)]
