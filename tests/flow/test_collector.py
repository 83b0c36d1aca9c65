"""The collector over real HTTP: whatever a Segment library, a browser or curl sends, and what it gets back."""

from __future__ import annotations

import base64
import gzip
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.running_collector import KEY, SOURCE, Collector, answer, running

TRACK = {"event": "Order Completed", "userId": "marshall"}
TAKEN = {"success": True}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with running(tmp_path_factory.mktemp("data"), "--base-path", "/heard") as collector:
        yield collector


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


# ── paths ──

LONG = ("identify", "track", "page", "screen", "group", "alias", "batch", "import")
NAMES = (*LONG, *"itpsgab")


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("name", NAMES)
def test_line_02_every_path_takes_messages_with_and_without_a_slash(collector: Collector, name: str, slash: str):
    body = {"batch": [TRACK | {"type": "track"}]} if name in ("batch", "import", "b") else TRACK

    said = collector.post(f"/v1/{name}{slash}", body)

    assert (said.status_code, said.json()) == (200, TAKEN)
    kind = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias"}.get(name, name)
    assert collector.kept()[-1].kind == ("batch" if kind in ("batch", "import", "b") else kind)


def test_the_base_path_may_stand_before_every_path(collector: Collector):
    assert collector.post("/heard/v1/track", TRACK).json() == TAKEN


@pytest.mark.parametrize("body", [TRACK, {"userId": "no event"}, [], "text", {"event": "x" * 40_000}])
@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic d3Jvbmc6"}, {"content-encoding": "br"}])
def test_the_short_way_and_the_long_one_say_the_same(collector: Collector, body: object, headers: dict[str, str]):
    short = collector.post("/v1/track", body, headers=headers)
    long = collector.post("/v1/track?a-query-string-takes-the-way-through=asgi", body, headers=headers)

    assert (short.status_code, short.json()) == (long.status_code, long.json())


def test_line_05_the_answer_is_exactly_what_old_libraries_insist_on(collector: Collector):
    said = collector.post("/v1/batch", {"batch": []})

    assert said.content == b'{"success":true}'
    assert said.headers["content-length"] == "16"
    assert said.headers["content-type"] == "application/json"
    assert said.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
def test_line_12_other_methods_are_405_as_json(collector: Collector, method: str):
    said = collector.http.request(method, "/v1/track")

    assert said.status_code == 405
    assert "POST" in said.headers["allow"]
    assert method == "HEAD" or said.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nope", "/v1/track/x", "/v1/Track"])
def test_unknown_paths_are_404_as_json(collector: Collector, path: str):
    said = collector.post(path, TRACK)

    assert said.status_code == 404
    assert said.json()["success"] is False


def test_line_12_remote_metrics_of_browsers_are_taken_and_forgotten(collector: Collector):
    before = len(collector.kept())

    assert collector.http.post("/v1/m", content=b'{"series":[]}').status_code == 200
    assert len(collector.kept()) == before


@pytest.mark.parametrize("path", ["/v1/t", "/v1/batch", "/v1/nope"])
def test_line_05_a_preflight_allows_what_browsers_send(collector: Collector, path: str):
    asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}

    said = collector.http.options(path, headers=asked)

    assert said.status_code in (200, 204)
    assert said.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in said.headers
    allowed = {name.strip() for name in said.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type", "x-retry-count"} <= allowed


# ── keys ──


@pytest.mark.parametrize(
    ("headers", "body_key"),
    [
        ({}, KEY),
        (basic(f"{KEY}:"), None),
        (basic(KEY), None),
        (basic(f"{KEY}:ignored"), None),
        ({"authorization": "Bearer some.jwt.token"}, KEY),
        (basic(f"{KEY}:"), KEY),
        (basic(":"), KEY),
        ({"authorization": "basic   " + base64.b64encode(f"{KEY}:".encode()).decode().rstrip("=")}, None),
    ],
)
def test_line_01_every_form_of_key_is_read(collector: Collector, headers: dict[str, str], body_key: str | None):
    said = collector.post("/v1/track", TRACK | ({"writeKey": body_key} if body_key else {}), key=None, headers=headers)

    assert said.json() == TAKEN
    assert collector.kept()[-1].source == SOURCE


def test_line_01_a_batchs_key_is_on_its_envelope(collector: Collector):
    assert collector.post("/v1/b", {"batch": [], "writeKey": KEY}, key=None).status_code == 200


@pytest.mark.parametrize(
    ("headers", "body_key"),
    [
        ({}, None),
        ({}, "wk_unknown"),
        (basic("wk_unknown:"), None),
        (basic("wk_unknown:"), KEY),
        ({"authorization": f"Bearer {KEY}"}, None),
        ({"authorization": "Basic \xff!!"}, None),
    ],
)
def test_fault_21_22_a_missing_or_unknown_key_is_401_and_nothing_is_kept(
    collector: Collector, headers: dict[str, str], body_key: str | None
):
    before = len(collector.kept())
    sent = {name: value.encode("latin-1") for name, value in headers.items()}

    said = collector.post("/v1/track", TRACK | ({"writeKey": body_key} if body_key else {}), key=None, headers=sent)

    assert said.status_code == 401
    assert said.json()["code"] == "invalid_write_key"
    assert len(collector.kept()) == before


def test_a_new_key_works_in_the_next_request(collector: Collector):
    assert collector.post("/v1/track", TRACK, key="wk_new").status_code == 401
    collector.let_in({KEY: SOURCE, "wk_new": 8})

    assert collector.post("/v1/track", TRACK, key="wk_new").status_code == 200


# ── bodies ──


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "text/plain;charset=UTF-8", "x/y", None]
)
def test_line_02_json_is_json_whatever_it_is_called(collector: Collector, content_type: str | None):
    headers = {"content-type": content_type} if content_type else {}

    assert collector.post("/v1/track", TRACK, headers=headers).json() == TAKEN


