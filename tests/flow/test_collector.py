"""The collector over real HTTP: whatever a Segment library, a browser or curl sends, and what it gets back."""

from __future__ import annotations

import base64
import gzip
import json
import os
import resource
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.running_collector import KEY, SOURCE, Collector, answer, eventually, running

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
def test_every_path_takes_messages(collector: Collector, name: str, slash: str):
    body = {"batch": [TRACK | {"type": "track"}]} if name in ("batch", "import", "b") else TRACK

    said = collector.post(f"/v1/{name}{slash}", body)

    assert (said.status_code, said.json()) == (200, TAKEN)
    kind = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias"}.get(name, name)
    assert collector.kept()[-1].kind == ("batch" if kind in ("batch", "import", "b") else kind)


def test_the_base_path_may_stand_before_every_path(collector: Collector):
    assert collector.post("/heard/v1/track", TRACK).json() == TAKEN


def test_a_query_string_does_not_matter(collector: Collector):
    assert collector.post("/v1/track?x=1", TRACK).json() == TAKEN


def test_the_answer_is_exactly_what_old_libraries_insist_on(collector: Collector):
    said = collector.post("/v1/batch", {"batch": []})

    assert said.content == b'{"success":true}'
    assert said.headers["content-length"] == "16"
    assert said.headers["content-type"] == "application/json"
    assert said.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
def test_other_methods_are_405_as_json(collector: Collector, method: str):
    said = collector.http.request(method, "/v1/track")

    assert said.status_code == 405
    assert "POST" in said.headers["allow"]
    assert method == "HEAD" or said.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nope", "/v1/track/x", "/v1/Track"])
def test_unknown_paths_are_404_as_json(collector: Collector, path: str):
    said = collector.post(path, TRACK)

    assert said.status_code == 404
    assert said.json()["success"] is False


def test_remote_metrics_of_browsers_are_taken_and_forgotten(collector: Collector):
    before = len(collector.kept())

    assert collector.http.post("/v1/m", content=b'{"series":[]}').status_code == 200
    assert len(collector.kept()) == before


@pytest.mark.parametrize("path", ["/v1/t", "/v1/batch", "/v1/nope"])
def test_a_preflight_allows_what_browsers_send(collector: Collector, path: str):
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
def test_every_form_of_key_is_read(collector: Collector, headers: dict[str, str], body_key: str | None):
    said = collector.post("/v1/track", TRACK | ({"writeKey": body_key} if body_key else {}), key=None, headers=headers)

    assert said.json() == TAKEN
    assert collector.kept()[-1].source == SOURCE


def test_a_batchs_key_is_on_its_envelope(collector: Collector):
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
def test_a_missing_or_unknown_key_is_401_and_nothing_is_kept(
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
def test_json_is_json_whatever_it_is_called(collector: Collector, content_type: str | None):
    headers = {"content-type": content_type} if content_type else {}

    assert collector.post("/v1/track", TRACK, headers=headers).json() == TAKEN


def test_what_is_kept_is_the_body_as_sent(collector: Collector):
    body = b'{ "event":"x", "userId" : "u", "properties":{"a":1.50} }'
    collector.post("/v1/track", body, headers={"user-agent": "me/1"})

    kept = collector.kept()[-1]

    assert (kept.body, kept.agent, kept.client) == (body, "me/1", "127.0.0.1")


def test_gzip_is_inflated(collector: Collector):
    body = json.dumps(TRACK).encode()

    assert collector.post("/v1/track", gzip.compress(body), headers={"content-encoding": "gzip"}).json() == TAKEN
    assert collector.kept()[-1].body == body


def test_gzip_in_chunks_is_inflated(collector: Collector):
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
def test_gzip_that_is_not_one_whole_member_is_400(collector: Collector, body: bytes):
    said = collector.post("/v1/track", body, headers={"content-encoding": "gzip"})

    assert (said.status_code, said.json()["code"]) == (400, "invalid_gzip")


def test_a_gzip_bomb_costs_nothing(collector: Collector):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(300)), packer.flush()])
    before = memory_and_cpu(collector.process.pid)

    said = collector.post("/v1/batch", bomb, headers={"content-encoding": "gzip"})

    after = memory_and_cpu(collector.process.pid)
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
def test_faults_of_the_whole_body_are_400_in_words_for_every_library(collector: Collector, body: bytes, code: str):
    before = len(collector.kept())

    said = collector.post("/v1/batch", body)

    assert said.status_code == 400
    words = said.json()
    assert words == {"success": False, "code": code, "message": words["message"], "error": words["message"]}
    assert len(collector.kept()) == before


