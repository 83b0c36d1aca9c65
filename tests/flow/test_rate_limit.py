"""A source that sends too fast is told when to send again, and Segment's own libraries lose nothing by it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from segment.analytics.client import Client

from tests.flow.running import RunningHeard
from tests.flow.running_collector import KEY, SOURCE, Collector, eventually, running

TRACK = {"event": "Order Completed", "userId": "marshall"}
FLOW = Path(__file__).parent
SENT = 8
NODE = """
import {{ Analytics }} from '@segment/analytics-node'
const analytics = new Analytics({{ writeKey: '{key}', host: '{host}', maxEventsInBatch: 1, flushInterval: 50 }})
analytics.on('error', each => {{ console.error(each); process.exitCode = 1 }})
for (let n = 0; n < {sent}; n++) analytics.track({{ userId: 'dan', event: 'Seen', properties: {{ n }} }})
await analytics.closeAndFlush({{ timeout: 60000 }})
"""


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    with running(tmp_path, "--rate-limit", "2") as collector:
        yield collector


@pytest.mark.parametrize("way", ["short", "long"])
def test_line_13_over_the_limit_is_429_and_says_in_whole_seconds_when_to_come_again(collector: Collector, way: str):
    path = "/v1/track" if way == "short" else "/v1/track?a-query-string-takes-the-way-through=asgi"

    said = first_refused(collector, path)

    assert set(said.json()) == {"success", "code", "message", "error"}
    assert said.json()["code"] == "rate_limited"
    assert said.headers["retry-after"] == said.headers["x-ratelimit-reset"] == "1"
    exposed = {name.strip().lower() for name in said.headers["access-control-expose-headers"].split(",")}
    assert exposed == {"retry-after", "x-ratelimit-reset"}
    assert said.headers["access-control-allow-origin"] == "*"


def test_line_13_after_the_wait_it_is_taken(collector: Collector):
    said = first_refused(collector, "/v1/track")

    time.sleep(int(said.headers["retry-after"]))

    assert collector.post("/v1/track", TRACK).status_code == 200


def test_a_refused_request_is_not_on_the_log(collector: Collector):
    answers = [collector.post("/v1/track", TRACK).status_code for _ in range(8)]

    assert 429 in answers
    assert len(collector.kept()) == answers.count(200)


def test_each_source_has_a_limit_of_its_own(collector: Collector):
    collector.let_in({KEY: SOURCE, "wk_other": 8})
    first_refused(collector, "/v1/track")

    assert collector.post("/v1/track", TRACK, key="wk_other").status_code == 200


def test_a_503_tells_browsers_when_to_come_again_too(collector: Collector):
    with collector.no_room():
        said = collector.post("/v1/track", TRACK)

    assert said.status_code == 503
    assert "Retry-After" in said.headers["access-control-expose-headers"]


def test_without_the_setting_there_is_no_limit(tmp_path: Path):
    with running(tmp_path) as collector:
        assert {collector.post("/v1/track", TRACK).status_code for _ in range(100)} == {200}


# ── what Segment's libraries make of it (fault 27, line 13) ──


def test_line_13_fault_27_the_python_library_resumes_and_loses_nothing(collector: Collector):
    errors: list[object] = []
    client = Client(
        KEY, host=collector.url, upload_size=1, upload_interval=0.01, on_error=lambda *problem: errors.append(problem)
    )
    for number in range(SENT):
        client.track("bob", "Seen", {"n": number})
    client.flush()
    eventually(lambda: len(numbers(collector)) >= SENT, 60)
    client.join()

    assert errors == []
    assert sorted(numbers(collector)) == list(range(SENT))  # it puts what was refused behind what still waits
    assert refused(collector) > 0


@pytest.mark.needs_node
def test_line_13_fault_27_the_node_library_resumes_and_loses_nothing(collector: Collector, node: Path):
    script = NODE.format(key=KEY, host=collector.url, sent=SENT)
    command = [str(node), "--input-type=module", "--eval", script]
    done = subprocess.run(command, cwd=FLOW, capture_output=True, text=True, timeout=90, check=False)

    assert done.returncode == 0, done.stderr
    assert sorted(numbers(collector)) == list(range(SENT))
    assert refused(collector) > 0


def test_the_setting_reaches_the_collector(tmp_path: Path):
    with RunningHeard(tmp_path / "data", environment={"HEARD_RATE_LIMIT": "1"}) as heard:
        answers = [httpx.post(f"{heard.url}/v1/track", json=TRACK, auth=("wk_acme_website", "")) for _ in range(6)]

    assert [each.status_code for each in answers].count(429) >= 3


def first_refused(collector: Collector, path: str) -> httpx.Response:
    answers = (collector.post(path, TRACK) for _ in range(20))
    return next(said for said in answers if said.status_code == 429)


def numbers(collector: Collector) -> list[int]:
    """What was sent, in the order in which it came in."""
    batches = [json.loads(each.body)["batch"] for each in collector.kept()]
    return [message["properties"]["n"] for batch in batches for message in batch]


def refused(collector: Collector) -> int:
    text = collector.http.get("/metrics").text
    line = next((line for line in text.splitlines() if 'requests_total{status="429"}' in line), " 0")
    return int(line.split()[-1])