def test_what_is_kept_is_the_body_as_sent(collector: Collector):
    body = b'{ "event":"x", "userId" : "u", "properties":{"a":1.50} }'
    collector.post("/v1/track", body, headers={"user-agent": "me/1"})

    kept = collector.kept()[-1]

    assert (kept.body, kept.agent, kept.client) == (body, "me/1", "127.0.0.1")


def test_line_02_gzip_is_inflated(collector: Collector):
    body = json.dumps(TRACK).encode()

    assert collector.post("/v1/track", gzip.compress(body), headers={"content-encoding": "gzip"}).json() == TAKEN
    assert collector.kept()[-1].body == body


def test_line_02_gzip_in_chunks_is_inflated(collector: Collector):
    def chunks() -> Iterator[bytes]:
        packed = gzip.compress(json.dumps(TRACK).encode())
        yield packed[:10]
        yield packed[10:]

    said = collector.http.post("/v1/t", content=chunks(), auth=(KEY, ""), headers={"content-encoding": "gzip"})

    assert said.json() == TAKEN


PACKED = gzip.compress(json.dumps(TRACK).encode())


@pytest.mark.parametrize(
    "body",
    [PACKED[:-5], PACKED + b"x", PACKED + PACKED, b"not gzip", zlib.compress(b"{}"), b"", PACKED[:-8] + bytes(8)],
)
def test_fault_08_gzip_that_is_not_one_whole_member_is_400(collector: Collector, body: bytes):
    said = collector.post("/v1/track", body, headers={"content-encoding": "gzip"})

    assert (said.status_code, said.json()["code"]) == (400, "invalid_gzip")


def test_fault_07_a_gzip_bomb_is_refused_and_costs_nothing(collector: Collector):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(300)), packer.flush()])
    before = memory_and_cpu(collector.process.pid)

    said = collector.post("/v1/batch", bomb, headers={"content-encoding": "gzip"})

    after = memory_and_cpu(collector.process.pid)
    # 400 like every body that is too large, where the numbered list says 413
    assert (said.status_code, said.json()["code"]) == (400, "body_too_large")
    assert after[0] - before[0] < 10 << 20
    assert after[1] - before[1] <= 0.1


def memory_and_cpu(pid: int) -> tuple[int, float]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[21]) * os.sysconf("SC_PAGE_SIZE"), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip"])
def test_other_encodings_are_415(collector: Collector, encoding: str):
    assert collector.post("/v1/track", TRACK, headers={"content-encoding": encoding}).status_code == 415


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b'{"batch":1}', "batch_not_a_list"),
        (b'{"batch":["\xff"]}', "invalid_utf8"),
        (b'{"batch":' + b"[" * 100_000, "too_deep"),
        (b'{"batch":[]}' + b" " * 512_000, "body_too_large"),
    ],
)
def test_line_04_fault_04_06_09_12_faults_of_the_whole_body_are_400_in_words_for_every_library(
    collector: Collector, body: bytes, code: str
):
    before = len(collector.kept())

    said = collector.post("/v1/batch", body)

    assert said.status_code == 400
    words = said.json()
    assert words == {"success": False, "code": code, "message": words["message"], "error": words["message"]}
    assert len(collector.kept()) == before


def test_line_03_the_largest_batch_is_taken(collector: Collector):
    assert collector.post("/v1/batch", b'{"batch":[]}' + b" " * (512_000 - 12)).json() == TAKEN


def test_line_03_fault_05_a_single_message_may_have_32768_bytes_and_no_more(collector: Collector):
    body = json.dumps(TRACK).encode()

    assert collector.post("/v1/track", body.ljust(32_768)).status_code == 200
    assert collector.post("/v1/track", body.ljust(32_769)).json()["code"] == "message_too_large"


def test_fault_12_what_is_wrong_with_one_message_is_not_the_requests_fault(collector: Collector):
    assert collector.post("/v1/batch", {"batch": [None, 5, {}, TRACK | {"type": "track"}]}).json() == TAKEN
    assert collector.post("/v1/track", {}).json() == TAKEN


def test_fault_01_a_connection_goes_on_after_a_refused_body(collector: Collector):
    request = b"POST /v1/batch HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
    with collector.connection() as opened:
        opened.sendall(request % 600_000 + b" " * 600_000)
        assert b"body_too_large" in answer(opened)
        opened.sendall(request % 1 + b"{")
        assert b"invalid_json" in answer(opened)
