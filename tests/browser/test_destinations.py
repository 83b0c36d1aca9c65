"""A destination's pages with real trouble on them, in a real browser: judged by axe, live where they are live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.house import judged, sideways
from tests.contracts.receiver import Receiver, answer
from tests.flow.running import RunningHeard
from tests.web.visitors import Visitor, owner

LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
LONG = "An event whose name somebody thought of on a long Friday afternoon " * 3


class Place(NamedTuple):
    heard: RunningHeard
    ted: Visitor
    good: str  # the pages of a destination that takes everything
    bad: str  # and of one that refuses some, and is away for the rest
    opened: str
    browser: Browser


@pytest.fixture(scope="module")
def place(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    data = tmp_path_factory.mktemp("place") / "data"
    away = answer(503, b'{"error": "' + b"x" * 400 + b'"}')
    with (
        Receiver() as taking,
        Receiver(*[400] * 3, *[away] * 500) as failing,
        RunningHeard(data, environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"}) as heard,
        sync_playwright() as playwright,
    ):
        ted = owner(heard)
        common = {"type": "webhook", "fed_by": "every", "enabled": "1", "settings.headers": "X-Team: data"}
        good = ted.post("/destinations/new", {**common, "name": "Taking", "settings.url": taking.url})
        bad = ted.post("/destinations/new", {**common, "name": "Failing", "settings.url": failing.url})
        ted.post(f"{good}/events/add", {"event": "Page Scrolled"})
        for number in range(12):
            heard.send(
                "track", userId=f"u{number}", event="Order Completed", properties={"total": number, "email": "a"}
            )
        heard.send("track", userId="long" * 40, event=LONG)
        heard.send("track", userId="u1", event="Page Scrolled")
        heard.settle()
        (opened, *_) = re.findall(r"open=(\d+)", ted.get(f"{bad}?state=dead&reason=http_400"))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield Place(heard, ted, good, bad, opened, browser)
        browser.close()


def window(place: Place, **how: Any) -> Page:
    context = place.browser.new_context(base_url=place.heard.url, reduced_motion="reduce", **how)
    session = place.ted.browser.cookies["heard_session"]
    context.add_cookies([{"name": "heard_session", "value": session, "url": place.heard.url}])
    return context.new_page()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_pages_with_trouble_stand_up_to_axe_in_every_look(place: Place, width: int, scheme: Any):
    page = window(place, viewport={"width": width, "height": 844}, color_scheme=scheme)
    found: dict[str, Any] = {}
    for path in (
        "/destinations",
        place.bad,
        f"{place.bad}?state=dead&reason=http_400&open={place.opened}",
        f"{place.bad}?open={place.opened}",
        f"{place.good}?window=week",
        f"{place.bad}/events",
        f"{place.bad}/filters",
        f"{place.bad}/try",
    ):
        answered = page.goto(path)
        assert answered is not None
        assert answered.status == 200
        if wrong := judged(page):
            found[path] = wrong
        if (over := sideways(page)) > 0:
            found[f"{path} sideways"] = over
    page.context.close()
    assert found == {}


def test_a_filter_shows_what_it_would_do_while_it_is_written(place: Place):
    page = window(place)
    page.goto(f"{place.good}/filters")
    page.get_by_label("Where").fill("event = 'Order Completed' and properties.total < 5")
    expect(page.locator("#side")).to_contain_text("5 dropped")
    page.get_by_label("Remove fields").check()
    page.get_by_label("Fields", exact=True).fill("properties.email")
    expect(page.locator("#side")).to_contain_text("5 lose fields")
    page.get_by_label("Where").fill("event == 'x'")
    expect(page.locator("#m-condition")).to_contain_text("At 7")
    assert page.url.endswith("/filters")
    page.context.close()


def test_a_filter_is_looked_at_without_a_script_too(place: Place):
    page = window(place, java_script_enabled=False)
    page.goto(f"{place.good}/filters")
    page.get_by_label("Where").fill("event = 'Order Completed' and properties.total < 5")
    page.get_by_role("button", name="Show what it does").click()
    expect(page.locator("#side")).to_contain_text("5 dropped")
    assert page.get_by_label("Where").input_value().startswith("event = ")
    page.context.close()


def test_a_message_is_tried_and_a_replay_watched(place: Place):
    page = window(place)
    page.goto(f"{place.good}/try")
    page.get_by_role("link", name="Identify", exact=True).click()
    expect(page.get_by_label("JSON")).to_have_value(re.compile('"traits"'))
    page.get_by_role("button", name="Send it").click()
    expect(page.locator("#came")).to_contain_text("Answered 200")

    page.goto(f"{place.bad}/replays")
    page.get_by_role("button", name="Begin the replay").click()
    expect(page.locator("#replays")).to_contain_text("Running")
    assert judged(page) == []
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#replays")).to_contain_text("Cancelled")
    page.context.close()
