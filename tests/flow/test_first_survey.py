"""The job that must run: from a Segment library's call to a score one can trust, all parts real."""

from __future__ import annotations

import email
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller

from tests.flow.running import RunningHeard, answer, eventually, free_port, links_in

ROOT = Path(__file__).parent


class Mailbox:
    """A real SMTP server; what it took."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append((envelope, email.message_from_bytes(envelope.content, policy=policy.default)))
        return "250 taken"

    def html(self, index: int) -> str:
        return self.mails[index][1].get_body(("html",)).get_content()


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    box = Mailbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"smtp://127.0.0.1:{port}"
    controller.stop()


@pytest.fixture
def heard(tmp_path: Path, mailbox: tuple[Mailbox, str]) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path / "data", environment={"HEARD_SMTP_URL": mailbox[1]}) as running:
        yield running


def with_python(heard: RunningHeard, *calls: tuple[str, tuple[Any, ...], dict[str, Any]]) -> None:
    """The unchanged segment-analytics-python, pointed at Heard."""
    from segment.analytics.client import Client

    failed: list[Any] = []
    client = Client("wk_acme_website", host=heard.url, on_error=lambda error, _: failed.append(error))
    for method, arguments, options in calls:
        getattr(client, method)(*arguments, **options)
    client.flush()
    client.join()
    assert failed == []


def test_from_the_python_library_to_the_score(heard: RunningHeard, mailbox: tuple[Mailbox, str]):
    box, _ = mailbox
    order = {"order_id": "o-1", "total": 25.5, "products": [{"sku": "a b", "price": 25.5}]}
    traits = {"email": "marshall@eriksen.example", "firstName": "Marshall", "lastName": "Eriksen", "plan": "Premium"}

    with_python(
        heard,
        ("identify", ("marshall",), {"traits": traits}),
        ("track", ("marshall", "Order Completed"), {"properties": order}),
    )
    eventually(lambda: box.mails, what="a mail")

    envelope, mail = box.mails[0]
    assert envelope.rcpt_tos == ["marshall@eriksen.example"]
    assert mail["From"] == "Acme <feedback@acme.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    contact = heard.get("contacts/marshall")
    assert contact["traits"] == traits
    assert contact["lists"] == ["Segment List"]
    kept = heard.get("messages", user_id="marshall")["data"]
    assert {message["event"]: message["message"].get("properties") for message in kept}["Order Completed"] == order

    thanks = answer(links_in(box.html(0))[9], comment="Quick and friendly")
    assert thanks.status_code == 200

    (response,) = heard.get("responses")["data"]
    assert (response["value"], response["category"], response["verdict"]) == (9, "promoter", "human")
    assert response["comment"] == "Quick and friendly"
    assert response["traits"]["plan"] == "Premium"
    score = heard.cli("score", "Relationship NPS", "--where", "traits.plan = 'Premium'", "--json")
    assert (score["n"], score["score"]) == (1, 100)
    assert score["interval"][0] < 0 < score["interval"][1] == 100
    assert heard.get("scores", survey="Relationship NPS", where="traits.plan = 'Premium'")["n"] == 1
    assert heard.get("scores", survey="Relationship NPS", where="traits.plan = 'Free'")["score"] is None
    (delivery,) = heard.get("deliveries", user_id="marshall")["data"]
    assert delivery["state"] == "answered"

    # A second order within the throttle sends nothing, and says why.
    with_python(heard, ("track", ("marshall", "Completed Order"), {"properties": order}))
    declined = eventually(lambda: [d for d in whys(heard) if d["outcome"] == "declined"], what="a refusal")[0]
    objection = next(no for no in declined["objections"] if no["reason"] == "campaign_throttle")
    ninety_days = datetime.fromisoformat(delivery["sent_at"]) + timedelta(days=90)
    assert datetime.fromisoformat(objection["until"]) == ninety_days

    # An order of last year sends nothing either.
    last_year = datetime.now(UTC) - timedelta(days=365)
    with_python(heard, ("track", ("marshall", "Order Completed"), {"properties": order, "timestamp": last_year}))
    eventually(lambda: "event_too_old" in json.dumps(whys(heard)), what="event_too_old")
    heard.settle()
    assert len(box.mails) == 1

    # After the throttle the next one does.
    heard.advance("91d")
    heard.send("track", userId="marshall", event="Order Completed", properties=order)
    eventually(lambda: len(box.mails) == 2, what="the next mail")
    assert [decision["outcome"] for decision in whys(heard)] == ["invited", "declined", "declined", "invited"]


def whys(heard: RunningHeard) -> list[Any]:
    """Decisions about Marshall, newest first, as `heard why` tells them."""
    return heard.cli("why", "marshall", "--json")["decisions"]


def test_from_the_node_library(heard: RunningHeard, mailbox: tuple[Mailbox, str], node: Path):
    box, _ = mailbox
    script = """
      const { Analytics } = require('@segment/analytics-node');
      const analytics = new Analytics({ writeKey: 'wk_acme_website', host: process.argv[1] });
      analytics.on('error', (error) => { console.error(error); process.exit(1); });
      analytics.identify({ userId: 'lily', traits: { email: 'lily@aldrin.example', plan: 'Free', note: null } });
      analytics.track({ userId: 'lily', event: 'Order Completed', properties: { total: 30, nested: { a: [1, 'ü'] } } });
      analytics.closeAndFlush().then(() => process.exit(0));
    """
    done = subprocess.run(
        [node, "-e", script, heard.url], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr

    eventually(lambda: box.mails, what="a mail")
    assert box.mails[0][0].rcpt_tos == ["lily@aldrin.example"]
    assert heard.get("contacts/lily")["traits"] == {"email": "lily@aldrin.example", "plan": "Free", "note": None}


def test_what_scanners_do_to_links_is_no_answer_and_unsubscribes_nobody(
    heard: RunningHeard, mailbox: tuple[Mailbox, str]
):
    box, _ = mailbox
    heard.send("identify", userId="robin", traits={"email": "robin@scherbatsky.example"})
    heard.send("track", userId="robin", event="Order Completed", properties={"total": 25})
    eventually(lambda: box.mails, what="a mail")

    unsubscribe = box.mails[0][1]["List-Unsubscribe"].strip("<>")
    for link in [*links_in(box.html(0)), unsubscribe]:
        assert httpx.head(link).status_code == 200
        assert httpx.get(link).status_code == 200

    assert [each["verdict"] for each in heard.get("responses")["data"]] == ["bot"]
    assert heard.get("scores", survey="Relationship NPS")["n"] == 0
    assert heard.get("contacts/robin")["status"] == "active"

    assert httpx.post(unsubscribe, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert heard.get("contacts/robin")["status"] == "unsubscribed"
    assert answer(links_in(box.html(0))[3]).status_code == 200  # the way to say it stays open
    assert [each["value"] for each in heard.get("responses")["data"]] == [3]


def test_an_answer_can_be_changed_until_it_closes(heard: RunningHeard, mailbox: tuple[Mailbox, str]):
    box, _ = mailbox
    heard.send("identify", userId="ted", traits={"email": "ted@mosby.example"})
    heard.send("track", userId="ted", event="Order Completed", properties={"total": 25})
    eventually(lambda: box.mails, what="a mail")
    links = links_in(box.html(0))

    answer(links[2], comment="Slow")
    answer(links[8], comment="Better now")
    assert [(each["value"], each["comment"]) for each in heard.get("responses")["data"]] == [(8, "Better now")]

    heard.advance("31d")
    assert httpx.get(links[1]).status_code == 410
    assert httpx.post(links[1].partition("?")[0], data={"score": "1"}).status_code == 410
    assert [each["value"] for each in heard.get("responses")["data"]] == [8]
    tampered = links[1].replace("/s/", "/s/x")
    assert httpx.get(tampered).status_code == 404


def test_a_delay_is_kept_and_a_pause_waits(tmp_path: Path):
    from tests.flow.running import ACME

    later = ACME.replace("throttle: 90d", "delay: 3d")
    with RunningHeard(tmp_path / "data", workspace=later) as heard:
        heard.send("identify", userId="ted", traits={"email": "ted@mosby.example"})
        heard.send("track", userId="ted", event="Order Completed", properties={"total": 25})
        heard.advance("2d")
        assert [each["state"] for each in heard.get("deliveries")["data"]] == ["scheduled"]

        heard.post("campaigns/Post-purchase/pause")
        heard.advance("2d")
        assert [each["state"] for each in heard.get("deliveries")["data"]] == ["scheduled"]

        heard.post("campaigns/Post-purchase/activate")
        heard.settle()
        assert [each["state"] for each in heard.get("deliveries")["data"]] == ["sent"]
        assert len(list((tmp_path / "data/outbox").glob("*.eml"))) == 1


def test_nobody_reads_anything_without_the_workspaces_key(heard: RunningHeard):
    for path in ("contacts/ted", "contacts/ted/why", "deliveries", "responses", "scores?survey=x", "messages"):
        for headers in ({}, {"Authorization": "Bearer sk_guess"}, {"Authorization": "Bearer wk_acme_website"}):
            refused = httpx.get(f"{heard.url}/api/{path}", headers=headers)
            assert refused.status_code == 401, path
            assert set(refused.json()["error"]) == {"code", "message"}


@pytest.fixture(scope="session", autouse=True)
def _libraries() -> None:
    """npm packages of the flow tests are installed by `make test`; alone, this file does it itself."""
    if not (ROOT / "node_modules/@segment/analytics-node").exists() and shutil.which("npm"):
        subprocess.run(["npm", "ci", "--silent"], cwd=ROOT, check=True, timeout=300)


def test_the_door_opens_for_members_only_and_shows_them_their_own(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard:
        heard.send("identify", userId="ted", traits={"email": "ted@mosby.example"})
        heard.send("track", userId="ted", event="Order Completed", properties={"total": 25})
        heard.settle()

        ted = heard.member()
        for page in ("/", "/outbox", "/messages"):
            asked_to_sign_in = httpx.get(heard.url + page)
            assert (asked_to_sign_in.status_code, asked_to_sign_in.headers["location"][:8]) == (303, "/sign-in")
            assert httpx.get(heard.url + page, auth=heard.owner).status_code == 303
            assert ted.get(page).status_code == 200
        guess = {"email": "lily@x.example", "password": "guess"}
        guesses = [httpx.post(f"{heard.url}/sign-in", data=guess).status_code for _ in range(12)]
        assert guesses[0] < 500
        assert guesses[-1] == 429
        assert "ted@mosby.example" in ted.get("/outbox").text
        (delivery,) = heard.get("deliveries")["data"]

        heard.apply("workspace: Other\nsources: [{name: Site, write_key: wk_other_site}]\n")
        password = heard.cli("users", "add", "robin@other.example", "--workspace", "Other", "--json")["password"]
        robin = heard.member("robin@other.example", password)
        assert "ted@mosby.example" not in robin.get("/outbox").text
        assert robin.get(f"/outbox/{delivery['id']}").status_code == 404
        assert "wk_acme_website" not in robin.get("/sources").text
        key = heard.cli("keys", "add", "Robin's", "--workspace", "Other", "--json")["secret_key"]
        as_robin = {"Authorization": f"Bearer {key}"}
        assert httpx.get(f"{heard.url}/api/contacts/ted", headers=as_robin).status_code == 404
        assert httpx.get(f"{heard.url}/api/deliveries", headers=as_robin).json()["data"] == []
        assert httpx.get(f"{heard.url}/api/messages", headers=as_robin).json()["data"] == []
        assert httpx.post(f"{heard.url}/api/campaigns/Post-purchase/pause", headers=as_robin).status_code == 404


def test_the_api_describes_itself(heard: RunningHeard):
    described = httpx.get(f"{heard.url}/api/openapi.json").json()
    assert {"/api/contacts/{who}", "/api/scores", "/api/responses"} <= set(described["paths"])
    assert "/api/scores" in httpx.get(f"{heard.url}/api/docs").text


def test_the_whole_of_it_over_postgresql(tmp_path: Path, postgres: Any):
    with RunningHeard(tmp_path / "data", environment={"HEARD_DATABASE_URL": postgres.get_uri()}) as heard:
        heard.send("track", userId="ted", event="Order Completed", properties={"total": 25})
        heard.send("identify", userId="ted", traits={"email": "ted@mosby.example", "plan": "Premium"})
        heard.settle()
        (eml,) = (tmp_path / "data/outbox").glob("*.eml")
        html = email.message_from_bytes(eml.read_bytes(), policy=policy.default).get_body(("html",))
        assert html is not None
        answer(links_in(html.get_content())[10])

        score = heard.get("scores", survey="Relationship NPS", by="plan", every="month")
        assert (score["n"], score["score"], score["groups"][0]["value"]) == (1, 100, "Premium")
        assert [d["outcome"] for d in heard.get("contacts/ted/why")["decisions"]] == ["invited"]


def test_an_event_that_led_to_nothing_can_be_found(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard:
        heard.send("identify", userId="dan", traits={"email": "dan@x.example"})
        heard.send("track", userId="dan", event="order completed")
        heard.send("track", userId="dan")
        heard.settle()

        said = heard.cli("why", "dan")
        assert "Campaigns wait for: Order Completed." in said
        assert "order completed (1)" in said
        assert "rejected: event_missing" in said


def test_names_with_slashes_and_odd_questions_get_answers_not_failures(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard:
        heard.send("identify", userId="org/ann %41", traits={"email": "ann@org.example"})
        heard.settle()
        assert heard.get("contacts/org%2Fann%20%2541")["user_id"] == "org/ann %41"
        assert heard.get("contacts/org%2Fann%20%2541/why")["user_id"] == "org/ann %41"
        assert set(heard.get("nothing-here", status=404)["error"]) == {"code", "message"}
        for path in ("deliveries", "messages", "responses"):
            for cursor in (
                "x",
                "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwiYSJd",
                "OTk5OTk5OTk5OTk5OTk5OTk5OTk",
                "1-99999999999999999999",
            ):
                assert heard.get(path, cursor=cursor, status=400)["error"]["field"] == "cursor"
        assert heard.post("test-clock", {"to": "9999-12-31T00:00:00Z"}, status=400)["error"]["field"] == "to"
