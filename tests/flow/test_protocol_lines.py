"""What Segment's protocol asks of a server, line by line, against one that runs: from the request to the debugger."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from heard.collector.app import PATHS
from tests.flow.running import RunningHeard
from tests.flow.running_collector import KEY, SOURCE, Collector, running

TRACK = {"event": "Order Completed", "userId": "marshall"}
TAKEN = {"success": True}
WAYS = {"short": "/v1/track", "long": "/v1/track?a-query-string-takes-the-way-through=asgi"}
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with running(tmp_path_factory.mktemp("data")) as collector:
        collector.let_in({KEY: SOURCE, "wk_other": 8})
        yield collector


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("heard") / "data") as heard:
        yield heard


def sent(heard: RunningHeard, path: str, body: Any) -> httpx.Response:
    return httpx.post(f"{heard.url}/v1/{path}", json=body, auth=("wk_acme_website", ""), timeout=20)


def kept(heard: RunningHeard, user: str, **query: Any) -> list[dict[str, Any]]:
    """What the debugger shows of this user, oldest first."""
    heard.settle()
    return with_codes(heard.get("messages", user_id=user, **query))[::-1]


def with_codes(page: dict[str, Any]) -> list[dict[str, Any]]:
    """A page of the debugger with the bare code of each reason, without its explanation."""
    return [each | {"reason": each["reason"] and each["reason"].partition(":")[0]} for each in page["data"]]


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


# ── 1: whose it is ──


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("authorization", "body_key", "source"),
    [
        (None, KEY, SOURCE),
        (basic(f"{KEY}:"), None, SOURCE),
        (basic(KEY), None, SOURCE),
        ("Bearer an.oauth.token", KEY, SOURCE),
        (basic(f"{KEY}:"), KEY, SOURCE),
        (basic("wk_other:"), KEY, 8),  # also fault 22: the header wins
        (basic(KEY), "wk_other", SOURCE),
    ],
)
def test_line_01_fault_22_a_key_is_read_wherever_it_stands_and_the_header_wins(
    collector: Collector, way: str, authorization: str | None, body_key: str | None, source: int
):
    headers = {"authorization": authorization} if authorization else {}
    body = TRACK | ({"writeKey": body_key} if body_key else {})

    said = collector.post(WAYS[way], body, key=None, headers=headers)

    assert (said.status_code, said.json()) == (200, TAKEN)
    assert collector.kept()[-1].source == source


@pytest.mark.parametrize("way", WAYS)
def test_line_01_a_bearer_token_alone_names_nobody(collector: Collector, way: str):
    assert collector.post(WAYS[way], TRACK, key=None, headers={"authorization": f"Bearer {KEY}"}).status_code == 401


# ── 2 to 5: how it is sent, and what the answer is ──


@pytest.mark.parametrize("path", sorted(PATHS))
@pytest.mark.parametrize("form", ["application/json; charset=utf-8", "text/plain", "gzip", "gzip in chunks"])
def test_line_02_however_it_is_sent_the_same_body_is_kept(collector: Collector, path: str, form: str):
    body = json.dumps({"batch": [TRACK]} if PATHS[path] == "batch" else TRACK).encode()
    headers = {"content-encoding": "gzip"} if "gzip" in form else {"content-type": form}
    content: Any = gzip.compress(body) if "gzip" in form else body
    if form == "gzip in chunks":
        content = iter([content[:15], content[15:]])

    said = collector.http.post(path, content=content, headers=headers, auth=(KEY, ""))

    assert said.json() == TAKEN
    assert (collector.kept()[-1].kind, collector.kept()[-1].body) == (PATHS[path], body)


def test_line_03_of_2501_messages_none_is_stored_and_the_debugger_says_why(heard: RunningHeard):
    batch = [{"type": "page", "userId": "crowd", "messageId": f"m{number}"} for number in range(2501)]

    assert sent(heard, "batch", {"batch": batch}).json() == TAKEN

    shown = kept(heard, "crowd", limit=200)
    assert {(each["verdict"], each["reason"]) for each in shown} == {("rejected", "batch_too_long")}


def test_line_03_a_batch_of_2500_is_stored(heard: RunningHeard):
    batch = [{"type": "page", "userId": "fair crowd", "messageId": f"n{number}"} for number in range(2500)]

    assert sent(heard, "batch", {"batch": batch}).json() == TAKEN
    assert {each["verdict"] for each in kept(heard, "fair crowd", limit=200)} == {"accepted"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"<xml/>", "invalid_json"),
        (b"[]", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b"null", "not_an_object"),
    ],
)
def test_line_04_a_body_that_is_no_object_is_400_and_never_500(collector: Collector, way: str, body: bytes, code: str):
    said = collector.post(WAYS[way], body)

    words = said.json()
    assert said.status_code == 400
    assert words == {"success": False, "code": code, "message": words["message"], "error": words["message"]}


@pytest.mark.parametrize("path", sorted(PATHS))
@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS", "HEAD"])
def test_line_05_nothing_is_ever_a_redirect_and_every_answer_has_a_length(collector: Collector, method: str, path: str):
    said = collector.http.request(method, path, content=b"{}" if method == "POST" else None)

    assert said.status_code in (204, 400, 401, 405)
    assert said.status_code == 204 or int(said.headers["content-length"]) > 0
    if method == "OPTIONS":
        allowed = said.headers["access-control-allow-headers"]
        assert {"authorization", "content-type", "x-retry-count"} <= set(allowed.split(", "))


# ── 6 to 10: what becomes of it ──


@pytest.mark.parametrize(
    ("ids", "user"),
    [
        ({"userId": None, "anonymousId": "anon-1"}, None),
        ({"userId": " ", "anonymousId": "anon-2"}, None),
        ({"userId": 8810, "anonymousId": None}, "8810"),
        ({"userId": 8811.0}, "8811"),
        ({"userId": "8812", "anonymousId": ""}, "8812"),
    ],
)
def test_line_06_null_numeric_empty_and_blank_ids(heard: RunningHeard, ids: dict[str, Any], user: str | None):
    message_id = str(uuid4())
    assert sent(heard, "track", {"event": "Seen", "messageId": message_id} | ids).json() == TAKEN
    heard.settle()

    shown = by_id(heard, message_id)

    assert (shown["verdict"], shown["user_id"]) == ("accepted", user)


@pytest.mark.parametrize("ids", [{}, {"userId": None}, {"userId": "", "anonymousId": "  "}])
def test_line_06_fault_14_nobody_is_200_and_the_debugger_says_no_user_anon_id(heard: RunningHeard, ids: dict[str, Any]):
    message_id = str(uuid4())
    assert sent(heard, "track", {"event": "Seen", "messageId": message_id} | ids).json() == TAKEN
    heard.settle()

    shown = by_id(heard, message_id)

    assert (shown["verdict"], shown["reason"], shown["to"]) == ("rejected", "no_user_anon_id", [])


def test_line_07_a_batchs_integrations_hold_for_its_messages_and_a_messages_own_win(heard: RunningHeard):
    plain = {"type": "track", "event": "Seen", "userId": "gopher"}
    batch = {"integrations": {"All": False}, "context": {"library": {"name": "analytics-go"}}, "messageId": "envelope"}

    sent(heard, "batch", batch | {"batch": [plain, plain | {"integrations": {"Heard": True}}]})

    assert [each["to"] for each in kept(heard, "gopher")] == [[], ["Heard"]]


def test_line_08_a_senders_wrong_clock_is_corrected(heard: RunningHeard):
    ahead = datetime.now(UTC) + timedelta(hours=1)
    body = TRACK | {"userId": "early", "timestamp": ahead.isoformat(), "sentAt": ahead.isoformat()}
    sent(heard, "track", body)

    (shown,) = kept(heard, "early")

    at, received = (datetime.fromisoformat(shown[name]) for name in ("timestamp", "received_at"))
    assert abs(at - received) < SECOND


def test_line_08_without_a_sent_at_the_timestamp_stays(heard: RunningHeard):
    then = (datetime.now(UTC) - timedelta(hours=3)).replace(microsecond=0)
    sent(heard, "track", TRACK | {"userId": "unsent", "timestamp": then.isoformat()})

    assert datetime.fromisoformat(kept(heard, "unsent")[0]["timestamp"]) == then


def test_line_08_a_timestamp_that_is_none_gives_way_to_the_receipt_and_is_still_shown(heard: RunningHeard):
    sent(heard, "track", TRACK | {"userId": "vague", "timestamp": "yesterday"})

    (shown,) = kept(heard, "vague")

    assert shown["timestamp"] == shown["received_at"]
    assert shown["message"]["timestamp"] == "yesterday"


def test_line_09_fault_16_17_the_same_id_is_one_message_in_a_batch_over_requests_and_after_a_restart(tmp_path: Path):
    order = {"type": "track", "event": "Seen", "userId": "echo", "messageId": "only-once"}
    with RunningHeard(tmp_path / "data") as heard:
        sent(heard, "batch", {"batch": [order, order]})
        sent(heard, "track", order)
        heard.settle()
        heard.stop()
        heard.start()
        sent(heard, "import", {"batch": [order]})

        assert [each["message_id"] for each in kept(heard, "echo")] == ["only-once"]
        repeated = [line for line in metrics(heard) if line.startswith("heard_repeated_messages_total ")]
        assert repeated == ["heard_repeated_messages_total 1"]  # since the restart


def test_line_10_an_id_of_101_characters_is_rejected_and_a_missing_one_is_made(heard: RunningHeard):
    tracks = [{"type": "track", "event": "Seen", "userId": "ident"} | {"messageId": text} for text in ("m" * 101, None)]
    sent(heard, "batch", {"batch": [*tracks, {"type": "track", "event": "Seen", "userId": "ident"}]})

    long, null, missing = kept(heard, "ident")

    assert (long["verdict"], long["reason"]) == ("rejected", "message_id_too_long")
    # not a random one: read from the log a second time after a crash, the message has to be the same one again
    assert null["message_id"] != missing["message_id"]
    assert {null["message_id"][:6], missing["message_id"][:6]} == {"heard-"}


def by_id(heard: RunningHeard, message_id: str) -> dict[str, Any]:
    return next(each for each in with_codes(heard.get("messages", limit=50)) if each["message_id"] == message_id)


def metrics(heard: RunningHeard) -> list[str]:
    return httpx.get(f"{heard.url}/metrics").text.splitlines()
