"""Broken and hostile messages, against a server that runs: each costs its sender a reason and nobody else anything."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.flow.running import RunningHeard
from tests.flow.running_collector import KEY, Collector, answer, running
from tests.flow.test_collector import memory_and_cpu
from tests.flow.test_protocol_lines import with_codes

TAKEN = {"success": True}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("heard") / "data") as heard:
        yield heard


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with running(tmp_path_factory.mktemp("data")) as collector:
        yield collector


def post(heard: RunningHeard, path: str, body: Any, key: str = "wk_acme_website") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"{heard.url}/v1/{path}", content=content, auth=(key, ""), timeout=20)


def kept(heard: RunningHeard, user: str | None = None) -> list[dict[str, Any]]:
    """What the debugger shows, oldest first."""
    heard.settle()
    query: dict[str, Any] = {"user_id": user} if user else {}
    return with_codes(heard.get("messages", limit=100, **query))[::-1]


def a_track(user: str, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Seen", "userId": user} | fields


# ── bodies ──


def test_fault_01_truncated_json_is_400_nothing_is_stored_and_the_connection_goes_on(collector: Collector):
    before = len(collector.kept())
    good = json.dumps(a_track("marshall") | {"writeKey": KEY}).encode()
    head = b"POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
    with collector.connection() as opened:
        opened.sendall(head % 14 + b'{"userId": "a"')
        assert answer(opened).startswith(b"HTTP/1.1 400")
        opened.sendall(head % len(good) + good)
        assert answer(opened).startswith(b"HTTP/1.1 200")

    assert [each.body for each in collector.kept()[before:]] == [good]


@pytest.mark.parametrize("escape", [r"\u0000", r"\ud800"])
def test_fault_02_03_nul_and_half_a_pair_become_the_replacement_character_everywhere(heard: RunningHeard, escape: str):
    user = f"odd{escape[2:]}"
    odd = {"type": "identify", "userId": user, "traits": {"email": f"{user}@example.com", "bio": "aHEREb"}}
    body = json.dumps({"batch": [odd, a_track(f"{user}-next")]}).replace("HERE", escape)

    assert post(heard, "batch", body.encode()).json() == TAKEN

    assert [each["verdict"] for each in kept(heard, user) + kept(heard, f"{user}-next")] == ["accepted", "accepted"]
    assert heard.get(f"contacts/{user}")["traits"]["bio"] == "a�b"


def test_fault_05_one_message_of_33_kb_in_a_batch_is_only_its_own_fault(heard: RunningHeard):
    # The numbered list wants 400 for the request; a batch is 200, and the debugger names the message.
    batch = [a_track("slim", messageId="s1"), a_track("wide", properties={"x": "x" * 33_000}), a_track("slim")]

    assert post(heard, "batch", {"batch": batch}).json() == TAKEN

    assert [each["verdict"] for each in kept(heard, "slim")] == ["accepted"] * 2
    assert [(each["verdict"], each["reason"]) for each in kept(heard, "wide")] == [("rejected", "message_too_large")]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "-Infinity", str(2**70), "9" * 5_000])
def test_fault_10_numbers_that_no_database_holds_are_kept_as_text(heard: RunningHeard, number: str):
    user = f"counted{number[:12]}"
    body = json.dumps({"userId": user, "traits": {"email": "n@example.com", "n": "HERE"}}).replace('"HERE"', number)

    assert post(heard, "identify", body.encode()).json() == TAKEN

    heard.settle()
    assert heard.get(f"contacts/{quote(user)}")["traits"]["n"] == number


@pytest.mark.parametrize("names", ["equal", "different", "many in one message"])
def test_fault_11_keys_by_the_ten_thousand_cost_little(heard: RunningHeard, names: str):
    if names == "many in one message":
        body = json.dumps(a_track("keys", properties={f"k{number}": 1 for number in range(2_500)})).encode()
        path = "track"
    else:
        keys = ",".join(f'"{"k" if names == "equal" else f"k{n}"}":1' for n in range(40_000))
        body, path = b'{"batch":[],%b}' % keys.encode(), "batch"
    pids = [heard.part("heard.collector"), heard.part("heard.heart")]
    before = [memory_and_cpu(pid)[1] for pid in pids]

    assert post(heard, path, body).json() == TAKEN

    heard.settle()
    spent = [memory_and_cpu(pid)[1] - was for pid, was in zip(pids, before, strict=True)]
    assert spent[0] < 0.2
    assert spent[1] < 1.0


def test_fault_12_13_null_items_and_unknown_types_are_rejected_each_by_itself(heard: RunningHeard):
    batch = [None, 5, [], a_track("sane"), a_track("sane", type="delete"), a_track("sane", type=None)]

    assert post(heard, "batch", {"batch": batch}).json() == TAKEN
    assert post(heard, "batch", {"batch": []}).json() == TAKEN
    assert post(heard, "batch", {"batch": "text"}).status_code == 400

    shown = kept(heard, "sane")
    assert [(each["verdict"], each["reason"]) for each in shown] == [
        ("accepted", None),
        ("rejected", "unknown_type"),
        ("rejected", "unknown_type"),
    ]
    rejected = with_codes(heard.get("messages", verdict="rejected", limit=5))
    assert [each["reason"] for each in rejected][2:] == ["not_an_object"] * 3


@pytest.mark.parametrize("user", ["__proto__", "../../x", "a\nb", "x' OR 1=1 --", "<b>", "ünï", "%00", "123"])
def test_fault_15_an_id_that_looks_like_code_is_only_text(heard: RunningHeard, user: str):
    assert post(heard, "identify", {"userId": user, "traits": {"email": "odd@example.com"}}).json() == TAKEN
    heard.settle()

    assert heard.get(f"contacts/{quote(user, safe='')}")["user_id"] == user


@pytest.mark.parametrize(
    ("user", "reason"),
    [("u" * 10_000, "id_too_long"), ({"$ne": None}, "id_not_text"), ("", "no_user_anon_id"), (" ", "no_user_anon_id")],
)
def test_fault_15_an_id_that_is_none_is_rejected_with_its_reason(heard: RunningHeard, user: Any, reason: str):
    assert post(heard, "track", a_track("x") | {"userId": user}).json() == TAKEN

    assert kept(heard)[-1]["reason"] == reason


def test_fault_15_a_number_and_its_text_are_the_same_person(heard: RunningHeard):
    post(heard, "identify", {"userId": 4711, "traits": {"email": "colognes@example.com"}})
    post(heard, "identify", {"userId": "4711", "traits": {"plan": "Pro"}})
    heard.settle()

    assert heard.get("contacts/4711")["traits"] == {"email": "colognes@example.com", "plan": "Pro"}


# ── ids and times ──


def test_fault_18_of_one_id_with_two_bodies_the_first_wins_and_the_others_are_counted(heard: RunningHeard):
    before = conflicting(heard)
    sent_at = datetime.now(UTC)
    for attempt in range(3):  # browsers stamp sentAt again with each attempt: an honest repeat
        stamp = (sent_at + timedelta(seconds=attempt)).isoformat()
        post(heard, "track", a_track("honest", messageId="one-body", sentAt=stamp, properties={"total": 1}))
    for total in (1, 2, 3):
        post(heard, "track", a_track("twofaced", messageId="two-bodies", properties={"total": total}))

    (shown,) = kept(heard, "twofaced")
    (honest,) = kept(heard, "honest")

    assert shown["message"]["properties"] == honest["message"]["properties"] == {"total": 1}
    assert conflicting(heard) == before + 2


def conflicting(heard: RunningHeard) -> int:
    text = httpx.get(f"{heard.url}/metrics").text
    return sum(map(int, re.findall(r'^heard_conflicting_duplicates_total{source="\d+"} (\d+)$', text, re.MULTILINE)))


NO_TIME = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2300-01-01", "yesterday", "", 1e308, -5e20, None, [])


@pytest.mark.parametrize("sent_as", [*NO_TIME, "in 400 days"])
def test_fault_20_a_time_that_cannot_be_is_the_time_of_receipt(heard: RunningHeard, sent_as: Any):
    moment = (datetime.now(UTC) + timedelta(days=400)).isoformat() if sent_as == "in 400 days" else sent_as
    assert post(heard, "track", a_track("timeless", timestamp=moment)).json() == TAKEN

    shown = kept(heard, "timeless")[-1]

    assert shown["timestamp"] == shown["received_at"]


def test_fault_20_a_clock_beyond_2038_is_corrected_like_any_other(heard: RunningHeard):
    sent_at = datetime(2040, 1, 2, tzinfo=UTC)
    clock = {"timestamp": (sent_at - timedelta(minutes=5)).isoformat(), "sentAt": sent_at.isoformat()}
    assert post(heard, "track", a_track("future") | clock).json() == TAKEN

    (shown,) = kept(heard, "future")

    at, received = (datetime.fromisoformat(shown[name]) for name in ("timestamp", "received_at"))
    assert abs(received - timedelta(minutes=5) - at) < timedelta(seconds=1)


# ── keys ──


def test_fault_21_a_wrong_a_missing_and_a_secret_key_are_refused_in_the_same_words(heard: RunningHeard):
    body = json.dumps(a_track("spy"))
    answers = [
        httpx.post(f"{heard.url}/v1/track", content=body),
        post(heard, "track", body.encode(), "wk_unknown"),
        post(heard, "track", body.encode(), heard.secret_key),
        httpx.post(f"{heard.url}/v1/track", content=body, headers={"authorization": f"Bearer {heard.secret_key}"}),
        httpx.post(f"{heard.url}/v1/track", json=a_track("spy") | {"writeKey": heard.secret_key}),
    ]

    assert {(each.status_code, each.text) for each in answers} == {(401, answers[0].text)}
    assert kept(heard, "spy") == []


def test_fault_21_a_write_key_reads_nothing(heard: RunningHeard):
    for header in ("Bearer wk_acme_website", "Basic d2tfYWNtZV93ZWJzaXRlOg=="):
        assert httpx.get(f"{heard.url}/api/messages", headers={"authorization": header}).status_code == 401


def test_fault_22_where_the_keys_of_header_and_body_differ_the_header_wins(heard: RunningHeard):
    assert post(heard, "track", a_track("torn", writeKey="wk_unknown")).json() == TAKEN
    assert post(heard, "track", a_track("torn", writeKey="wk_acme_website"), "wk_unknown").status_code == 401

    assert len(kept(heard, "torn")) == 1


# ── senders that go away, and where a message may go ──


def test_fault_26_who_hangs_up_before_the_answer_and_sends_again_is_heard_once(heard: RunningHeard):
    body = json.dumps(a_track("hasty", messageId="hasty-1") | {"writeKey": "wk_acme_website"}).encode()
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", heard.port), timeout=5) as opened:
            opened.sendall(b"POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    assert post(heard, "track", body).json() == TAKEN

    assert [each["message_id"] for each in kept(heard, "hasty")] == ["hasty-1"]


@pytest.mark.parametrize(
    ("integrations", "to"),
    [
        ({"All": False}, []),
        ({"All": False, "Promoter": True}, ["Heard"]),
        ({"All": False, "SatisMeter": {"k": 1}}, ["Heard"]),
        ({"All": False, "Mixpanel": True}, []),
        ({"Mixpanel": False}, ["Heard"]),
        ({"Promoter.io": False}, []),
        ({}, ["Heard"]),
    ],
)
def test_fault_28_the_integrations_object_says_who_may_have_it_and_it_is_stored_anyway(
    heard: RunningHeard, integrations: dict[str, Any], to: list[str]
):
    user = f"routed {json.dumps(integrations)}"

    post(heard, "track", a_track(user, integrations=integrations))

    (shown,) = kept(heard, user)
    assert (shown["verdict"], shown["to"]) == ("accepted", to)
