"""What is not the collector's goes to the heart and back: here a small ASGI application listens on `web.sock`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flow.running_collector import PATIENCE, Collector, answer, eventually, running

HEART = """
import asyncio, json, sys
import uvicorn
from heard.sockets import short_path

async def app(scope, receive, send):
    body, more = b"", True
    path = scope["path"]
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    status, headers = 200, [(b"content-type", b"application/json")]
    if path == "/ready":
        told = {"ready": True}
    elif path == "/metrics":
        told = None
        body = b"heart_beats_total 7\\n"
    elif path == "/empty":
        status, told, body = 204, None, b""
    elif path == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(5):
            await send({"type": "http.response.body", "body": b"%d" % number * 50_000, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    elif path == "/breaks":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("on purpose")
    else:
        headers.append((b"x-one", b"1"))
        headers.append((b"set-cookie", b"a=1"))
        headers.append((b"set-cookie", b"b=2"))
        told = {
            "method": scope["method"], "path": path, "query": scope["query_string"].decode(), "size": len(body),
            "headers": [[n.decode(), v.decode("latin-1")] for n, v in scope["headers"]],
        }
    if told is not None:
        body = json.dumps(told).encode()
    if status != 204:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

with short_path(sys.argv[1]) as path:
    uvicorn.run(app, uds=path, log_level="critical", lifespan="off")
"""


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    data = tmp_path_factory.mktemp("data") / ("a-folder-with-a-long-name-" * 5)
    assert len(str(data / "web.sock")) > 107
    with running(data, "--base-path", "/heard") as collector:
        heart = subprocess.Popen([sys.executable, "-c", HEART, str(data / "web.sock")])
        try:
            eventually(lambda: collector.http.get("/ready").status_code == 200)
            yield collector
        finally:
            heart.kill()
            heart.wait(timeout=PATIENCE)


def seen(collector: Collector, path: str = "/api/x", **more: Any) -> dict[str, Any]:
    said = collector.http.request(more.pop("method", "GET"), path, **more)
    assert said.status_code == 200, said.text
    return said.json() | {"names": dict(said.json()["headers"])}


def test_method_path_query_and_status_arrive_as_sent(collector: Collector):
    got = seen(collector, "/s/to%20ken?score=9&x=%2F", method="PUT")

    assert (got["method"], got["path"], got["query"]) == ("PUT", "/s/to ken", "score=9&x=%2F")


def test_the_base_path_is_taken_off(collector: Collector):
    assert seen(collector, "/heard/api/x")["path"] == "/api/x"


def test_every_header_of_the_answer_comes_back(collector: Collector):
    said = collector.http.get("/")

    assert said.headers["x-one"] == "1"
    assert said.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_a_large_body_goes_through(collector: Collector):
    assert seen(collector, method="POST", content=b"x" * 3_000_000)["size"] == 3_000_000


def test_a_body_in_chunks_goes_through(collector: Collector):
    def chunks() -> Iterator[bytes]:
        yield from (b"x" * 1000 for _ in range(100))

    assert seen(collector, method="POST", content=chunks())["size"] == 100_000


def test_an_answer_in_parts_comes_back_whole(collector: Collector):
    assert collector.http.get("/stream").content == b"".join(b"%d" % number * 50_000 for number in range(5))


def test_an_answer_without_a_body(collector: Collector):
    assert collector.http.get("/empty").status_code == 204


def test_head_has_the_length_and_no_body(collector: Collector):
    said = collector.http.head("/")

    assert int(said.headers["content-length"]) > 0
    assert said.content == b""
    assert collector.http.get("/").status_code == 200


def test_an_answer_that_breaks_off_is_not_passed_for_a_whole_one(collector: Collector):
    with collector.connection() as opened:
        opened.sendall(b"GET /breaks HTTP/1.1\r\nhost: x\r\n\r\n")
        said = answer(opened)
    assert b"content-length: 100" in said
    assert len(said.partition(b"\r\n\r\n")[2]) < 100


def test_the_clients_address_is_ours_to_say(collector: Collector):
    names = seen(collector, headers={"x-heard-client": "6.6.6.6", "x-forwarded-for": "6.6.6.6"})["names"]

    assert names["x-heard-client"] == "127.0.0.1"
    assert "x-forwarded-for" not in names


def test_hop_by_hop_headers_stay_here(collector: Collector):
    got = collector.raw(
        b"GET /api/x HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, x-secret\r\nx-secret: 1\r\nte: trailers\r\n"
        b"proxy-authorization: Basic eA==\r\nx-kept: 1\r\n\r\n"
    )

    assert b"x-kept" in got
    assert not any(name in got for name in (b"x-secret", b"trailers", b"proxy-authorization"))


def test_ready_is_what_the_heart_says(collector: Collector):
    assert collector.http.get("/ready").json() == {"ready": True}


def test_metrics_are_the_hearts_and_the_collectors(collector: Collector):
    text = collector.http.get("/metrics").text

    assert text.startswith("heart_beats_total 7\n")
    assert "heard_log_durable_offset" in text


def test_messages_do_not_go_to_the_heart(collector: Collector):
    assert collector.post("/v1/track", {"userId": "u", "event": "x"}).json() == {"success": True}
