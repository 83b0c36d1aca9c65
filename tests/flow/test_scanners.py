"""Machines open every link of real mails, each in its way, and answer nothing; people answer in every way they have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from heard.channels.email.outbox import opened
from tests.flow.running import ACME, RunningHeard, answer, links_in

FLAGS = ["--no-sandbox", "--disable-gpu"]
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
URL = re.compile(r"https?://[^\s<>\"]+")


class Addresses(HTMLParser):
    """Every link of a page, in its order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (href := dict(attrs).get("href")):
            self.found.append(href)


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    asks = ACME.replace("    throttle: 90d\n", "    throttle: 90d\n    reminder: 3d\n")
    with RunningHeard(tmp_path_factory.mktemp("scanners") / "data", workspace=asks) as running:
        yield running


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


def asked(heard: RunningHeard, user: str) -> EmailMessage:
    """Somebody new is asked: their mail, as it lies in the outbox."""
    heard.send("identify", userId=user, traits={"email": f"{user}@mosby.example", "firstName": user.title()})
    heard.send("track", userId=user, event="Order Completed", properties={"total": 40})
    heard.settle()
    return mails(heard, user)[0]


def mails(heard: RunningHeard, user: str) -> list[EmailMessage]:
    """The first mail to somebody, and what came after it."""
    found = [opened(path.read_bytes()) for path in (heard.data / "outbox").glob("*.eml")]
    theirs = [each for each in found if f"{user}@mosby.example" in each["To"]]
    return sorted(theirs, key=lambda mail: "References" in mail)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return body.get_content()


def every_link(mail: EmailMessage) -> list[str]:
    """Of the HTML in its order, the hidden one and the unsubscribing included, then the header's and the text's."""
    in_html = Addresses(part(mail, "html")).found
    assert len(in_html) == 13
    header = mail["List-Unsubscribe"].strip("<>")
    return list(dict.fromkeys([*in_html, header, *URL.findall(part(mail, "plain"))]))


def fetched(method: str, links: list[str], agent: str = BROWSER) -> None:
    with httpx.Client(headers={"User-Agent": agent}, timeout=20) as machine:
        for link in links:
            assert machine.request(method, link).status_code == 200


def verdicts(heard: RunningHeard, user: str) -> list[str]:
    return [each["verdict"] for each in heard.get("responses", user_id=user)["data"]]


# ── machines ──


def gets_everything(links: list[str], _: Browser) -> None:
    fetched("GET", links)


def looks_everything_up(links: list[str], _: Browser) -> None:
    fetched("HEAD", links)


def looks_up_then_gets(links: list[str], _: Browser) -> None:
    fetched("HEAD", links)
    fetched("GET", links)


def looks_up_and_gets_each(links: list[str], _: Browser) -> None:
    for link in links:
        fetched("HEAD", [link])
        fetched("GET", [link])


def gets_one_score_at_once(links: list[str], _: Browser) -> None:
    """Within seconds after the mail was handed over."""
    fetched("GET", links[9:10])


def gets_one_score_under_its_name(links: list[str], _: Browser) -> None:
    fetched("GET", links[3:4], agent="Mozilla/5.0 (compatible; Barracuda Sentinel)")


def gets_the_ways_out(links: list[str], _: Browser) -> None:
    leave = [link for link in links if "/u/" in link]
    assert leave
    for way in ("", "/less", "/not-this", "/undo"):
        fetched("HEAD", [link + way for link in leave])
        fetched("GET", [link + way for link in leave])


def opens_everything_in_a_browser(links: list[str], browser: Browser) -> None:
    """With scripts, a window, and patience; it follows the links of the pages too."""
    context = browser.new_context(user_agent=BROWSER)
    page = context.new_page()
    further: list[str] = []
    for link in links:
        page.goto(link, wait_until="load")
        page.mouse.move(100, 200)
        page.mouse.wheel(0, 400)
        page.keyboard.press("End")
        further += page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    for link in dict.fromkeys(further):
        page.goto(link, wait_until="load")
    context.close()


MACHINES: dict[str, tuple[Callable[[list[str], Browser], None], list[str]]] = {
    "ada": (gets_everything, ["bot"]),
    "bob": (looks_everything_up, []),
    "cid": (looks_up_then_gets, ["bot"]),
    "dee": (looks_up_and_gets_each, ["bot"]),
    "eve": (gets_one_score_at_once, ["bot"]),
    "fay": (gets_one_score_under_its_name, ["bot"]),
    "gus": (gets_the_ways_out, []),
    "hal": (opens_everything_in_a_browser, ["bot"]),
}


@pytest.mark.parametrize("user", MACHINES)
def test_a_machine_answers_nothing_and_unsubscribes_nobody(heard: RunningHeard, browser: Browser, user: str):
    scan, expected = MACHINES[user]
    scan(every_link(asked(heard, user)), browser)

    assert verdicts(heard, user) == expected
    assert heard.get("contacts/" + user)["status"] == "active"
    with heard.member() as member:
        assert member.get(f"/contacts/{heard.get('contacts/' + user)['id']}/export").json()["wishes"] == []
    first = heard.get("deliveries", user_id=user)["data"][-1]
    assert first["state"] == "sent"


