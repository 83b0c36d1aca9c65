"""What respondents see, in a real browser: by thumb, by keyboard, on a narrow phone, in the dark, without a script."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from litestar import Litestar
from msgspec import structs
from playwright.sync_api import Browser, Page, sync_playwright

from heard.accounts.workspace import Brand
from heard.channels.email.outbox import opened
from heard.channels.email.render import render
from tests.contracts.mail_server import free_port
from tests.spec.test_mail import an_invitation
from tests.web.respondents import NOW, InMemory, an_app, asked, closed

AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
FINGER = 44  # CSS pixels
SCHEMES = ("light", "dark")
WIDTHS = (1280, 600, 390, 320)


class House:
    """A running Heard of one invitation, and the browser that visits it."""

    def __init__(self, browser: Browser, url: str, respondents: InMemory) -> None:
        self._browser = browser
        self.url = url
        self.respondents = respondents
        self.complaints: list[str] = []

    def visit(self, path: str, *, width: int = 390, scheme: Any = "light", script: bool = True) -> Page:
        page = self.blank(width=width, scheme=scheme, script=script)
        page.goto(self.url + path)
        return page

    def blank(self, *, width: int, scheme: Any, script: bool = True) -> Page:
        context = self._browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, java_script_enabled=script, has_touch=True
        )
        page = context.new_page()
        page.on("console", lambda said: self.complaints.append(said.text))
        page.on("request", lambda asked_for: self._watch(asked_for.url))
        return page

    def survey(self, query: str = "", **how: Any) -> Page:
        return self.visit(f"/s/{self.respondents.token}{query}", **how)

    def _watch(self, url: str) -> None:
        if not url.startswith((self.url, "data:")):
            self.complaints.append(f"asked somebody else for {url}")


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield running
        running.close()


@pytest.fixture
def house(browser: Browser) -> Iterator[House]:
    respondents = InMemory()
    with serving(an_app(respondents)) as url:
        visited = House(browser, url, respondents)
        yield visited
        for context in browser.contexts:
            context.close()


class serving:  # noqa: N801
    """The app on a port of loopback while the block runs."""

    def __init__(self, app: Litestar) -> None:
        self._port = free_port()
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=self._port, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline, "the pages did not start"
            time.sleep(0.01)
        return f"http://127.0.0.1:{self._port}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


# ---------------------------------------------------------------- answering, without a script


def test_one_tap_in_the_mail_and_one_on_the_page_are_an_answer(house: House):
    page = house.survey("?a=9", script=False)

    page.get_by_role("button", name="Send my answer").tap()

    page.get_by_role("heading", name="Thank you, Marshall").wait_for()
    assert house.respondents.answers == [(9, "")]
    assert house.complaints == []


def test_everything_can_be_done_by_keyboard(house: House):
    page = house.survey("?a=9", script=False)

    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.type("Fast and friendly.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Thank you, Marshall").wait_for()

    assert house.respondents.answers == [(8, "Fast and friendly.")]


def test_a_finger_can_change_the_number(house: House):
    page = house.survey("?a=9", script=False)

    page.get_by_text("10", exact=True).tap()
    page.get_by_role("button", name="Send my answer").tap()
    page.get_by_role("heading", name="Thank you, Marshall").wait_for()

    assert house.respondents.answers == [(10, "")]


def test_an_answer_can_be_changed_afterwards(house: House):
    page = house.survey("?a=2", script=False)
    page.get_by_role("button", name="Send my answer").click()

    page.get_by_role("link", name="Change my answer").click()
    page.get_by_label("7", exact=True).check()
    page.get_by_label("What is the main reason").fill("On second thought")
    page.get_by_role("button", name="Send my answer").click()
    page.get_by_text("On second thought").wait_for()

    assert house.respondents.answers == [(2, ""), (7, "On second thought")]


def test_going_back_from_the_receipt_sends_nothing_again(house: House):
    page = house.survey("?a=9", script=False)
    page.get_by_role("button", name="Send my answer").click()
    page.get_by_role("heading", name="Thank you").wait_for()

    page.reload()
    page.go_back()
    page.go_forward()

    assert house.respondents.answers == [(9, "")]


def test_the_browser_itself_asks_for_a_number(house: House):
    page = house.survey(script=False)

    page.get_by_role("button", name="Send my answer").click()

    assert page.get_by_role("radio").first.is_visible()
    assert house.respondents.answers == []


def test_one_can_leave_and_come_back(house: House):
    page = house.survey(script=False)

    page.get_by_role("link", name="Do not ask me again").click()
    page.get_by_role("button", name="Stop all surveys").click()
    page.get_by_role("heading", name="You will get no more surveys").wait_for()
    assert house.respondents.invitation.unsubscribed

    page.get_by_role("button", name="Undo").click()
    page.get_by_role("heading", name="You can be asked again").wait_for()
    assert not house.respondents.invitation.unsubscribed


def test_one_can_ask_for_fewer_by_keyboard_and_without_a_script(house: House):
    page = house.visit(f"/u/{house.respondents.token}", script=False)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You will be asked less often").wait_for()

    assert house.respondents.invitation.less_often
    assert not house.respondents.invitation.unsubscribed


# ---------------------------------------------------------------- how it looks


def show(house: House, state: str, **how: Any) -> Page:
    token = house.respondents.token
    match state:
        case "survey":
            return house.survey("?a=9", **how)
        case "mistake":
            page = house.survey(**how)
            page.evaluate("document.forms[0].noValidate = true")
            page.get_by_role("button", name="Send my answer").click()
            page.get_by_text("Choose a number from 0 to 10.").wait_for()
            return page
        case "thanks":
            page = house.survey("?a=9", **how)
            page.get_by_label("What is the main reason").fill("word" * 100 + "\nand a line")
            page.get_by_role("button", name="Send my answer").click()
            page.get_by_role("heading", name="Thank you").wait_for()
            return page
        case "closed":
            house.respondents.invitation = closed()
            return house.visit(f"/s/{token}", **how)
        case "leave":
            return house.visit(f"/u/{token}", **how)
        case "less":
            house.respondents.invitation = asked(less_often=True)
            return house.visit(f"/u/{token}", **how)
        case "hidden":
            return house.visit(f"/about/{token}", **how)
        case "left":
            house.respondents.invitation = asked(unsubscribed=True)
            return house.visit(f"/u/{token}", **how)
        case "unknown":
            return house.visit("/s/nobody", **how)
    raise ValueError(state)


STATES = ("survey", "mistake", "thanks", "closed", "leave", "less", "hidden", "left", "unknown")


@pytest.mark.parametrize("state", STATES)
def test_a_page_fits_every_width_in_light_and_dark_and_axe_finds_nothing(house: House, state: str):
    for width in WIDTHS:
        for scheme in SCHEMES:
            page = show(house, state, width=width, scheme=scheme)

            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, scheme)
            if width in (1280, 390):
                assert found_by_axe(page) == [], (width, scheme)
            page.context.close()
    assert [said for said in house.complaints if "status of 4" not in said] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_every_score_is_as_wide_as_a_finger(house: House, width: int):
    cells = house.survey(width=width).locator(".scale label")
    boxes = [cell.bounding_box() or {} for cell in cells.all()]

    assert len(boxes) == 11
    assert min(box["width"] for box in boxes) >= FINGER
    assert min(box["height"] for box in boxes) >= FINGER
    assert max(box["x"] + box["width"] for box in boxes) <= width


@pytest.mark.parametrize("color", ["#ffee00", "#ffffff", "#000000", "#ff0000", "#808080"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_odd_brand_colour_hurts_nobody(house: House, color: str, scheme: str):
    house.respondents.invitation = asked(brand=Brand(name="Ødd & Søns " + "Extremely" * 5, color=color))

    page = house.survey("?a=0", width=320, scheme=scheme)

    assert found_by_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


# ---------------------------------------------------------------- the mail


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_mail_fits_and_its_scores_are_as_large_as_a_finger(house: House, width: int, scheme: str):
    page = open_mail(house, width, scheme)
    boxes = [cell.bounding_box() or {} for cell in page.locator("a.m-cell").all()]
    rows = sorted({box["y"] for box in boxes})

    assert [cell.inner_text() for cell in page.locator("a.m-cell").all()] == [str(score) for score in range(11)]
    assert min(box["width"] for box in boxes) >= FINGER
    assert min(box["height"] for box in boxes) >= FINGER
    assert len(rows) == (1 if width >= 600 else 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert found_by_axe(page, without=("region", "landmark-one-main", "page-has-heading-one")) == []


def test_the_mail_is_whole_where_its_style_block_is_dropped(house: House):
    page = open_mail(house, 320, "dark", dropped=True)

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert (
        page.locator("a.m-cell").first.evaluate("cell => getComputedStyle(cell).backgroundColor")
        == "rgb(255, 255, 255)"
    )


def test_long_names_do_not_widen_the_mail(house: House):
    page = open_mail(house, 320, "light", traits={"firstName": "W" * 400}, because="of “" + "W" * 80 + "” on 3 May")

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def open_mail(house: House, width: int, scheme: str, *, dropped: bool = False, **changes: Any) -> Page:
    body = opened(render(structs.replace(an_invitation(), **changes), at=NOW).content).get_body(("html",))
    assert body is not None
    html: str = body.get_content()
    if dropped:
        start, end = html.index("<style>\r\n"), html.rindex("</style>")
        html = html[:start] + html[end + len("</style>") :]
    page = house.blank(width=width, scheme=scheme)
    page.set_content(html)
    return page


def found_by_axe(page: Page, *, without: tuple[str, ...] = ()) -> list[str]:
    """What WCAG 2.0 to 2.2 A and AA and good practice object to. axe comes from npm (`tests/browser/package.json`)."""
    if not AXE.exists():
        pytest.fail("axe-core is not installed: run scripts/setup-tests")
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "rules => axe.run(document, {iframes: false, rules})",
        {rule: {"enabled": False} for rule in without},
    )
    return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found["violations"]]
