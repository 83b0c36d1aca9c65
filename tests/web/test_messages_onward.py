"""Where each message went and why not elsewhere, with real destinations that take, fail and refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from heard.operations.went import REFUSED, Went
from heard.routing.destination import Destination
from heard.routing.reasons import did_not_feed, was_not_connected, was_not_there
from heard.web.dashboard.messages.onward import stations
from tests.contracts.receiver import Receiver, answer
from tests.examples import NOON
from tests.flow.running import ACME, RunningHeard, eventually

OUTSIDE = """
destinations:
  - {{name: Heard, type: surveys, events: {{Signed In: false}}}}
  - {{name: Shop hook, type: webhook, settings: {{url: "{good}", secret: shh-shh-shh}}}}
  - {{name: Warehouse, type: webhook, settings: {{url: "{bad}", secret: hush-hush}}}}
  - {{name: Strict, type: webhook, settings: {{url: "{strict}"}}}}
  - name: Chat
    type: slack
    settings: {{url: "{good}/T0/B0/words"}}
    events: {{Order Completed: false}}
    filters: [{{if: "event = 'Page Scrolled'", then: drop}}]
  - {{name: Elsewhere, type: webhook, sources: [], settings: {{url: "{good}"}}}}
"""
LIMITED = "\ndestinations:\n  - {name: Heard, type: surveys, settings: {daily_limit: 1}}\n"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    """One takes everything, one is broken, one refuses for good, one is choosy, one is not fed."""
    with (
        Receiver() as good,
        Receiver(*[answer(503, b"hush-hush is in maintenance")] * 100_000) as bad,
        Receiver(*[answer(422, b"no such shop")] * 1000) as strict,
        RunningHeard(
            tmp_path_factory.mktemp("onward") / "data",
            workspace=ACME + OUTSIDE.format(good=good.url, bad=bad.url, strict=strict.url),
            environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"},
        ) as heard,
    ):
        heard.send("track", userId="ted", event="Order Completed", properties={"total": 50}, messageId="order")
        heard.send("track", userId="ted", event="Signed In", messageId="signed in")
        heard.send("track", userId="ted", event="Page Scrolled", messageId="scrolled")
        heard.settle()
        eventually(lambda: [each["state"] for each in told(heard, "order")["deliveries"]] == ON_ITS_WAY)
        yield heard


ON_ITS_WAY = ["delivered", "retrying", "dead"]


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Iterator[httpx.Client]:
    with heard.member() as browser:
        yield browser


def told(heard: RunningHeard, message_id: str) -> dict[str, Any]:
    return next(each for each in heard.get("messages")["data"] if each["message_id"] == message_id)


def text(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split()).replace("&#34;", '"').replace("&#39;", "'")


def row(page: httpx.Response, number: object) -> str:
    found = re.search(rf'<tbody role="rowgroup" id="m-{number}">(.*?)</tbody>', page.text, re.S)
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()).replace("&#34;", '"').replace("&#39;", "'")


def test_the_api_tells_of_every_destination(heard: RunningHeard):
    order = told(heard, "order")
    shop, warehouse, strict = order["deliveries"]

    assert order["to"] == ["Heard", "Shop hook", "Warehouse", "Strict"]
    assert {each["destination"]: each["reason"] for each in order["not_to"]} == {
        "Chat": "event_switch",
        "Elsewhere": "not_connected",
    }
    assert shop == {
        "destination": "Shop hook",
        "state": "delivered",
        "attempts": 1,
        "reason": None,
        "detail": None,
        "next_at": None,
    }
    assert (warehouse["state"], warehouse["reason"]) == ("retrying", "http_503")
    assert warehouse["detail"] == "Answered 503: (kept secret) is in maintenance"
    assert warehouse["next_at"] is not None
    assert (strict["state"], strict["attempts"], strict["detail"]) == ("dead", 1, "Answered 422: no such shop")
    assert told(heard, "scrolled")["to"] == ["Heard", "Shop hook", "Warehouse", "Strict"]
    assert [each["reason"] for each in told(heard, "signed in")["not_to"]] == ["event_switch", "not_connected"]


def test_a_closed_row_has_a_badge_only_where_something_is_off(heard: RunningHeard, ted: httpx.Client):
    page = ted.get("/messages")
    order = row(page, told(heard, "order")["id"])

    assert "Kept from · Chat" in order
    assert "Being tried again · Warehouse" in order
    assert "Given up · Strict" in order
    assert "Shop hook" not in order
    assert "Elsewhere" not in order
    signed_in = row(page, told(heard, "signed in")["id"])
    assert 'The event "Signed In" is switched off for Heard' in signed_in
    assert "event_switch" in signed_in


def test_an_opened_row_tells_each_destinations_part(heard: RunningHeard, ted: httpx.Client):
    number = told(heard, "order")["id"]
    for page in (ted.get(f"/messages?open={number}"), ted.get(f"/messages/{number}?row=open")):
        order = row(page, number)
        assert "Delivered to Shop hook Taken at the first try Send again" in order
        assert re.search(
            r"On its way to Warehouse Tried (once|\d+ times), last .* in maintenance\. .*http_503 Try now", order
        )
        assert "hush" not in page.text
        assert re.search(
            r"Not delivered to Strict Tried once, last .*Answered 422: no such shop\. http_422 Send again", order
        )
        assert 'Kept from Chat The event "Order Completed" is switched off for Chat' in order
        assert "Not for Elsewhere Its source did not feed Elsewhere when it came; the destination's" in order
        assert f'href="/destinations/{heard.get("destinations")["data"][2]["id"]}"' in page.text


def test_several_that_it_was_never_for_stand_together_by_what_is_known_of_them():
    made = (did_not_feed, did_not_feed, was_not_there, was_not_connected, was_not_connected)
    there = [Destination(id=n, workspace=1, name=name, type="webhook") for n, name in enumerate("ABCDE")]
    told = [Went(destination=each, state=REFUSED, refusal=why(each)) for each, why in zip(there, made, strict=True)]

    assert [(step.title, step.text) for step in stations(told, troubles={}, now=NOON)] == [
        ("Not for 2 destinations", "Its source did not feed them when it came: A, B."),
        ("Not for C", "C was not there yet when it came."),
        ("Not for 2 destinations", "Its source did not feed them when it came, or they were not there yet: D, E."),
    ]


def test_what_surveys_do_not_get_is_no_match(ted: httpx.Client):
    assert "Signed In" not in ted.get("/messages?verdict=matched").text


def test_an_admin_sends_a_message_again_and_a_viewer_sees_no_button(heard: RunningHeard, ted: httpx.Client):
    number = told(heard, "order")["id"]
    page = ted.get(f"/messages/{number}")
    token = re.search(r'name="form_token" value="([0-9a-f]+)"', page.text)
    assert token
    chat = next(each["id"] for each in heard.get("destinations")["data"] if each["name"] == "Chat")

    sent = ted.post(f"/messages/{number}/resend", data={"form_token": token[1], "destination": chat})
    assert (sent.status_code, sent.headers["location"]) == (303, f"/messages/{number}")
    eventually(lambda: "Delivered to Chat Tried once" in text(ted.get(f"/messages/{number}")))
    assert "Chat" in told(heard, "order")["to"]
    unknown = ted.post(f"/messages/{number}/resend", data={"form_token": token[1], "destination": "999"})
    assert unknown.status_code == 400

    filtered = told(heard, "scrolled")["id"]
    refused = ted.post(f"/messages/{filtered}/resend", data={"form_token": token[1], "destination": chat})
    assert refused.status_code == 409
    assert "Filter 1 of Chat drops it" in text(refused)

    added = heard.cli("users", "add", "victoria@acme.example", "--workspace", "Acme", "--role", "viewer", "--json")
    with heard.member("victoria@acme.example", added["password"]) as viewer:
        seen = viewer.get(f"/messages/{number}")
        assert "Delivered to Shop hook" in text(seen)
        assert "/resend" not in seen.text


def test_destinations_tell_how_they_fare_without_their_secrets(heard: RunningHeard):
    found = {each["name"]: each for each in heard.get("destinations")["data"]}

    assert found["Shop hook"]["settings"]["secret"] == "(kept secret)"
    assert found["Chat"]["settings"]["url"].endswith("/…")
    assert found["Heard"]["last_24_hours"] == {
        "delivered": 2,
        "retried": None,
        "discarded": None,
        "refused": {"event_switch": 1},
    }
    assert found["Strict"]["last_24_hours"]["discarded"] == 3
    assert found["Chat"]["last_24_hours"]["refused"] == {"event_switch": 1, "filtered": 1}
    assert (found["Warehouse"]["waiting"], found["Warehouse"]["more_wait"]) == (3, False)
    assert found["Warehouse"]["trouble"] == "Answered 503: (kept secret) is in maintenance"
    assert "hush" not in str(found)
    assert "shh" not in str(found)


def test_messages_are_found_by_the_destination_that_they_were_routed_to(heard: RunningHeard):
    def to(destination: str, **more: Any) -> set[str]:
        return {each["message_id"] for each in heard.get("messages", destination=destination, **more)["data"]}

    every = {each["message_id"]: each["to"] for each in heard.get("messages")["data"]}
    for name in ("Heard", "Shop hook", "Chat", "Strict"):
        assert to(name) == {each for each, given in every.items() if name in given}
    assert to("Heard") == {"order", "scrolled"}
    assert to("Heard", verdict="accepted", event="Page Scrolled") == {"scrolled"}
    refused = heard.get("messages", destination="Nowhere", status=400)
    assert refused["error"]["field"] == "destination"


def test_what_did_not_get_there_is_listed_with_its_tries_and_tried_again(heard: RunningHeard):
    first = heard.get("destinations/Strict/deliveries", state="dead", limit=2)
    second = heard.get("destinations/Strict/deliveries", state="dead", limit=2, cursor=first["next"])
    dead = [*first["data"], *second["data"]]

    assert {each["message_id"] for each in dead} == {"order", "signed in", "scrolled"}
    assert len(dead) == 3
    assert dead[0]["tries"][0]["status"] == 422
    assert "no such shop" in dead[0]["answer"]
    assert heard.get("destinations/Strict/deliveries", reason="timeout")["data"] == []
    (warehouse, *_) = heard.get("destinations/Warehouse/deliveries", state="retrying")["data"]
    assert "hush" not in str(warehouse)

    assert heard.post("destinations/Strict/retry", {"reason": "timeout"}) == {"messages": 0}
    assert heard.post("destinations/Strict/retry", {"reason": "http_422"}) == {"messages": 3}
    eventually(lambda: {each["attempts"] for each in heard.get("destinations/Strict/deliveries")["data"]} == {2})


@pytest.mark.parametrize(
    ("call", "body", "status", "field"),
    [
        ("destinations/Nobody/retry", {}, 404, None),
        ("destinations/Heard/retry", {}, 409, None),
        ("destinations/Strict/replay", {}, 400, "since"),
        ("destinations/Strict/replay", {"since": "odd"}, 400, "since"),
        ("destinations/Strict/replay", {"since": "1d", "until": "2d"}, 400, "since"),
        ("destinations/Strict/replay", {"since": "1d", "from": "2d"}, 400, "from"),
        ("destinations/Strict/replay", [], 400, None),
        ("messages/1/resend", {}, 400, "destination"),
        ("messages/999/resend", {"destination": "Strict"}, 404, None),
        ("messages/99999999999999999999/resend", {"destination": "Strict"}, 400, "id"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_field(
    heard: RunningHeard, call: str, body: object, status: int, field: str | None
):
    headers = {"Authorization": f"Bearer {heard.secret_key}"}
    said = httpx.post(f"{heard.url}/api/{call}", json=body, headers=headers)

    assert (said.status_code, said.json()["error"].get("field")) == (status, field), said.text


def test_a_replay_of_one_destination_is_not_found_at_another(heard: RunningHeard):
    begun = heard.post("destinations/Shop%20hook/replay", {"since": "1d"})

    done = eventually(
        lambda: (found := heard.get(f"destinations/Shop%20hook/replays/{begun['id']}"))["state"] == "done" and found
    )
    assert (done["sent"], done["left"]) == (3, 0)
    heard.get(f"destinations/Strict/replays/{begun['id']}", status=404)
    heard.get("destinations/Strict/deliveries", status=400, state="odd")


def test_events_are_looked_for_by_name(heard: RunningHeard):
    found = heard.get("messages", event="Signed In")

    assert [each["message_id"] for each in found["data"]] == ["signed in"]


def test_what_is_over_the_daily_limit_is_told_as_waiting_for_the_next_day(
    tmp_path_factory: pytest.TempPathFactory,
):
    with RunningHeard(tmp_path_factory.mktemp("limited") / "data", workspace=ACME + LIMITED) as heard:
        heard.send("identify", userId="ted", traits={"email": "ted@acme.example"})
        heard.send("track", userId="ted", event="Order Completed", properties={"total": 50})
        heard.send("page", userId="ted", properties={"path": "/pricing"})
        heard.settle()
        with heard.member() as ted:
            page = ted.get("/messages?verdict=held")
            assert re.search(r'>Held <span class="n">2<', page.text)
            assert len(re.findall(r'<tbody role="rowgroup" id="m-', page.text)) == 2
            assert text(page).count("Waits for the next day More came in than is taken in one day.") == 2
            opened = ted.get(f"/messages/{heard.get('messages')['data'][1]['id']}")
            assert "Waits to be taken by Heard More came in than is taken in one day." in text(opened)
            contact = ted.get("/contacts/1")
            assert "More came in that day than is taken in one day. The event waits in its order" in text(contact)
            said = heard.cli("why", "ted")
            assert "it waits for the next day" in " ".join(said.split())

            heard.advance("1d")
            heard.advance("1d")
            assert "Nothing is held" in ted.get("/messages?verdict=held").text
            assert "until a day had room for it" in text(ted.get("/contacts/1"))
