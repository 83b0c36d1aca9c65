"""A survey mail where pictures are blocked, as many mail programs do until somebody allows them: in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from playwright.sync_api import Browser, Page, Route, sync_playwright

from heard.accounts import logo
from heard.accounts.workspace import Brand
from heard.channels.email.outbox import opened
from heard.channels.email.render import render
from tests.spec.pictures import jpeg, png
from tests.spec.test_mail import an_invitation
from tests.web.respondents import NOW

LONG = "Extremely Long Company Name of Somewhere GmbH & Co. KG"
LOGOS = {
    "wordmark": (png(400, 80), "Acme & Co"),
    "line": (png(1000, 50), "Acme & Co"),  # 9 pixels tall: no letter fits into its place
    "wordmark of a long name": (png(400, 80), LONG),
    "narrow": (png(160, 100), "Acme & Company"),
    "tiny": (png(40, 20), "Acme & Co"),
    "mark": (jpeg(72, 72), LONG),
}
ALT_FITS = """img => {
    const style = getComputedStyle(img), probe = document.createElement("div");
    probe.style.cssText = `width:${img.clientWidth}px;font:${style.font};text-align:${style.textAlign}`;
    probe.innerHTML = '<span style="float:left;width:16px;height:16px"></span>';  // of a missing picture
    probe.append(img.alt);
    document.body.append(probe);
    const fits = probe.scrollWidth <= img.clientWidth && probe.scrollHeight <= img.clientHeight;
    probe.remove();
    return fits;
}"""


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield running
        running.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 600])
@pytest.mark.parametrize("which", LOGOS)
def test_the_brand_is_read_and_every_number_is_there(browser: Browser, which: str, width: int, scheme: Any):
    content, name = LOGOS[which]
    page, refused = open_without_pictures(browser, content, name, width=width, scheme=scheme)
    try:
        picture = page.locator(".m-logo img")
        assert refused == [picture.get_attribute("src")], "its one picture was asked for, and not loaded"
        assert picture.evaluate("img => img.naturalWidth") == 0
        assert brand_is_readable(page, name)
        assert [cell.inner_text() for cell in page.locator("a.m-cell").all()] == [str(score) for score in range(11)]
        boxes = [cell.bounding_box() or {} for cell in page.locator("a.m-cell").all()]
        assert min(box["x"] for box in boxes) >= 0
        assert max(box["x"] + box["width"] for box in boxes) <= width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        page.context.close()


@pytest.mark.parametrize("which", LOGOS)
def test_a_picture_that_loads_has_the_size_it_is_shown_in(browser: Browser, which: str):
    content, name = LOGOS[which]
    page = browser.new_page()
    page.route("**/*", lambda route: route.fulfill(body=content, content_type=logo.logo(content).media_type))
    page.set_content(mail(content, name), wait_until="load")
    box = page.locator(".m-logo img").bounding_box() or {}
    page.close()

    assert (box["width"], box["height"]) == logo.logo(content).shown


def brand_is_readable(page: Page, name: str) -> bool:
    """As text beside the picture; or in its place, whole, and in ink."""
    picture = page.locator(".m-logo img")
    if picture.get_attribute("alt") == "":
        beside = page.locator(".m-logo + td")
        return beside.is_visible() and beside.inner_text() == name
    if picture.get_attribute("alt") != name or not picture.evaluate(ALT_FITS):
        return False
    written = picture.screenshot()
    picture.evaluate("img => { img.style.color = 'transparent' }")
    return picture.screenshot() != written


def open_without_pictures(
    browser: Browser, content: bytes, name: str, *, width: int, scheme: Any
) -> tuple[Page, list[str]]:
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page, refused = context.new_page(), []

    def refuse(route: Route) -> None:
        assert route.request.resource_type == "image", route.request.url
        refused.append(route.request.url)
        route.abort()

    page.route("**/*", refuse)
    page.set_content(mail(content, name), wait_until="load")
    return page, refused


def mail(content: bytes, name: str) -> str:
    brand = Brand(name=name, address="1 Main St", logo=logo.written(logo.logo(content)))
    invitation = structs.replace(an_invitation(brand=brand), logos="https://feedback.acme.example/logo/")
    body = opened(render(invitation, at=NOW).content).get_body(("html",))
    assert body is not None
    return body.get_content()