def test_after_all_of_them_nothing_counts_and_everybody_is_still_reminded(heard: RunningHeard):
    assert heard.get("scores", survey="Relationship NPS")["n"] == 0
    heard.advance("4d")

    assert all(len(mails(heard, user)) == 2 for user in MACHINES)
    assert heard.get("scores", survey="Relationship NPS")["n"] == 0
    assert not {"human", "test"} & {each["verdict"] for each in heard.get("responses")["data"]}


def test_the_campaign_counts_none_of_them_as_a_click(heard: RunningHeard):
    with heard.member() as member:
        page = member.get("/").text

    assert "Clicked" not in page


# ── people ──


def tap_and_send(mail: EmailMessage, page: Page) -> int:
    page.goto(links_in(part(mail, "html"))[9])
    page.get_by_role("button", name="Send my answer").click()
    return 9


def tap_then_choose_another(mail: EmailMessage, page: Page) -> int:
    page.goto(links_in(part(mail, "html"))[9])
    page.get_by_text("4", exact=True).click()
    page.get_by_role("button", name="Send my answer").click()
    return 4


def open_the_page_and_choose(mail: EmailMessage, page: Page) -> int:
    page.goto(links_in(part(mail, "html"))[0].partition("?")[0])
    page.get_by_text("7", exact=True).click()
    page.get_by_role("button", name="Send my answer").click()
    return 7


def send_and_comment_later(mail: EmailMessage, page: Page) -> int:
    tap_and_send(mail, page)
    page.get_by_role("link", name="Change my answer").click()
    page.locator("[name=comment]").fill("And one more thing")
    page.get_by_role("button", name="Send my answer").click()
    return 9


def by_keyboard_alone(mail: EmailMessage, page: Page) -> int:
    page.goto(links_in(part(mail, "html"))[5])
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("By keys")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Thank you").wait_for()
    return 6


def after_a_scanner_looked(mail: EmailMessage, page: Page) -> int:
    fetched("HEAD", every_link(mail))
    return tap_and_send(mail, page)


def after_a_scanner_opened_everything(mail: EmailMessage, page: Page) -> int:
    fetched("GET", every_link(mail))
    return tap_then_choose_another(mail, page)


def twice_the_same(mail: EmailMessage, page: Page) -> int:
    tap_and_send(mail, page)
    return tap_and_send(mail, page)


def from_the_text(mail: EmailMessage, page: Page) -> int:
    (link,) = re.findall(r"\b2: (\S+)", part(mail, "plain"))
    page.goto(link)
    page.get_by_role("button", name="Send my answer").click()
    return 2


PEOPLE: dict[str, Callable[[EmailMessage, Page], int]] = {
    "ida": tap_and_send,
    "jim": tap_then_choose_another,
    "kim": open_the_page_and_choose,
    "lou": send_and_comment_later,
    "max": by_keyboard_alone,
    "ned": after_a_scanner_looked,
    "oda": after_a_scanner_opened_everything,
    "pam": twice_the_same,
    "quinn": from_the_text,
}


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without one"])
@pytest.mark.parametrize("user", PEOPLE)
def test_a_person_is_recorded_as_one(heard: RunningHeard, browser: Browser, user: str, script: bool):
    who = user if script else f"{user}-plain"
    mail = asked(heard, who)
    context = browser.new_context(java_script_enabled=script)
    value = PEOPLE[user](mail, context.new_page())
    context.close()

    (found,) = heard.get("responses", user_id=who)["data"]
    assert (found["verdict"], found["value"]) == ("human", value)
    assert [each["state"] for each in heard.get("deliveries", user_id=who)["data"]] in (
        ["answered"],
        ["cancelled", "answered"],
    )


def test_who_answers_after_the_reminder_is_recorded_as_a_person(heard: RunningHeard):
    asked(heard, "rex")
    heard.advance("4d")
    first, reminder = mails(heard, "rex")
    assert links_in(part(first, "html")) == links_in(part(reminder, "html"))
    fetched("GET", every_link(reminder))
    assert verdicts(heard, "rex") == ["bot"]

    assert answer(links_in(part(reminder, "html"))[8]).status_code == 200
    assert verdicts(heard, "rex") == ["human"]


def test_all_of_them_count_and_nobody_else(heard: RunningHeard):
    counted: Any = heard.get("scores", survey="Relationship NPS")["n"]

    assert counted == 2 * len(PEOPLE) + 1
    people = {each["user_id"] for each in heard.get("responses", limit=100)["data"] if each["verdict"] == "human"}
    assert people == {*PEOPLE, *(f"{user}-plain" for user in PEOPLE), "rex"}
