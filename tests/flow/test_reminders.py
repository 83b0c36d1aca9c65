"""From an event to the reminder and the one answer, all parts real, time moved by the test clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from heard.channels.email.outbox import opened
from tests.flow.running import ACME, RunningHeard, answer, links_in

WITH_REMINDER = ACME.replace("throttle: 90d", "throttle: 90d\n    reminder: 3d")


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path / "data", workspace=WITH_REMINDER) as running:
        yield running


def order(heard: RunningHeard, user: str) -> None:
    heard.send("identify", userId=user, traits={"email": f"{user}@mosby.example", "firstName": user.capitalize()})
    heard.send("track", userId=user, event="Order Completed", properties={"total": 25})
    heard.settle()


def mails(heard: RunningHeard) -> list[EmailMessage]:
    """Those of the outbox, oldest first."""
    return [opened(path.read_bytes()) for path in sorted((heard.data / "outbox").glob("*.eml"))]


def html(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return body.get_content()


def of_kind(heard: RunningHeard, kind: str) -> dict[str, Any]:
    (found,) = [each for each in heard.get("deliveries")["data"] if each["kind"] == kind]
    return found


def test_whoever_does_not_answer_is_reminded_and_both_mails_lead_to_one_answer(heard: RunningHeard):
    order(heard, "ted")
    heard.advance("2d")
    assert len(mails(heard)) == 1
    assert of_kind(heard, "reminder")["state"] == "scheduled"
    heard.advance("30h")
    first, reminder = mails(heard)

    assert str(reminder["Subject"]) == f"Reminder: {first['Subject']}"
    assert reminder["In-Reply-To"] == reminder["References"] == first["Message-ID"] != reminder["Message-ID"]
    assert "This is the only reminder" in html(reminder)
    assert links_in(html(reminder)) == links_in(html(first))
    assert reminder["List-Unsubscribe"] == first["List-Unsubscribe"]

    assert answer(links_in(html(reminder))[4], comment="Slow").status_code == 200
    assert answer(links_in(html(first))[7]).status_code == 200
    assert [each["value"] for each in heard.get("responses")["data"]] == [7]
    assert (of_kind(heard, "first")["state"], of_kind(heard, "reminder")["state"]) == ("answered", "sent")
    assert heard.get("scores", survey="Relationship NPS")["n"] == 1
    heard.advance("20d")
    assert len(mails(heard)) == 2

    told = heard.cli("why", "ted", "--json")["decisions"][0]
    assert (told["outcome"], told["reminder"]["state"], told["reminder"]["kind"]) == ("invited", "sent", "reminder")
    assert "Reminded on" in heard.cli("why", "ted")
    contact = heard.get("contacts/ted")["id"]
    with heard.member() as ted:
        assert "Reminder sent" in ted.get(f"/contacts/{contact}").text
        assert "1 reminder, not counted as invitations" in ted.get("/campaigns/1/results").text
        assert "Reminder</span>" in ted.get("/deliveries").text


def test_an_answer_before_takes_it_back_and_says_why(heard: RunningHeard):
    order(heard, "ted")
    heard.advance("1d")
    answer(links_in(html(mails(heard)[0]))[9])
    heard.advance("9d")

    assert len(mails(heard)) == 1
    reminder = of_kind(heard, "reminder")
    assert (reminder["state"], reminder["error"]) == ("cancelled", "Not sent: already_answered.")
    assert "No reminder: already_answered." in heard.cli("why", "ted")
    with heard.member() as ted:
        page = ted.get(f"/contacts/{heard.get('contacts/ted')['id']}").text
        assert "No reminder" in page
        assert "Already answered" in page


def test_whoever_leaves_between_gets_no_reminder_and_stays_invited(heard: RunningHeard):
    order(heard, "ted")
    link = mails(heard)[0]["List-Unsubscribe"].strip("<>")
    assert httpx.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert of_kind(heard, "reminder")["error"] == "Not sent: unsubscribed."
    heard.advance("9d")

    assert len(mails(heard)) == 1
    assert [each["outcome"] for each in heard.cli("why", "ted", "--json")["decisions"]] == ["invited"]


def test_a_pause_puts_it_off_and_the_reminder_comes_when_the_campaign_goes_on(heard: RunningHeard):
    order(heard, "ted")
    heard.post("campaigns/Post-purchase/pause")
    heard.advance("5d")
    assert (len(mails(heard)), of_kind(heard, "reminder")["state"]) == (1, "scheduled")

    heard.post("campaigns/Post-purchase/activate")
    heard.settle()
    assert len(mails(heard)) == 2


def test_an_edit_of_the_reminder_is_obeyed_when_it_is_due(heard: RunningHeard):
    order(heard, "ted")
    heard.apply(WITH_REMINDER.replace("reminder: 3d", "reminder: 6d"))
    heard.advance("4d")
    assert len(mails(heard)) == 1
    heard.apply(ACME)
    heard.advance("3d")

    assert len(mails(heard)) == 1
    assert of_kind(heard, "reminder")["error"] == "Not sent: the campaign does not remind any more."
    assert "reminder" not in json.dumps(heard.cli("export", "--json")["campaigns"])
