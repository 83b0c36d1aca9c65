"""Messages from an image, over real HTTP: what a mail client asks for, and the dot it always gets."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from heard.messages import Message, parse
from tests.architecture.tree import ROOT
from tests.flow.running_collector import KEY, SOURCE, Collector, running

OPENED = {"userId": "marshall", "event": "Mail Opened", "writeKey": KEY, "properties": {"issue": 3}}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with running(tmp_path_factory.mktemp("data"), "--base-path", "/heard") as collector:
        yield collector


def packed(message: Any) -> str:
    return base64.b64encode(json.dumps(message).encode()).decode()


def newest(collector: Collector) -> Message:
    (only,) = parse.read(collector.kept()[-1], offset=0)
    assert isinstance(only, Message), only
    return only


def is_the_dot(said: httpx.Response) -> bool:
    return (
        said.status_code == 200
        and said.headers["content-type"] == "image/gif"
        and said.headers["cache-control"] == "no-store"
        and said.content.startswith(b"GIF89a\x01\x00\x01\x00")
    )


def counted(collector: Collector) -> dict[str, int]:
    text = collector.http.get("/metrics").text
    return {
        status: int(count)
        for status, count in re.findall(r'^heard_collector_pixels_total{status="(\d+)"} (\d+)$', text, re.MULTILINE)
    }


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("kind", ["identify", "group", "alias", "page", "screen", "track"])
def test_line_12_every_pixel_takes_a_message_and_answers_with_the_dot(collector: Collector, kind: str, slash: str):
    said = collector.http.get(f"/v1/pixel/{kind}{slash}", params={"data": packed(OPENED)})

    kept = collector.kept()[-1]
    assert is_the_dot(said)
    assert (kept.kind, kept.source, json.loads(kept.body)) == (kind, SOURCE, OPENED)


def test_a_pixel_may_stand_under_the_base_path(collector: Collector):
    before = len(collector.kept())

    assert is_the_dot(collector.http.get("/heard/v1/pixel/track", params={"data": packed(OPENED)}))
    assert len(collector.kept()) == before + 1


@pytest.mark.parametrize("form", ["plain", "url-safe", "without padding", "plus signs left as they are"])
def test_every_form_of_base64_is_read(collector: Collector, form: str):
    message = OPENED | {"event": "Ünïcödé ??>>~~ ÿÿ"}
    raw = json.dumps(message, ensure_ascii=False).encode()
    text = (base64.urlsafe_b64encode(raw) if form == "url-safe" else base64.b64encode(raw)).decode()
    assert ("_" in text or "-" in text) == (form == "url-safe")
    if form == "without padding":
        text = text.rstrip("=")
    query = f"data={text}" if form == "plus signs left as they are" else str(httpx.QueryParams(data=text))

    assert is_the_dot(collector.http.get(f"/v1/pixel/track?{query}"))
    assert newest(collector).event == message["event"]


def test_a_plain_query_nests_dotted_names_and_its_values_are_text(collector: Collector):
    query = f"userId=ann%40example.com&event=Mail+Opened&properties.a.b=1&properties.c=true&writeKey={KEY}"

    assert is_the_dot(collector.http.get(f"/v1/pixel/track?{query}"))

    got = newest(collector)
    assert (got.user_id, got.event) == ("ann@example.com", "Mail Opened")
    assert json.loads(got.properties) == {"a": {"b": "1"}, "c": "true"}


def test_the_key_may_stand_beside_the_data_and_wins_over_the_one_inside(collector: Collector):
    before = len(collector.kept())
    inside = packed(OPENED | {"writeKey": "wk_unknown"})

    assert is_the_dot(collector.http.get(f"/v1/pixel/track?writeKey={KEY}&data={inside}"))
    assert len(collector.kept()) == before + 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", "401"),
        ("data=%%%", "400"),
        ("data=" + base64.b64encode(b"[1]").decode(), "400"),
        ("data=" + packed({"userId": "nobody's"}), "401"),
        ("userId=x&event=y&writeKey=wk_unknown", "401"),
        (f"writeKey={KEY}&userId=x&{'a.' * 2000}b=1", "400"),
        (f"writeKey={KEY}&userId=x&event=y&properties.long={'x' * 33_000}", "400"),
    ],
)
def test_whatever_is_wrong_the_answer_is_the_dot_and_the_fault_is_counted(
    collector: Collector, query: str, status: str
):
    kept, before = len(collector.kept()), counted(collector)

    assert is_the_dot(collector.http.get(f"/v1/pixel/track?{query}"))

    assert len(collector.kept()) == kept
    assert counted(collector) == before | {status: before.get(status, 0) + 1}


def test_a_head_gets_the_dots_headers_and_records_nothing(collector: Collector):
    before = len(collector.kept())

    said = collector.http.head("/v1/pixel/track", params={"data": packed(OPENED)})

    assert (said.status_code, said.headers["content-type"], said.content) == (200, "image/gif", b"")
    assert len(collector.kept()) == before


NO_KIND = ["/nope", "/nope/", "/", "", "/track/x", "//track", "/Track", "/heard.gif"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", NO_KIND)
def test_line_12_an_address_that_names_no_kind_gives_the_dot_is_counted_and_kept_nowhere(
    collector: Collector, path: str, method: str
):
    kept, before = len(collector.kept()), counted(collector)

    said = collector.http.request(method, f"/v1/pixel{path}", params={"data": packed(OPENED)})

    assert is_the_dot(said) if method == "GET" else (said.status_code, said.content) == (200, b"")
    assert said.headers["content-type"] == "image/gif"
    assert len(collector.kept()) == kept
    assert counted(collector) == before | {"404": before.get("404", 0) + 1}


@pytest.mark.parametrize("path", ["/track", *NO_KIND])
def test_a_pixel_is_only_read_and_its_preflight_says_so(collector: Collector, path: str):
    said = collector.http.post(f"/v1/pixel{path}", json=OPENED)
    assert (said.status_code, said.json()["success"], said.headers["allow"]) == (405, False, "GET, HEAD, OPTIONS")

    said = collector.http.options(f"/v1/pixel{path}", headers={"origin": "https://shop.example"})
    assert (said.status_code, said.headers["access-control-allow-methods"]) == (204, "GET, HEAD, OPTIONS")
    assert said.headers["access-control-allow-origin"] == "*"


def test_what_only_begins_like_a_pixel_is_no_path(collector: Collector):
    said = collector.http.get("/v1/pixels")

    assert (said.status_code, said.json()["success"]) == (404, False)


def test_the_dot_comes_after_the_message_is_on_the_disk(tmp_path: Path):
    with running(tmp_path) as collector:
        for number in range(20):
            message = OPENED | {"messageId": f"m{number}"}
            assert is_the_dot(collector.http.get("/v1/pixel/track", params={"data": packed(message)}))
        collector.kill()

        assert [json.loads(each.body)["messageId"] for each in collector.kept()] == [f"m{n}" for n in range(20)]


def test_while_the_disk_takes_nothing_the_dot_is_shown_and_the_loss_is_counted(tmp_path: Path):
    with running(tmp_path) as collector:
        with collector.no_room():
            assert collector.post("/v1/track", OPENED).status_code == 503
            assert is_the_dot(collector.http.get("/v1/pixel/track", params={"data": packed(OPENED)}))

        assert counted(collector) == {"503": 1}


def test_the_pixel_on_the_reference_page_works_as_it_stands(collector: Collector):
    page = (ROOT / "docs/reference/protocol.md").read_text(encoding="utf-8")
    addresses = re.findall(r"/v1/pixel/track(\?data=[^\"]+)", page) + re.findall(r"`(\?writeKey=[^`]+)`", page)
    collector.let_in({KEY: SOURCE, "wk_acme": 9})

    for query in addresses:
        assert is_the_dot(collector.http.get(f"/v1/pixel/track{query}"))

    assert len(addresses) == 2
    assert [(each.source, json.loads(each.body)["event"]) for each in collector.kept()[-2:]] == [(9, "Mail Opened")] * 2
