"""The form of an audience in a real browser: live while somebody writes, by keyboard, and judged by axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.house import judged, sideways
from tests.flow.running import ACME, RunningHeard
from tests.web.visitors import Visitor, owner

LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
EVERY_ROW = """
all:
  - {event: Order Completed, at_least: 1, at_most: 5, within: 30d, where: properties.a > 20 and properties.b = true}
  - not: {event: Sign In, where: properties.a or properties.b}
  - any:
      - {traits: traits.plan = 'Premium'}
      - {audience: Buyers}
      - all: [{traits: traits.a or traits.b}, {any: [{event: A}, {event: B}]}]
"""


class Shop(NamedTuple):
    heard: RunningHeard
    ted: Visitor
    browser: Browser


@pytest.fixture(scope="module")
def shop(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Three contacts, of whom two ordered; an audience with a row of every kind."""
    data = tmp_path_factory.mktemp("shop") / "data"
    file = ACME + "\naudiences:\n  - {name: Buyers, where: {event: Order Completed}}\n"
    with RunningHeard(data, workspace=file) as heard, sync_playwright() as playwright:
        for number in range(3):
            heard.send("identify", userId=f"u{number}", traits={"email": f"u{number}@example.com", "plan": "Premium"})
        for number in range(2):
            heard.send("track", userId=f"u{number}", event="Order Completed", properties={"total": 10 + 20 * number})
        heard.settle()
        ted = owner(heard)
        ted.post("/audiences/new", {"name": "Every row", "text": EVERY_ROW, "to": "Heard"})
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield Shop(heard, ted, browser)
        browser.close()


def window(shop: Shop, **how: Any) -> tuple[Page, list[str]]:
    context = shop.browser.new_context(base_url=shop.heard.url, reduced_motion="reduce", **how)
    context.add_cookies(
        [{"name": each.name, "value": each.value or "", "url": shop.heard.url} for each in shop.ted.browser.cookies.jar]
    )
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    return page, complaints


def test_the_count_follows_while_somebody_writes_and_the_focus_goes_on(shop: Shop):
    page, complaints = window(shop)
    page.goto("/audiences/new")
    count = page.locator("#side .big")
    expect(page.locator("#side")).to_contain_text("Name an event or a trait")
    page.get_by_label("Event", exact=True).fill("Order Completed")
    expect(count).to_have_text("2", timeout=20_000)
    expect(page.locator("#m-w-0")).to_contain_text("Seen 2 times")

    page.get_by_role("button", name="Only where…").press("Enter")
    expect(page.get_by_label("Field")).to_be_focused()
    page.keyboard.type("total")
    page.get_by_label("How to compare").select_option("more_than")
    page.get_by_label("Value").fill("20")
    expect(count).to_have_text("1", timeout=20_000)
    page.get_by_label("Value").fill("many")
    expect(page.locator("#m-w-0-f0")).to_contain_text("Write a number", timeout=20_000)
    expect(page.get_by_label("Value")).to_be_focused()  # nothing of the form was exchanged
    page.get_by_role("button", name="Remove Property 1").press("Enter")
    expect(page.get_by_role("button", name="Only where…")).to_be_focused()
    expect(count).to_have_text("2", timeout=20_000)

    page.get_by_role("button", name="Group", exact=True).press("Enter")
    expect(page.locator('[name="w.1.0.event"]')).to_be_focused()
    assert page.url.endswith("/audiences/new")
    page.get_by_role("button", name="Remove condition 2", exact=True).press("Enter")
    expect(page.locator('[name="w.1.kind"]')).to_have_count(0)
    page.get_by_label("Name").fill("Live")
    expect(count).to_have_text("2", timeout=20_000)
    page.get_by_role("button", name="Make the audience").click()
    expect(page.get_by_role("heading", name="Live", level=1)).to_be_visible()
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_form_with_every_row_stands_up_to_axe(shop: Shop, width: int, scheme: Any):
    page, _ = window(shop, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.goto("/audiences")
    page.get_by_role("link", name="Every row").click()
    page.get_by_role("link", name="Change", exact=True).click()
    expect(page.locator("#side .big")).to_be_visible(timeout=20_000)
    assert page.locator(".rule").count() == 8
    assert judged(page) == []
    page.get_by_role("button", name="As text").click()
    expect(page.locator("[name=text]")).to_be_visible(timeout=20_000)
    assert judged(page) == []
    page.context.close()


def test_a_form_with_every_row_fits_the_narrowest_phone(shop: Shop):
    page, _ = window(shop, viewport={"width": 320, "height": 700})
    page.goto("/audiences")
    page.get_by_role("link", name="Every row").click()
    page.get_by_role("link", name="Change", exact=True).click()
    expect(page.locator("#side .big")).to_be_visible(timeout=20_000)
    assert sideways(page) <= 0
    page.context.close()