def test_the_largest_batch_is_taken(collector: Collector):
    assert collector.post("/v1/batch", b'{"batch":[]}' + b" " * (512_000 - 12)).json() == TAKEN


def test_a_single_message_may_have_32768_bytes_and_no_more(collector: Collector):
    body = json.dumps(TRACK).encode()

    assert collector.post("/v1/track", body.ljust(32_768)).status_code == 200
    assert collector.post("/v1/track", body.ljust(32_769)).json()["code"] == "message_too_large"


def test_what_is_wrong_with_one_message_is_not_the_requests_fault(collector: Collector):
    assert collector.post("/v1/batch", {"batch": [None, 5, {}, TRACK | {"type": "track"}]}).json() == TAKEN
    assert collector.post("/v1/track", {}).json() == TAKEN


def test_a_connection_goes_on_after_a_refused_body(collector: Collector):
    request = b"POST /v1/batch HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
    with collector.connection() as opened:
        opened.sendall(request % 600_000 + b" " * 600_000)
        assert b"body_too_large" in answer(opened)
        opened.sendall(request % 1 + b"{")
        assert b"invalid_json" in answer(opened)


# ── connections ──


def test_pipelined_requests_are_answered_in_order(collector: Collector):
    good, bad = json.dumps(TRACK | {"writeKey": KEY}).encode(), b"{"
    head = b"POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
    with collector.connection() as opened:
        opened.sendall(b"".join(head % len(body) + body for body in (good, bad, good, bad, good)))
        said = b""
        while said.count(b"HTTP/1.1") < 5 or not said.endswith(b"}"):
            said += opened.recv(65536)
    assert [part[:4] for part in said.split(b"HTTP/1.1 ")[1:]] == [b"200 ", b"400 ", b"200 ", b"400 ", b"200 "]


def test_expect_100_continue_is_answered(collector: Collector):
    body = json.dumps(TRACK | {"writeKey": KEY}).encode()
    with collector.connection() as opened:
        head = b"POST /v1/track HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n"
        opened.sendall(head % len(body))
        assert opened.recv(100).startswith(b"HTTP/1.1 100")
        opened.sendall(body)
        assert answer(opened).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("version", [b"HTTP/1.0\r\n", b"HTTP/1.1\r\nconnection: close\r\n"])
