"""Whether mails are opened: nothing in them tells, unless a workspace wants it; then it decides nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from heard.channels.email.outbox import opened
from tests.flow.running import RunningHeard, eventually
from tests.flow.running_collector import running
from tests.web.visitors import Visitor, member, owner

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
APPLE = "Mozilla/5.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path / "data") as running:
        yield running


@pytest.fixture
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


def test_nothing_tells_unless_it_is_wanted_and_nothing_is_decided_by_it(heard: RunningHeard, ted: Visitor):
    assert pictures_in(mail_to(heard, "marshall")) == []
    assert statistics(heard)["opened"] is None
    assert "not counted" in results(ted)

    ted.post("/settings/mail/opens", {"count": "yes"})
    (dot,) = pictures_in(mail_to(heard, "lily"))
    (other,) = pictures_in(mail_to(heard, "robin"))
    (third,) = pictures_in(mail_to(heard, "barney"))
    assert dot.startswith(f"{heard.url}/o/")
    load(dot, APPLE)
    assert opens_of(heard) == (0, 3, 1)
    load(dot, PHONE)  # after the machine, a person
    load(dot, PHONE)
    load(dot, APPLE)
    load(other, GMAIL)
    assert opens_of(heard) == (1, 3, 1)
    httpx.head(third, headers={"user-agent": PHONE})
    assert opens_of(heard) == (1, 3, 1)

    page = results(ted)
    assert "<b>1</b> of 3 mails that tell, and 1 by machines alone" in page
    assert "Unreliable" in page
    assert "many load none" in page
    assert [each["state"] for each in heard.get("deliveries")["data"]] == ["sent"] * 4
    assert heard.get("responses")["data"] == []
    assert statistics(heard)["clicked"] == 0

    ted.post("/settings/mail/opens", {"count": "no"})
    assert pictures_in(mail_to(heard, "zoey")) == []
    assert opens_of(heard) == (1, 3, 1)  # those that were sent with it still count
    assert "stopped counting which mails are opened" in ted.get("/settings/audit")


def test_whatever_is_asked_the_answer_is_a_picture_and_no_cookie(heard: RunningHeard, ted: Visitor):
    ted.post("/settings/mail/opens", {"count": "yes"})
    mail = mail_to(heard, "lily")
    (dot,) = pictures_in(mail)
    survey = re.findall(r'href="([^"]+/s/[^"?]+)', mail)[0].rpartition("/")[2]
    for path in (dot, f"{dot}x", f"{heard.url}/o/nothing", f"{heard.url}/o/{survey}.gif", f"{heard.url}/o/%00%ff"):
        load(path, PHONE)
    assert opens_of(heard) == (1, 1, 0)
    token = dot.rpartition("/")[2].removesuffix(".gif")
    assert httpx.get(f"{heard.url}/s/{token}").status_code == 404  # it opens no survey
    assert httpx.get(f"{heard.url}/u/{token}").status_code == 404


def test_also_while_the_heart_is_away(tmp_path: Path):
    with running(tmp_path, "--base-path", "/heard") as collector:
        assert collector.http.get("/api/contacts/ann").status_code == 503
        for path in ("/o/anything.gif", "/heard/o/anything.gif"):
            answer = collector.http.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")


def test_an_open_is_in_the_export_of_a_contact_and_goes_with_the_person(heard: RunningHeard, ted: Visitor):
    ted.post("/settings/mail/opens", {"count": "yes"})
    load(pictures_in(mail_to(heard, "lily"))[0], PHONE)
    number = heard.get("contacts/lily")["id"]
    assert PHONE in ted.get(f"/contacts/{number}/export")
    asked = {"regulationType": "SUPPRESS_WITH_DELETE", "subjectType": "USER_ID", "subjectIds": ["lily"]}
    request = heard.post("regulations", asked)["data"]["regulateId"]
    eventually(
        lambda: heard.get(f"regulations/{request}")["data"]["regulation"]["overallStatus"] == "FINISHED",
        seconds=60,
        what="that she is forgotten",
    )
    heard.stop()
    with sqlite3.connect(heard.data / "heard.db") as database:
        assert database.execute("SELECT count(*) FROM opens").fetchall() == [(0,)]


def test_only_who_sets_up_may_have_it_counted(heard: RunningHeard):
    robin = member(heard, "robin@acme.example", "viewer")
    robin.post("/settings/mail/opens", {"count": "yes"}, status=403)
    assert pictures_in(mail_to(heard, "lily")) == []


def load(path: str, agent: str) -> None:
    answer = httpx.get(path, headers={"user-agent": agent})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a")
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def mail_to(heard: RunningHeard, user: str) -> str:
    """The HTML of their mail."""
    heard.send("identify", userId=user, traits={"email": f"{user}@eriksen.example"})
    heard.send("track", userId=user, event="Order Completed", properties={"total": 40})
    heard.settle()
    newest = heard.get("deliveries", user_id=user)["data"][0]["id"]
    mail = opened(next((heard.data / "outbox").glob(f"*-{newest}.eml")).read_bytes())
    part = mail.get_body(("html",))
    assert part is not None
    return part.get_content()


def pictures_in(html: str) -> list[str]:
    return re.findall(r'<img[^>]* src="([^"]+)"', html.replace("<img src", "<img  src"))


def statistics(heard: RunningHeard) -> dict[str, object]:
    return heard.get("campaigns/Post-purchase/statistics")


def opens_of(heard: RunningHeard) -> tuple[object, object, object]:
    found = statistics(heard)
    return found["opened"], found["opened_of"], found["opened_by_machines"]


def results(ted: Visitor) -> str:
    return ted.get("/campaigns/1/results")
