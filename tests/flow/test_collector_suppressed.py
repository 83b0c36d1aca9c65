"""Whoever is suppressed is refused with 200 and never reaches the disk; their neighbours arrive. A real collector."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from heard.contacts.suppression import key_of, mailbox_mark, user_mark
from tests.flow.running_collector import KEY, SOURCE, Collector, eventually

ANN, MAIL = "ann-1842", "Ann.Perkins@Pawnee.example"
WORKSPACE_KEY = key_of(b"a secret of the installation, long", 1)
MARKS = [user_mark(WORKSPACE_KEY, ANN), user_mark(WORKSPACE_KEY, "1842"), mailbox_mark(WORKSPACE_KEY, MAIL)]


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    running = Collector(tmp_path / "data")
    running.publish("suppressed.json", [{"sources": [SOURCE], "key": WORKSPACE_KEY.hex(), "marks": MARKS}])
    yield running
    running.stop()


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()).lower()


@pytest.mark.parametrize(
    "message",
    [
        {"type": "track", "event": "Order Completed", "userId": ANN},
        {"type": "track", "event": "Order Completed", "userId": 1842},
        {"type": "track", "event": "Order Completed", "anonymousId": ANN},
        {"type": "alias", "userId": "ann-2", "previousId": ANN},
        {"type": "identify", "userId": "ann-2", "traits": {"email": MAIL}},
        {"type": "identify", "userId": "ann-2", "traits": {"email": f" {MAIL.upper()} "}},
        {"type": "track", "event": "X", "userId": "ann-2", "context": {"traits": {"email": MAIL}}},
        {"type": "track", "event": "X", "userId": ANN, "traits": "no object", "context": [1]},
    ],
)
def test_a_message_of_theirs_is_answered_200_and_kept_nowhere(collector: Collector, message: dict[str, Any]):
    answer = collector.post(f"/v1/{message['type']}", message)

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert collector.kept() == []
    assert not any(each.lower().encode() in on_disk(collector.data) for each in (ANN, MAIL))
    assert "heard_collector_suppressed_total 1" in collector.http.get("/metrics").text


def test_the_neighbours_in_a_batch_arrive(collector: Collector):
    batch = [
        {"type": "track", "event": "First", "userId": "leslie", "properties": {"price": 1.50}},
        {"type": "track", "event": "Second", "userId": ANN},
        {"type": "track", "event": "Third", "userId": "ron"},
    ]

    assert collector.post("/v1/batch", {"batch": batch, "sentAt": "2026-11-28T09:00:00Z"}).status_code == 200
    (kept,) = collector.kept()
    assert json.loads(kept.body) == {"batch": [batch[0], batch[2]], "sentAt": "2026-11-28T09:00:00Z"}
    assert ANN.encode() not in on_disk(collector.data)


def test_the_neighbours_in_a_batch_that_is_no_strict_json_arrive(collector: Collector):
    body = b'{"batch":[{"type":"track","event":"A","userId":"%b","properties":{"n":NaN}},{"userId":"ron","n":NaN}]}'

    assert collector.post("/v1/batch", body % ANN.encode()).status_code == 200
    (kept,) = collector.kept()
    assert b"ron" in kept.body
    assert ANN.encode() not in on_disk(collector.data)


def test_a_batch_whose_context_is_theirs_is_left_out_whole(collector: Collector):
    body = {"batch": [{"type": "track", "event": "A", "anonymousId": "a1"}], "context": {"traits": {"email": MAIL}}}

    assert collector.post("/v1/batch", body).status_code == 200
    assert collector.kept() == []


def test_a_pixel_and_a_webhook_of_theirs_are_kept_nowhere(collector: Collector):
    message = {"type": "track", "userId": ANN, "event": "Opened", "writeKey": KEY}
    data = base64.b64encode(json.dumps(message).encode()).decode()
    body = json.dumps(message).encode()
    signed = hmac.new(KEY.encode(), body, hashlib.sha1).hexdigest()

    pixel = collector.http.get("/v1/pixel/track", params={"data": data})
    hook = collector.http.post(f"/hooks/segment/{KEY}", content=body, headers={"x-signature": signed})

    assert (pixel.status_code, pixel.headers["content-type"], hook.status_code) == (200, "image/gif", 200)
    assert collector.kept() == []


def test_the_long_way_leaves_them_out_too(collector: Collector):
    """With a query string a request goes through the ASGI application."""
    answer = httpx.post(f"{collector.url}/v1/track?from=here", json={"userId": ANN, "event": "X", "writeKey": KEY})

    assert answer.status_code == 200
    assert collector.kept() == []


def test_who_is_suppressed_no_longer_is_taken_with_the_next_request(collector: Collector):
    collector.publish("suppressed.json", [])
    collector.post("/v1/track", {"userId": ANN, "event": "Back"})

    assert len(collector.kept()) == 1


def test_a_list_that_cannot_be_read_suppresses_who_it_did(collector: Collector):
    collector.post("/v1/track", {"userId": ANN, "event": "X"})
    collector.publish("suppressed.json", "[{half of")
    collector.post("/v1/track", {"userId": ANN, "event": "X"})

    assert collector.kept() == []


def test_the_log_goes_on_in_a_new_file_when_the_heart_asks_for_it(collector: Collector):
    collector.post("/v1/track", {"userId": "ron", "event": "Before"})
    board = collector.board
    board.rotations_wanted += 1
    eventually(lambda: board.rotations_made == board.rotations_wanted)
    collector.post("/v1/track", {"userId": "ron", "event": "After"})

    files = sorted((collector.data / "log").glob("*.seg"))
    assert len(files) == 2
    assert [b"Before" in files[0].read_bytes(), b"After" in files[1].read_bytes()] == [True, True]
    assert b"Before" not in files[1].read_bytes()
    assert len(collector.kept()) == 2
