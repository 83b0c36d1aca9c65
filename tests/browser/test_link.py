"""A campaign's public link in a real browser: from the block in a mail to the thanks, and the member's page of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.house import judged, sideways
from tests.flow.running import RunningHeard
from tests.web.test_link import WORKSPACE

LOOKS = [(width, scheme) for width in (1280, 390, 320) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("link") / "data", workspace=WORKSPACE) as running:
        for name in ("ann", "ben"):
            running.send("identify", userId=name, traits={"email": f"{name}@acme.example"})
        running.settle()
        yield running


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


def a_mail(heard: RunningHeard, user: str, *, theme: str = "background:#fff;color:#111") -> str:
    """A newsletter with the block, as a mail tool fills it in."""
    block = heard.get("campaigns/Newsletter")["embed"]["html"]["en"].replace("USER_ID", user).replace("EMAIL", "")
    title = "<title>News</title><meta name=viewport content='width=device-width'>"
    return f"<!doctype html><html lang=en>{title}<body style='margin:0;{theme}'><main><h1>News</h1>{block}</main>"


@pytest.mark.parametrize("theme", ["background:#fff;color:#111", "background:#16161a;color:#eee"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_the_block_stands_in_a_mail_of_any_width_and_colour(
    heard: RunningHeard, browser: Browser, width: int, theme: str
):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.set_content(a_mail(heard, "ann", theme=theme))
    numbers = page.get_by_role("link")
    assert numbers.count() == 11, "no screen reader says the hidden one"
    assert sideways(page) <= 0
    assert judged(page) == []
    boxes: list[Any] = [numbers.nth(place).bounding_box() for place in range(11)]
    assert min(min(box["width"], box["height"]) for box in boxes) >= 42
    page.close()


@pytest.mark.parametrize("script", [True, False])
def test_from_a_tap_in_the_mail_to_the_thanks_by_keyboard(heard: RunningHeard, browser: Browser, script: bool):
    user = "ann" if script else "ben"
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    page.set_content(a_mail(heard, user))
    page.get_by_role("link", name="9 of 10").press("Enter")
    page.wait_for_url("**/l/**")
    assert page.get_by_role("radio", name="9").is_checked()
    page.get_by_role("textbox").fill("Good news")
    page.get_by_role("button", name="Send my answer").press("Enter")
    page.get_by_role("heading", name="Thank you").wait_for()
    assert [each["value"] for each in heard.get("responses", user_id=user)["data"]] == [9]
    context.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_public_page_stands_up_to_axe(heard: RunningHeard, browser: Browser, width: int, scheme: Any):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    link = heard.get("campaigns/Newsletter")["link"]["url"]
    closed = heard.get("campaigns/Sleeping")["link"]["url"]
    for address in (f"{link}?user_id=ann&a=7", f"{link}?user_id=ann&lang=de", link, f"{closed}?user_id=ann"):
        page.goto(address)
        assert judged(page) == [], address
        assert sideways(page) <= 0, address
    page.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_of_the_link_and_its_form_stand_up_to_axe(
    heard: RunningHeard, browser: Browser, width: int, scheme: Any
):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, base_url=heard.url)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(heard.owner[0])
    page.get_by_label("Password").fill(heard.owner[1])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    for path in ("/campaigns/1/link?tool=zendesk", "/campaigns/2/link", "/campaigns/1", "/campaigns/1/results"):
        page.goto(path)
        assert judged(page) == [], path
        assert sideways(page) <= 0, path
    assert page.goto("/campaigns/1") is not None
    assert not page.get_by_label("After this event").is_visible()
    page.get_by_role("radio", name="Whoever does an event").check()
    assert page.get_by_label("After this event").is_visible()
    assert not page.get_by_text("As whom a link may answer").is_visible()
    context.close()
