"""Every page of the dashboard in a real browser, over the workspace of `heard demo`: each role, narrow and wide, light
and dark, judged by axe, by keyboard alone, with and without a script.

The pages come from the application's own routes, so a new one is looked at the day it is there. Where PICTURES names a
folder, a picture of each is kept there: PICTURES=/tmp/pictures make test ARGS=tests/browser/test_dashboard.py
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from heard.accounts.member import Role, may
from tests.browser.house import COLOURS, House, address, judged, served_demo, sideways
from tests.web.test_every_route import Route, every_route

HERE = Path(__file__).parent
PICTURES = os.environ.get("PICTURES")
KEYBOARD = (HERE / "keyboard.js").read_text()
LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
NO_PAGE = re.compile(  # files, and parts that pages fetch
    r"\.(csv|png|json|yaml)$|/(html|export|arrived|look|newer|of|preview)$"
)
MORE = (
    "/?by=country&every=month&from=2025-06-01",
    "/?where=traits.plan%20%3D%20'Free'",
    "/?where=not%20an%20expression%20(",
    "/?where=traits.plan%20%3D%20'Nobody'",
    "/sources/1/schema/event?type=track&name=Order%20Completed",
    "/sources/2/plan?begin=seen",
    "/contacts?q=zzzz",
    "/contacts?where=traits.plan%20%3D%20'Enterprise'",
    "/decisions?outcome=declined",
    "/messages?verdict=rejected",
    "/deliveries?state=failed",
    "/responses?category=detractor",
    "/nowhere-at-all",
)


@pytest.fixture(scope="module")
def house(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The demo, served, with a member of every role."""
    with served_demo(chromium, tmp_path_factory.mktemp("house") / "demo") as house:
        yield house


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    return every_route(tmp_path_factory.mktemp("routes"))


def pages(routes: list[Route], house: House, role: Role = Role.OWNER) -> list[str]:
    shown = [each for each in routes if each.method == "GET" and may(role, each.action)]
    return [each.filled(house.ids) for each in shown if not NO_PAGE.search(each.path)]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_stands_up_to_axe_in_every_look(house: House, routes: list[Route], width: int, scheme: str):
    found: dict[str, Any] = {}
    with house.visitor(Role.OWNER, width=width, scheme=scheme) as visitor:
        for path in (*pages(routes, house), *MORE):
            visitor.page.goto(path)
            take_picture(visitor.page, path, f"{width}-{scheme}")
            if wrong := judged(visitor.page, COLOURS if scheme == "dark" else None):
                found[path] = wrong
            if (over := sideways(visitor.page)) > 0:
                found[f"{path} sideways"] = over
        assert visitor.complaints == []
    assert found == {}


@pytest.mark.parametrize("path", ["/sign-in", "/join/nobody-knows-this"])
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_pages_outside_stand_up_to_axe(house: House, path: str, width: int, scheme: str):
    with house.visitor(None, width=width, scheme=scheme) as visitor:
        visitor.page.goto(path)

        assert judged(visitor.page) == []
        assert visitor.complaints == []


def take_picture(page: Page, path: str, look: str) -> None:
    if PICTURES is not None:
        name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")[:60] or "overview"
        page.screenshot(path=Path(PICTURES) / f"{name}-{look}.png", full_page=True)


def test_no_page_scrolls_sideways_on_the_narrowest_phone(house: House, routes: list[Route]):
    with house.visitor(Role.OWNER, width=320) as visitor:
        wide = []
        for path in pages(routes, house):
            visitor.page.goto(path)
            if sideways(visitor.page) > 0:
                wide.append((path, sideways(visitor.page)))
    assert wide == []


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER, Role.VIEWER])
def test_each_role_is_offered_only_what_it_may_do(house: House, routes: list[Route], role: Role):
    with house.visitor(role) as visitor:
        for path in pages(routes, house, role):
            assert visitor.page.goto(path).status == 200, path  # type: ignore[union-attr]
            actions = visitor.page.eval_on_selector_all("form[method=post]", "all => all.map(form => form.action)")
            for action in {urlsplit(each).path for each in actions}:
                assert permitted(routes, "POST", action, role), f"{path} offers {role} the form {action}"
            links = visitor.page.eval_on_selector_all(
                "main a[href]", "all => all.map(link => new URL(link.getAttribute('href'), document.baseURI).href)"
            )
            for link in {urlsplit(each).path for each in links if each.startswith(house.url)}:
                assert permitted(routes, "GET", link, role), f"{path} offers {role} a link to {link}"
        assert visitor.complaints == []


