"""What pages load before their first message, from a collector that has no heart."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from heard.routing.browser import settings_of
from heard.routing.destination import Destination
from heard.sources.source import Source
from scripts.vendor import LIBRARY
from tests.flow.running_collector import KEY, SOURCE, Collector, running

WEBSITE = Source(id=SOURCE, workspace=1, name="Website", write_key=KEY)
BASE_URL = "https://www.acme.example/feedback"
SETTINGS = settings_of(WEBSITE, [Destination(id=1, workspace=1, name="Heard", type="surveys")], base_url=BASE_URL)
LIBRARIES = ("analytics.min.js", "platform/analytics.min.js", "analytics.classic.js", "analytics.js")
PARTS = sorted(path.name for path in LIBRARY.glob("*.bundle.*.js"))
KNOWN_BY_ITS_PATTERN = ("https://cdn.segment.(com|build)", "https://segment.com/docs/", '"cdn.segment"')
"""Where the library speaks of Segment's hosts without turning to one."""


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with running(tmp_path_factory.mktemp("data"), "--base-path", "/feedback") as collector:
        collector.publish("browser.json", {KEY: SETTINGS, 'wk"\\odd é': SETTINGS})
        yield collector


def library(collector: Collector, **headers: str) -> httpx.Response:
    return collector.http.get(f"/analytics.js/v1/{KEY}/analytics.min.js", headers=headers)


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("under", ["", "/feedback"])
def test_the_library_is_served_at_every_address_that_a_snippet_knows(collector: Collector, under: str, name: str):
    said = collector.http.get(f"{under}/analytics.js/v1/{KEY}/{name}?cache=1")

    assert (said.status_code, said.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert said.headers["access-control-allow-origin"] == "*"
    assert said.headers["cache-control"] == "public, max-age=300"
    assert f'analyticsWriteKey="{KEY}"' in said.text


def test_the_library_turns_to_nobody_but_us(collector: Collector):
    text = library(collector).text

    assert f'"{BASE_URL}/analytics-next/bundles/"' in text
    assert '"www.acme.example/feedback/v1"' in text
    for known in KNOWN_BY_ITS_PATTERN:
        assert known in text
        text = text.replace(known, "")
    assert re.findall(r"[\w./:-]*(?:segment\.(?:com|io)|cloudflare)[\w./:-]*", text) == []


def test_all_but_the_names_of_hosts_and_the_key_is_as_published(collector: Collector):
    ours = re.split(
        r"https://www\.acme\.example/feedback|www\.acme\.example/feedback/v1|" + KEY, library(collector).text
    )
    published = (LIBRARY / "standalone.js").read_text(encoding="utf-8")

    assert len(ours) == 7
    for part in ours:
        assert part.removeprefix("/analytics-next/bundles/polyfill.min.js") in published


def test_a_key_with_odd_characters_stays_within_its_quotes(collector: Collector):
    said = collector.http.get("/analytics.js/v1/wk%22%5Codd%20%C3%A9/analytics.min.js")

    assert 'analyticsWriteKey="wk\\"\\\\odd é"' in said.text


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_served_as_published_and_for_good(collector: Collector, name: str):
    said = collector.http.get(f"/feedback/analytics-next/bundles/{name}")

    assert said.content == (LIBRARY / name).read_bytes()
    assert said.headers["content-type"] == "text/javascript; charset=utf-8"
    assert said.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_settings_are_what_the_heart_has_published(collector: Collector):
    said = collector.http.get(f"/v1/projects/{KEY}/settings")

    assert said.json() == SETTINGS
    assert said.headers["content-type"] == "application/json"
    assert said.headers["cache-control"] == "public, max-age=60"
    assert said.headers["access-control-allow-origin"] == "*"
    assert collector.http.get(f"/feedback/v1/projects/{KEY}/settings/").json() == SETTINGS


def test_what_changed_is_served_in_the_next_request(tmp_path: Path):
    with running(tmp_path) as collector:
        assert library(collector).status_code == 404
        collector.publish("browser.json", {KEY: SETTINGS})
        before = library(collector)
        assert before.status_code == 200
        elsewhere = settings_of(WEBSITE, [], base_url="https://elsewhere.example")
        collector.publish("browser.json", {KEY: elsewhere})

        assert collector.http.get(f"/v1/projects/{KEY}/settings").json() == elsewhere
        assert '"elsewhere.example/v1"' in library(collector).text
        assert library(collector).headers["etag"] != before.headers["etag"]

        (tmp_path / "browser.json").write_text('{"half')
        collector.board.keys_generation += 1
        assert library(collector).status_code == 200


@pytest.mark.parametrize("key", ["wk_gone", "*", f"{KEY}x"])
def test_settings_of_an_unknown_key_are_404_as_json(collector: Collector, key: str):
    said = collector.http.get(f"/v1/projects/{key}/settings")

    assert (said.status_code, said.json()["code"]) == (404, "invalid_write_key")
    assert said.headers["access-control-allow-origin"] == "*"


def test_the_library_of_an_unknown_key_is_404_as_a_script_that_says_so(collector: Collector):
    said = collector.http.get("/analytics.js/v1/wk_gone/analytics.min.js")

    assert (said.status_code, said.headers["content-type"]) == (404, "text/javascript; charset=utf-8")
    assert said.text.startswith("/* No source has the write key in this address.")


@pytest.mark.parametrize(
    "path",
    [
        "/analytics-next/bundles/standalone.js",
        "/analytics-next/bundles/LICENSE",
        "/analytics-next/bundles/../browser.py",
        "/analytics-next/bundles/%2e%2e%2fbrowser.py",
        f"/analytics.js/v1/{KEY}/other.js",
        "/analytics.js/v1/analytics.min.js",
        f"/v1/projects/{KEY}",
    ],
)
def test_what_is_not_there_is_404_as_json(collector: Collector, path: str):
    said = collector.raw(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())

    assert said.startswith(b"HTTP/1.1 404")
    assert b'"code":"not_found"' in said


def test_a_browser_that_takes_gzip_gets_it(collector: Collector):
    zipped, plain = library(collector), library(collector, **{"accept-encoding": "identity, gzip;q=0"})

    assert (zipped.headers["content-encoding"], zipped.headers["vary"]) == ("gzip", "accept-encoding")
    assert "content-encoding" not in plain.headers
    assert zipped.content == plain.content
    assert int(zipped.headers["content-length"]) < 33_000
    raw = collector.raw(
        f"GET /analytics.js/v1/{KEY}/analytics.min.js HTTP/1.1\r\nhost: x\r\naccept-encoding: br, gzip\r\n\r\n".encode()
    )
    assert gzip.decompress(raw.partition(b"\r\n\r\n")[2]) == plain.content


@pytest.mark.parametrize("given", ["{}", 'W/"other", {}', "*"])
@pytest.mark.parametrize("path", [f"/analytics.js/v1/{KEY}/analytics.min.js", f"/v1/projects/{KEY}/settings"])
def test_what_a_browser_has_is_not_sent_again(collector: Collector, path: str, given: str):
    tag = collector.http.get(path).headers["etag"]
    said = collector.http.get(path, headers={"if-none-match": given.replace("{}", tag)})

    assert (said.status_code, said.content, said.headers["etag"]) == (304, b"", tag)
    assert collector.http.get(path, headers={"if-none-match": '"another"'}).status_code == 200


def test_head_says_the_length_and_sends_nothing(collector: Collector):
    said = collector.http.head(f"/analytics.js/v1/{KEY}/analytics.min.js")

    assert said.status_code == 200
    assert int(said.headers["content-length"]) > 30_000
    assert collector.http.get("/health").status_code == 200  # on the same connection


@pytest.mark.parametrize(
    "path",
    [f"/analytics.js/v1/{KEY}/analytics.min.js", f"/v1/projects/{KEY}/settings", f"/analytics-next/bundles/{PARTS[0]}"],
)
def test_a_preflight_is_answered_and_other_methods_are_405(collector: Collector, path: str):
    asked = {"origin": "https://shop.example", "access-control-request-method": "GET"}
    preflight = collector.http.options(path, headers=asked)

    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
    assert "GET" in preflight.headers["access-control-allow-methods"]
    assert collector.http.post(path, content=b"{}").status_code == 405
