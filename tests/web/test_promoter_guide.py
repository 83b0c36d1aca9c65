"""The way people set up an event campaign elsewhere, step by step in our pages; every setting does what it says.

A campaign of the Segment kind, a template, a list, instant distribution, a reminder, a forwarding address, a delivery
delay, a throttle; activate; the first event turns Ready into Active, the survey arrives when the delay is over, the
second event is throttled, and the score is filtered by every attribute.
"""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import default

import pytest

from tests.flow.running import RunningHeard, answer, links_in
from tests.web.visitors import Visitor, owner

BARE = """
workspace: Acme
brand: {name: Acme, from: "Acme <feedback@acme.example>", address: "Acme, 1 Main St"}
sources:
  - {name: Website, write_key: wk_acme_website}
"""


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("guide") / "data", workspace=BARE) as running:
        yield running


def mails(heard: RunningHeard) -> list[Message]:
    """In the order in which they went out."""
    files = sorted((heard.data / "outbox").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    return [message_from_bytes(path.read_bytes(), policy=default) for path in files]


def status(seen: Visitor, page: str) -> str:
    shown = seen.get(page)
    return next(word for word in ("Draft", "Ready", "Active", "Paused", "Complete") if f"{word}</span>" in shown)


def test_the_guide_from_end_to_end(heard: RunningHeard):
    seen = owner(heard)

    # what is sent is named and worded first
    seen.post("/surveys/new", {"name": "Customer NPS", "kind": "nps", "languages": "en"})
    # create a new list, without anybody on it
    lists = seen.post("/lists", {"name": "Segment List"})
    assert "Nobody is on it yet" in seen.get(lists)

    # a new campaign of the Segment kind, with every setting of the guide
    offered = seen.get("/campaigns/new")
    for words in ("Whoever does an event", "Everybody on a list", "Delay", "Throttle", "Replies go to", "Segment List"):
        assert words in offered
    page = seen.post(
        "/campaigns/new",
        {
            "name": "After a purchase",
            "survey": "Customer NPS",
            "recipients": "event",
            "event": "Order Completed",
            "list": "Segment List",
            "reminder": "3d",
            "forward_to": "success@acme.example",
            "delay": "7d",
            "throttle": "90d",
            "subject": "{{ firstName | You }}, how was it?",
            "intro": "Hi {{ firstName | there }}, thank you for choosing {{ traits.plan | us }}.",
        },
    )
    assert status(seen, page) == "Draft"

    # a draft asks nobody
    heard.send("identify", userId="ann", traits={"email": "ann@example.com", "firstName": "Ann", "plan": "Premium"})
    heard.send("track", userId="ann", event="Order Completed", properties={"total": 10})
    heard.settle()
    assert heard.get("deliveries")["data"] == []

    # activate: it gets ready to receive events, and the first valid one turns it active
    seen.post(f"{page}/activate", {"daily_cap": ""})
    assert status(seen, page) == "Ready"
    heard.send("track", userId="nobody", event="Order Completed")
    heard.send("track", userId="ann", event="Product Viewed")
    heard.settle()
    assert status(seen, page) == "Ready", "an event of somebody unknown, or another one, does not"
    heard.send("track", userId="ann", event="Order Completed", properties={"total": 30})
    heard.settle()
    assert status(seen, page) == "Active"

    # scheduled at once, delivered when the delay is over; whoever is asked is on the list now
    (planned,) = heard.get("deliveries")["data"]
    assert (planned["state"], planned["user_id"]) == ("scheduled", "ann")
    heard.advance("6d")
    assert mails(heard) == []
    heard.advance("1d")
    (mail,) = mails(heard)
    assert mail["subject"] == "Ann, how was it?"
    assert mail["reply-to"] == "success@acme.example"
    assert "thank you for choosing Premium" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "1 contact" in seen.get(lists)

    # the second event is throttled, with its reason
    heard.send("track", userId="ann", event="Order Completed", properties={"total": 30})
    heard.settle()
    newest = heard.get("contacts/ann/why")["decisions"][0]
    assert newest["outcome"] == "declined"
    assert "campaign_throttle" in [no["reason"] for no in newest["objections"]]

    # three days without an answer: one reminder, to the same address for replies
    heard.advance("3d")
    (_, reminder) = mails(heard)
    assert reminder["subject"] == "Reminder: Ann, how was it?"
    assert reminder["reply-to"] == "success@acme.example"

    # answers, and the score by every attribute
    for user, plan in (("ben", "Free"), ("cleo", "Premium")):
        heard.send("identify", userId=user, traits={"email": f"{user}@example.com", "plan": plan})
        heard.send("track", userId=user, event="Order Completed", properties={"total": 30})
    heard.advance("7d")
    for mail, value in zip((mails(heard)[1], *mails(heard)[2:]), (9, 3, 10), strict=True):
        body = mail.get_body(("html",))  # type: ignore[attr-defined]
        who = str(mail["to"])
        answer(links_in(body.get_content())[{"ben@": 3, "cleo": 10}.get(who.rpartition("<")[2][:4], value)])
    whole = heard.get("scores", survey="Customer NPS")
    assert (whole["n"], round(whole["score"])) == (3, 33)
    premium = heard.get("scores", survey="Customer NPS", where="traits.plan = 'Premium'")
    assert (premium["n"], premium["score"]) == (2, 100)
    by_plan = {each["value"]: each["n"] for each in heard.get("scores", survey="Customer NPS", by="plan")["groups"]}
    assert by_plan == {"Premium": 2, "Free": 1}

    # and a dry run of all this says the same
    rehearsed = heard.post("campaigns/After%20a%20purchase/dry-run", {"since": "60d"})
    assert rehearsed["would"]["invited"] == rehearsed["really"]["invited"] == 3
    assert "It would have invited" in seen.get(f"{page}/dry-run?since=90d")


def test_distribution_kinds_are_set_in_the_form(heard: RunningHeard):
    seen = owner(heard)
    lists = seen.post("/lists", {"name": "Everybody"})
    people = "\n".join(f"p{number}@example.com" for number in range(9))
    seen.post(lists, {"people": people})
    page = seen.post(
        "/campaigns/new",
        {
            "name": "Yearly",
            "survey": "Customer NPS",
            "recipients": "list",
            "list": "Everybody",
            "drip": "3d",
            "recurring": "365d",
            "subject": "One question",
            "intro": "Hi,",
        },
    )
    seen.post(f"{page}/activate", {"daily_cap": ""})
    heard.settle()
    due = sorted(each["due_at"][:10] for each in heard.get("deliveries", campaign="Yearly")["data"])
    assert [due.count(day) for day in dict.fromkeys(due)] == [3, 3, 3]
    seen.post(f"{page}/pause")
    heard.advance("2d")
    sent = heard.get("deliveries", campaign="Yearly", state="sent")["data"]
    assert len(sent) == 3, "the first day went out at once; the others wait"
    seen.post(f"{page}/activate", {"daily_cap": ""})
    heard.advance("3d")
    assert len(heard.get("deliveries", campaign="Yearly", state="sent")["data"]) == 9
    heard.advance("366d")
    assert len(heard.get("deliveries", campaign="Yearly", limit=200)["data"]) >= 18