def permitted(routes: Sequence[Route], method: str, path: str, role: Role) -> bool:
    """Whether this leads anywhere, and the role may go there."""
    needed = [each.action for each in routes if each.method == method and shape(each).fullmatch(path)]
    return may(role, needed[0]) if needed else path.startswith(("/api/docs", "/s/", "/static/")) and method == "GET"


def shape(route: Route) -> re.Pattern[str]:
    path = re.sub(r"\{\w+:(\w+)\}", lambda kind: r"\d+" if kind[1] == "int" else "[^/]+", route.path)
    return re.compile(path)


def test_every_page_is_whole_without_a_script(house: House, routes: list[Route]):
    with house.visitor(Role.OWNER, script=False) as visitor:
        for path in pages(routes, house):
            answer = visitor.page.goto(path)
            assert answer is not None
            assert answer.status == 200
            assert visitor.page.locator("main h1").count() == 1, path
        assert visitor.complaints == []


# ---------------------------------------------------------------- by keyboard


def test_somebody_signs_in_and_finds_a_contact_by_keyboard_alone(house: House):
    with house.visitor(None) as visitor:
        page, keys = visitor.page, visitor.page.keyboard
        page.goto("/contacts")
        page.wait_for_function("document.activeElement.id === 'email'")
        keys.type(address(Role.OWNER))
        keys.press("Tab")
        keys.type(house.passwords[Role.OWNER])
        keys.press("Enter")
        page.get_by_role("heading", name="Contacts", level=1).wait_for()
        press_until(page, "Tab", lambda: "Skip to content" in focused(page))
        keys.press("Enter")
        press_until(page, "Tab", lambda: page.evaluate("document.activeElement.matches('main #q')"))
        keys.type("a")
        keys.press("Enter")
        page.wait_for_url("**/contacts?*q=a*")
        press_until(page, "Tab", lambda: page.evaluate("document.activeElement.matches('main table a, main tbody a')"))
        keys.press("Enter")
        page.wait_for_url(re.compile(r"/contacts/\d+"))

        assert visitor.complaints == []


def test_whatever_can_be_used_can_be_reached_and_seen_by_keyboard(house: House, routes: list[Route]):
    """Tab goes through every control that is shown, in the order of the page, and each shows that it has the focus."""
    with house.visitor(Role.OWNER) as visitor:
        for path in pages(routes, house):
            visitor.page.goto(path)
            visitor.page.wait_for_load_state("networkidle")  # what is fetched when it is seen has come
            shown = set(visitor.page.evaluate(f"{KEYBOARD}; watch(); reachable()"))
            seen: set[str] = set()
            for presses in (len(shown) + 5, len(shown) + 20):
                for _ in range(presses):
                    visitor.page.keyboard.press("Tab")
                for at in visitor.page.evaluate("stops.splice(0)"):
                    assert at["visible"], f"{path}: the focus on {at['key']} cannot be seen"
                    seen.add(at["key"])
                if shown <= seen:
                    break
            missing = shown - seen
            assert not missing, f"{path}: Tab does not reach {sorted(missing)[:5]}"


# ---------------------------------------------------------------- the address bar is the state


def test_back_leads_back_through_filters_and_pages(house: House):
    with house.visitor(Role.OWNER) as visitor:
        page = visitor.page
        page.goto("/")
        page.get_by_role("link", name="Contacts").first.click()
        page.wait_for_url("**/contacts")
        page.locator("main #q").fill("a")
        page.keyboard.press("Enter")
        page.wait_for_url("**/contacts?*")
        page.get_by_role("link", name="Messages").first.click()
        page.wait_for_url("**/messages*")
        page.get_by_role("heading", name="Messages", level=1).wait_for()
        page.go_back()
        page.wait_for_url("**/contacts?*")
        page.get_by_role("heading", name="Contacts", level=1).wait_for()

        assert page.locator("main #q").input_value() == "a"
        assert page.locator("#rail-nav [aria-current=page]").inner_text().startswith("Contacts")
        page.go_back()
        page.wait_for_url(re.compile(r"/contacts$"))
        page.go_back()
        page.get_by_role("heading", name="Overview", level=1).wait_for()
        assert visitor.complaints == []


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.textContent || ''")


def press_until(page: Page, key: str, there: Any, *, most: int = 120) -> None:
    for _ in range(most):
        if there():
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} did not lead there")
