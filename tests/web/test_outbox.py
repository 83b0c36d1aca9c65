"""The outbox: what would have been mailed, for those it concerns, as their customers would see it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from heard.channels.email.mail import Mail
from heard.channels.email.outbox import Outbox
from tests.flow.running import ACME, RunningHeard, answer, eventually

OTHER = ACME.replace("Acme", "MacLaren").replace("acme", "maclaren")
ORDER = {"event": "Order Completed", "properties": {"total": 50}}
PEOPLE = ("Marshall", "Lily", "Ted")


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("outbox") / "data") as heard:
        heard.cli("init", "--workspace", "MacLaren", "--json")
        heard.apply(OTHER)
        for name in PEOPLE:
            heard.send("identify", userId=name, traits={"email": f"{name.lower()}@mosby.example", "firstName": name})
            heard.send("track", userId=name, **ORDER)
        carl = {"identify": {"traits": {"email": "carl@maclaren.example", "firstName": "<Carl>"}}, "track": ORDER}
        for kind, body in carl.items():
            message = {"userId": "carl", **body}
            sent = httpx.post(f"{heard.url}/v1/{kind}", json=message, auth=("wk_maclaren_website", ""))
            assert sent.status_code == 200
        heard.settle()
        eventually(lambda: len(list((heard.data / "outbox").glob("*.eml"))) == 4, what="the mails")
        yield heard


@pytest.fixture(scope="module")
def robin(heard: RunningHeard) -> Iterator[httpx.Client]:
    """Who may look at the other workspace, and only look."""
    added = heard.cli("users", "add", "robin@maclaren.example", "--workspace", "MacLaren", "--role", "viewer", "--json")
    with heard.member("robin@maclaren.example", added["password"]) as browser:
        yield browser


def mails(page: httpx.Response) -> list[str]:
    return list(dict.fromkeys(re.findall(r'href="/outbox/([0-9a-f]{32})"', page.text)))


def test_the_outbox_lists_the_mails_of_the_workspace_newest_first(heard: RunningHeard):
    with heard.member() as ted:
        page = ted.get("/outbox")

    assert len(mails(page)) == 3
    assert [name for name in PEOPLE if f">{name}</a>" in page.text] == list(PEOPLE)
    assert "maclaren.example" not in page.text
    assert "Post-purchase" in page.text


def test_mails_are_found_by_a_part_of_the_address(heard: RunningHeard):
    with heard.member() as ted:
        found, nobody = ted.get("/outbox?q=LILY@"), ted.get("/outbox?q=robin")

    assert len(mails(found)) == 1
    assert "lily@mosby.example" in found.text
    assert "No mail to such an address" in nobody.text


def test_a_mail_is_shown_as_its_reader_sees_it_and_can_be_answered(heard: RunningHeard):
    with heard.member() as ted:
        one = mails(ted.get("/outbox?q=marshall"))[0]
        phone, desktop, text, headers = (
            ted.get(f"/outbox/{one}?as={view}").text for view in ("phone", "desktop", "text", "headers")
        )
        frame = ted.get(f"/outbox/{one}/html")
        link = re.search(r'href="([^"]+/s/[^"]+\?a=9)"', frame.text)
        assert link
        thanks = answer(link[1])
        after = ted.get(f"/outbox/{one}").text

    for page, name in ((phone, "phone"), (desktop, "desktop")):
        assert "Tap a number in the mail:" in page
        assert f'<iframe class="frame frame--{name}" sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
        assert f'src="/outbox/{one}/html' in page
    assert "Hi Marshall," in text
    assert "<iframe" not in text + headers
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in headers
    assert '<base target="_blank">' in frame.text
    policy = frame.headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'; sandbox allow-popups"
    )
    assert "allow-scripts" not in policy + phone
    assert "Acme has your answer." in thanks.text
    assert "This one is answered; the answer can be changed." in after


def test_a_mail_can_be_seen_in_the_dark_by_whoever_sits_in_the_light(heard: RunningHeard):
    with heard.member() as ted:
        one = mails(ted.get("/outbox"))[0]
        dark, light, own = (ted.get(f"/outbox/{one}/html{query}").text for query in ("?theme=dark", "?theme=light", ""))

    assert ("@media all" in dark, "color-scheme: dark" in dark) == (True, True)
    assert ("@media not all" in light, "color-scheme: light;" in light) == (True, True)
    assert "@media (prefers-color-scheme: dark)" in own


def test_whoever_looks_at_another_workspace_sees_its_mails_only(heard: RunningHeard, robin: httpx.Client):
    with heard.member() as ted:
        ours = mails(ted.get("/outbox"))
    theirs = robin.get("/outbox")

    assert len(mails(theirs)) == 1
    assert "&lt;Carl&gt;" in theirs.text
    for one in ours:
        assert robin.get(f"/outbox/{one}").status_code == 404
        assert robin.get(f"/outbox/{one}/html").status_code == 404


@pytest.mark.parametrize("name", ["0" * 32, "..%2f..%2fetc%2fpasswd", "x", "%00"])
def test_a_mail_that_is_not_there_is_not_found(robin: httpx.Client, name: str):
    assert robin.get(f"/outbox/{name}").status_code == 404
    assert robin.get(f"/outbox/{name}/html").status_code == 404


def test_the_folder_is_read_again_when_a_mail_came_in_or_was_tidied_away(tmp_path: Path):
    outbox = Outbox(tmp_path)
    began = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def mail(number: int) -> Mail:
        return Mail(
            delivery_id=f"{number:032x}", sender="a@a.example", recipient="b@b.example",
            content=b"Subject: one\r\n\r\nx", at=began + timedelta(minutes=number),
        )  # fmt: skip

    for number in (1, 2, 3):
        asyncio.run(outbox.hand_over(mail(number)))
    later = Outbox(tmp_path)
    asyncio.run(outbox.hand_over(mail(4)))
    next(tmp_path.glob(f"*-{2:032x}.eml")).unlink()

    assert [int(delivery, 16) for delivery, _ in later.newest()] == [4, 3, 1]
    assert later.kept([f"{2:032x}", f"{3:032x}"]) == frozenset({f"{3:032x}"})
