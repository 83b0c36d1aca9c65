"""Segment's Webhook destination, pointed at Heard: what it posts, signed or not, and what it gets back."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from heard import config
from heard.operations.opening import open_installation
from heard.sources.source import Source
from tests.flow.running import RunningHeard
from tests.flow.running_collector import KEY, SOURCE, Collector, running

SIGNED, SECRET = "wk_signed", "a shared secret, ünïcödé"
ORDER = {
    "type": "track",
    "event": "Order Completed",
    "userId": "marshall",
    "messageId": "ajs-next-1",
    "channel": "client",
    "properties": {"total": 42},
    "projectId": "p",
    "version": 2,
    "timestamp": "2026-11-22T11:00:00.000Z",
    "originalTimestamp": "2026-11-22T23:00:00.000Z",
    "sentAt": "2026-11-22T23:00:01.000Z",
    "receivedAt": "2026-11-22T11:00:01.000Z",
}
BODY = json.dumps(ORDER, separators=(",", ":")).encode()


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with running(tmp_path_factory.mktemp("data"), "--base-path", "/heard") as collector:
        collector.let_in({KEY: SOURCE, SIGNED: 8})
        collector.publish("hooks.json", json.dumps({SIGNED: SECRET}))
        yield collector


def signature(secret: str, body: bytes = BODY) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()


def post(collector: Collector, key: str, signed: str | None = None, *, body: Any = BODY, **headers: str):
    headers |= {"content-type": "application/json", "user-agent": "Segment.io/1.0"}
    if signed is not None:
        headers["x-signature"] = signed
    return collector.http.post(f"/hooks/segment/{key}", content=body, headers=headers)


def test_the_address_is_enough_where_the_source_has_no_secret(collector: Collector):
    said = post(collector, KEY)

    kept = collector.kept()[-1]
    assert (said.status_code, said.json()) == (200, {"success": True})
    assert (kept.source, kept.kind, kept.body, kept.agent) == (SOURCE, "hook", BODY, "Segment.io/1.0")


@pytest.mark.parametrize("path", [f"/hooks/segment/{KEY}/", f"/heard/hooks/segment/{KEY}", f"/hooks/segment/{KEY}?a=b"])
def test_slash_base_path_and_query_change_nothing(collector: Collector, path: str):
    assert collector.http.post(path, content=BODY).json() == {"success": True}


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (SIGNED, signature(SECRET)),
        (SIGNED, signature(SECRET).upper()),
        (KEY, signature(KEY)),
        (KEY, ""),
    ],
)
def test_a_right_signature_is_let_in(collector: Collector, key: str, signed: str):
    assert post(collector, key, signed).status_code == 200


@pytest.mark.parametrize(
    ("key", "signed", "code"),
    [
        (SIGNED, None, "signature_missing"),
        (SIGNED, "", "signature_missing"),
        (SIGNED, signature("another secret"), "signature_wrong"),
        (SIGNED, signature(SIGNED), "signature_wrong"),
        (SIGNED, signature(SECRET, BODY + b" "), "signature_wrong"),
        (SIGNED, "ÿ" * 40, "signature_wrong"),
        (KEY, signature(SECRET), "signature_wrong"),
        ("wk_unknown", signature("wk_unknown"), "invalid_write_key"),
        ("a/b", None, "invalid_write_key"),
    ],
)
def test_whoever_is_not_let_in_is_told_what_to_do(collector: Collector, key: str, signed: str | None, code: str):
    before = len(collector.kept())

    said = post(collector, key, signed.encode("latin-1") if signed else signed)  # type: ignore[arg-type]

    words = said.json()
    assert said.status_code == 401
    assert words == {"success": False, "code": code, "message": words["message"], "error": words["message"]}
    assert len(collector.kept()) == before


def test_neither_a_header_nor_the_body_can_name_another_source(collector: Collector):
    body = json.dumps(ORDER | {"writeKey": SIGNED}).encode()

    assert post(collector, KEY, body=body, authorization="Basic d2tfc2lnbmVkOg==").status_code == 200
    assert collector.kept()[-1].source == SOURCE


def test_a_signature_is_over_the_body_as_it_came(collector: Collector):
    body = gzip.compress(BODY)

    assert post(collector, SIGNED, signature(SECRET, body), body=body, **{"content-encoding": "gzip"}).is_success
    assert collector.kept()[-1].body == BODY


def test_a_new_secret_holds_from_the_next_request_on(tmp_path: Path):
    with running(tmp_path) as collector:
        assert post(collector, KEY).status_code == 200
        collector.publish("hooks.json", json.dumps({KEY: SECRET}))
        assert post(collector, KEY).status_code == 401
        assert post(collector, KEY, signature(SECRET)).status_code == 200


def test_secrets_that_cannot_be_read_let_nobody_in_unsigned(tmp_path: Path):
    tmp_path.joinpath("hooks.json").write_text("{")
    with running(tmp_path) as collector:
        said = post(collector, KEY)

        assert (said.status_code, int(said.headers["retry-after"]) > 0) == (503, True)
        assert collector.post("/v1/track", ORDER).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "invalid_json"), (b"{", "invalid_json"), (b"[%s]" % BODY, "not_an_object"), (b"\xff", "invalid_utf8")],
)
def test_a_body_that_is_no_message_is_400_as_under_v1(collector: Collector, body: bytes, code: str):
    said = post(collector, KEY, body=body)

    assert (said.status_code, said.json()["code"]) == (400, code)


@pytest.mark.parametrize("size", [32_769, 600_000])
def test_a_message_that_is_too_large_is_400_as_under_v1(collector: Collector, size: int):
    assert post(collector, KEY, body=BODY.ljust(size)).json()["code"] == "message_too_large"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_405_as_json(collector: Collector, method: str):
    said = collector.http.request(method, f"/hooks/segment/{KEY}")

    assert (said.status_code, said.headers["allow"]) == (405, "POST")
    assert method == "HEAD" or said.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/hooks/segment", "/hooks/segment/"])
def test_an_address_without_a_key_is_404_as_json(collector: Collector, path: str):
    assert collector.http.post(path, content=BODY).status_code == 404
    assert collector.http.get(path).json()["code"] == "not_found"


def test_while_the_disk_takes_nothing_it_is_503_and_segment_sends_it_again(tmp_path: Path):
    with running(tmp_path) as collector, collector.no_room():
        said = post(collector, KEY)

        assert (said.status_code, int(said.headers["retry-after"]) > 0) == (503, True)


def test_a_limit_holds_here_too(tmp_path: Path):
    with running(tmp_path, "--rate-limit", "1") as collector:
        answers = [post(collector, KEY) for _ in range(4)]

    assert [each.status_code for each in answers] == [200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "1"


def test_what_segment_routed_becomes_one_message_at_the_time_that_segment_says(tmp_path: Path):
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).replace(microsecond=0)
    body = json.dumps(ORDER | {"timestamp": an_hour_ago.isoformat()}).encode()
    with RunningHeard(tmp_path / "data") as heard:
        for _ in range(2):
            said = httpx.post(f"{heard.url}/hooks/segment/wk_acme_website", content=body)
            assert said.json() == {"success": True}
        heard.settle()
        (kept,) = heard.get("messages")["data"]

    assert (kept["type"], kept["user_id"], kept["message"]["properties"]) == ("track", "marshall", {"total": 42})
    assert datetime.fromisoformat(kept["timestamp"]) == an_hour_ago


def test_the_heart_publishes_the_secrets_of_the_sources_that_have_one(tmp_path: Path):
    app = open_installation(config.read({}, data=tmp_path))
    try:
        generation = app.board.keys_generation
        sources = {
            1: Source(id=1, workspace=1, name="Website", write_key=KEY),
            2: Source(id=2, workspace=1, name="Cloud", write_key=SIGNED, webhook_secret=SECRET),
        }
        app.directory = msgspec.structs.replace(app.directory, sources=sources)
        app.publish_keys()

        assert json.loads((tmp_path / "hooks.json").read_bytes()) == {SIGNED: SECRET}
        assert json.loads((tmp_path / "keys.json").read_bytes()) == {KEY: 1, SIGNED: 2}
        assert (tmp_path / "hooks.json").stat().st_mode & 0o077 == 0
        assert app.board.keys_generation > generation
    finally:
        asyncio.run(app.close())