def test_a_connection_that_is_not_to_be_kept_is_closed_after_the_answer(collector: Collector, version: bytes):
    body = json.dumps(TRACK | {"writeKey": KEY}).encode()
    with collector.connection() as opened:
        opened.sendall(b"POST /v1/track " + version + b"host: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        assert answer(opened).startswith(b"HTTP/1.1 200")
        assert opened.recv(1) == b""


@pytest.mark.parametrize(
    "framing",
    [
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"content-length: 5\r\ncontent-length: 6\r\n",
        b"transfer-encoding: xchunked\r\n",
        b"content-length: x\r\n",
    ],
)
def test_ambiguous_framing_is_400_and_the_end(collector: Collector, framing: bytes):
    with collector.connection() as opened:
        opened.sendall(b"POST /v1/track HTTP/1.1\r\nhost: x\r\n" + framing + b"\r\n0\r\n\r\n")
        assert answer(opened).startswith(b"HTTP/1.1 400")
        assert opened.recv(1) == b""


def test_a_head_that_never_ends_is_431(collector: Collector):
    with collector.connection() as opened:
        opened.sendall(b"POST /v1/track HTTP/1.1\r\nhost: x\r\n" + b"x-filler: 1234567890\r\n" * 3000)
        assert answer(opened).startswith(b"HTTP/1.1 431")


@pytest.mark.slow
@pytest.mark.parametrize(
    "start", [b"POST /v1/tr", b"POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{"]
)
def test_a_request_that_trickles_is_408_and_others_do_not_notice(collector: Collector, start: bytes):
    with collector.connection() as opened:
        opened.sendall(start)
        started = time.monotonic()
        assert collector.post("/v1/track", TRACK).status_code == 200
        assert answer(opened).startswith(b"HTTP/1.1 408")
        assert 5 < time.monotonic() - started < 15


def test_a_client_that_leaves_half_way_costs_nothing(collector: Collector):
    before = len(collector.kept())
    for _ in range(20):
        with collector.connection() as opened:
            opened.sendall(b"POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{")

    assert collector.post("/v1/track", TRACK).status_code == 200
    assert len(collector.kept()) == before + 1


@pytest.mark.slow
def test_ten_thousand_idle_connections_leave_it_answering(tmp_path: Path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(10_000, (hard if hard != resource.RLIM_INFINITY else 1 << 20) - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    idle = []
    try:
        with running(tmp_path) as collector:
            idle = [collector.connection() for _ in range(wanted)]
            waits = []
            for _ in range(50):
                started = time.monotonic()
                assert collector.post("/v1/track", TRACK).status_code == 200
                waits.append(time.monotonic() - started)
            assert sorted(waits)[25] < 0.1
    finally:
        for opened in idle:
            opened.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ── time, clients, signs of life ──


def test_received_at_is_by_heards_clock(collector: Collector):
    board = collector.board
    board.clock_offset_us = 86_400_000_000
    try:
        collector.post("/v1/track", TRACK)
    finally:
        board.clock_offset_us = 0

    ahead = collector.kept()[-1].received_at - time.time_ns() // 1000
    assert 86_390_000_000 < ahead <= 86_400_000_000


def test_a_forwarded_address_is_only_a_claim(collector: Collector):
    collector.post("/v1/track", TRACK, headers={"x-forwarded-for": "198.51.100.7"})

    assert collector.kept()[-1].client == "127.0.0.1"


def test_a_trusted_proxy_is_believed_as_far_as_it_goes(tmp_path: Path):
    with running(tmp_path, "--trusted-proxies", "127.0.0.0/8,10.0.0.0/8") as collector:
        collector.post("/v1/track", TRACK, headers={"x-forwarded-for": "1.1.1.1, 198.51.100.7, 10.1.2.3"})

        assert collector.kept()[-1].client == "198.51.100.7"


def test_it_is_healthy_and_says_what_readiness_lacks(collector: Collector):
    assert collector.http.get("/health").json() == {"status": "ok"}
    said = collector.http.get("/ready")
    assert (said.status_code, said.json()) == (503, {"ready": False, "missing": ["heart"]})


def test_it_counts_what_it_answers(collector: Collector):
    collector.post("/v1/track", TRACK)

    text = collector.http.get("/metrics").text

    assert 'heard_collector_requests_total{status="200"}' in text
    assert "heard_log_durable_offset" in text


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_without_the_heart_pages_are_kindly_503(collector: Collector, accept: str):
    said = collector.http.get("/anything", headers={"accept": accept})

    assert said.status_code == 503
    assert int(said.headers["retry-after"]) > 0
    assert said.headers["content-type"].startswith(accept)


# ── the process ──


def test_sigterm_ends_it_well_while_connections_are_open(tmp_path: Path):
    with running(tmp_path) as collector:
        collector.post("/v1/track", TRACK)
        with collector.connection():
            started = time.monotonic()
            assert collector.stop() == 0
            assert time.monotonic() - started < 5


def test_a_request_in_flight_is_finished_before_the_end(tmp_path: Path):
    body = json.dumps(TRACK | {"writeKey": KEY}).encode()
    with running(tmp_path) as collector, collector.connection() as opened:
        opened.sendall(b"POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body[:5])
        assert collector.post("/v1/track", TRACK).status_code == 200  # so the half request has been read too
        os.kill(collector.process.pid, 15)
        opened.sendall(body[5:])
        assert answer(opened)[:12] in (b"HTTP/1.1 200", b"HTTP/1.1 503")
        assert collector.process.wait(timeout=10) == 0


def test_it_ends_when_its_supervisor_does(tmp_path: Path):
    ours, theirs = os.pipe()
    collector = Collector.__new__(Collector)
    collector.data, collector.options = tmp_path, ("--parent-fd", str(ours))
    collector.let_in({KEY: SOURCE})
    collector.start(pass_fds=(ours,))
    try:
        os.close(theirs)
        assert collector.process.wait(timeout=10) == 0
    finally:
        os.close(ours)
        collector.kill()


def test_a_second_collector_on_the_same_data_is_refused(tmp_path: Path):
    with running(tmp_path), pytest.raises(AssertionError, match="Another collector"):
        Collector(tmp_path)


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path):
    with running(tmp_path) as collector:
        for number in range(50):
            assert collector.post("/v1/track", TRACK | {"messageId": f"m{number}"}).status_code == 200
        collector.kill()
        collector.start()

        assert [json.loads(each.body)["messageId"] for each in collector.kept()] == [
            f"m{number}" for number in range(50)
        ]
        assert collector.post("/v1/track", TRACK).status_code == 200


def test_it_answers_soon_after_it_is_started(tmp_path: Path):
    with running(tmp_path) as collector:
        collector.kill()
        started = time.monotonic()
        collector.start()
        assert eventually(lambda: collector.http.get("/health").status_code == 200)
        assert time.monotonic() - started < 3
