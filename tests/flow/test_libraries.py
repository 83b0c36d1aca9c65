"""Segment's own libraries against a running Heard: whatever they are given arrives as it was given.

And nothing else does: each program runs twice, against Heard and against a server that only listens. What a webhook
behind Heard receives is compared with what was sent, whole, ids and times aside.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, absent
from tests.contracts.receiver import Receiver
from tests.flow.running import ACME, RunningHeard, eventually

FLOW = Path(__file__).parent
OLD_PYTHON = ROOT / ".cache/old-python"
KEY = "wk_acme_website"
KINDS = ("identify", "track", "page", "screen", "group", "alias")
GIVEN: dict[str, Any] = {
    "email": "björn@ålesund.example",
    "first name": "Björn 🦊 \u2028 \"quoted\" \\ 'single'",
    "middle name": None,
    "address": {"city": "Ålesund", "geo": {"lat": 62.47, "lon": 6.15, "tags": ["øst", None, {"a b": True}]}},
    "orders": [{"order id": "o-1", "total": 49.9}, {"order id": "o-2", "total": 0}],
    "logins": 9_007_199_254_740_991,
    "": "a key without a name",
    "active": False,
    "empty": {},
}
MORE: dict[str, Any] = {
    "context": {"ip": "203.0.113.7", "page": {"a title": "Ålesund"}, "nothing": None},
    "integrations": {"All": True, "Unknown Product": {"an option": [1, None]}, "Another One": False},
}
IDS_AND_TIMES = frozenset({"messageId", "timestamp", "originalTimestamp", "receivedAt", "sentAt"})
PYTHON = """
import json, sys
import segment.analytics as analytics
user, given, more = sys.argv[3], json.loads(sys.argv[4]), json.loads(sys.argv[5])
both = {"anonymous_id": "unknown " + user, "context": more["context"], "integrations": more["integrations"]}
analytics.write_key, analytics.host, analytics.gzip = sys.argv[1], sys.argv[2], True
analytics.on_error = lambda problem, batch: print(problem)
analytics.identify(user, given, **both)
analytics.track(user, "Order Completed", given, **both)
analytics.page(user, "Docs", "Start here", given, **both)
analytics.screen(user, "App", "Welcome", given, **both)
analytics.group(user, "acme", given, **both)
analytics.alias("before " + user, user, context=more["context"], integrations=more["integrations"])
analytics.flush()
analytics.shutdown()
"""
NODE = """
import { Analytics } from '@segment/analytics-node'
const [writeKey, host, userId, text, said] = process.argv.slice(1)
const given = JSON.parse(text), more = JSON.parse(said)
const both = { userId, anonymousId: 'unknown ' + userId, ...more }
const analytics = new Analytics({ writeKey, host })
analytics.on('error', (problem) => console.log(problem))
analytics.identify({ ...both, traits: given })
analytics.track({ ...both, event: 'Order Completed', properties: given })
analytics.page({ ...both, category: 'Docs', name: 'Start here', properties: given })
analytics.screen({ ...both, category: 'App', name: 'Welcome', properties: given })
analytics.group({ ...both, groupId: 'acme', traits: given })
analytics.alias({ userId, previousId: 'before ' + userId, ...more })
await analytics.closeAndFlush()
"""


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    """A webhook behind Heard."""
    with Receiver() as listening:
        yield listening


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, hook: Receiver) -> Iterator[RunningHeard]:
    data = tmp_path_factory.mktemp("libraries") / "data"
    to_hook = f"\ndestinations:\n  - {{name: Hook, type: webhook, settings: {{url: {hook.url}/in}}}}\n"
    with RunningHeard(
        data, environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"}, workspace=ACME + to_hook, test_clock=False
    ) as running:
        yield running


@pytest.fixture
def sink() -> Iterator[Receiver]:
    """Where Segment stood, and nothing behind it."""
    with Receiver() as listening:
        yield listening


def ran(command: list[str], host: str, user: str, **more: Any) -> None:
    """Run a program that sends one message of each kind; it complains on stdout."""
    told = [KEY, host, user, json.dumps(GIVEN), json.dumps(MORE)]
    done = subprocess.run([*command, *told], capture_output=True, text=True, timeout=60, check=False, **more)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def arrived(heard: RunningHeard, user: str) -> dict[str, Any]:
    """What came of a user by kind, once it is all there."""

    def seen() -> dict[str, Any]:
        found = {each["type"]: each for each in heard.get("messages", user_id=user)["data"]}
        return found if set(found) == set(KINDS) else {}

    return eventually(seen, what=f"six messages of {user}")


def arrived_as_given(heard: RunningHeard, user: str) -> dict[str, Any]:
    """Compare every message with what was given; returns the context of the track."""
    found = arrived(heard, user)
    messages = {kind: each["message"] for kind, each in found.items()}

    assert messages["identify"]["traits"] == GIVEN
    assert messages["track"]["event"] == "Order Completed"
    assert messages["track"]["properties"] == GIVEN
    assert (messages["page"]["name"], messages["page"]["category"]) == ("Start here", "Docs")
    assert GIVEN.items() <= messages["page"]["properties"].items()  # some libraries put the name there too
    assert (messages["group"]["groupId"], messages["group"]["traits"]) == ("acme", GIVEN)
    assert (messages["alias"]["previousId"], messages["alias"]["userId"]) == (f"before {user}", user)
    assert {each["verdict"] for each in found.values()} == {"accepted"}
    assert heard.get(f"contacts/{user}")["traits"] == GIVEN
    return messages["track"].get("context", {})


def sent(sink: Receiver) -> dict[str, Any]:
    """What a program posted, by kind, with the batch's own words left out: they are about the request."""
    found: dict[str, Any] = {}
    for each in sink.received:
        body = gzip.decompress(each.body) if each.headers.get("content-encoding") == "gzip" else each.body
        said = json.loads(body)
        for message in said.get("batch", [said]):
            found[message.get("type") or each.path.rpartition("/")[2]] = message
    assert set(found) == set(KINDS)
    return found


def received(hook: Receiver, user: str) -> dict[str, Any]:
    """What the webhook got of a user, by kind, once it is all there."""

    def seen() -> dict[str, Any]:
        found = {each["type"]: each for each in map(json.loads, list(hook.bodies)) if each["userId"] == user}
        return found if set(found) == set(KINDS) else {}

    return eventually(seen, what=f"six messages of {user} at the webhook")


def arrives_as_sent(hook: Receiver, user: str, sink: Receiver) -> None:
    """Whole documents, ids and times aside. Where the path said what a message is, its `type` is written into it."""
    before, after = sent(sink), received(hook, user)
    for kind in KINDS:
        assert without(after[kind]) == {"type": kind} | without(before[kind]), kind


def without(message: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key not in IDS_AND_TIMES}


def test_python(heard: RunningHeard, hook: Receiver, sink: Receiver):
    for host in (heard.url, sink.url):
        ran([sys.executable, "-c", PYTHON], host, "python")

    arrives_as_sent(hook, "python", sink)
    assert arrived_as_given(heard, "python")["library"]["name"] == "analytics-python"


def test_an_older_python_client(heard: RunningHeard, hook: Receiver, sink: Receiver):
    if not OLD_PYTHON.exists():
        absent("the older Segment client is not installed: `make test` installs it")
    for host in (heard.url, sink.url):
        ran([sys.executable, "-c", PYTHON], host, "python-2.2", env=os.environ | {"PYTHONPATH": str(OLD_PYTHON)})

    arrives_as_sent(hook, "python-2.2", sink)
    assert arrived_as_given(heard, "python-2.2")["library"] == {"name": "analytics-python", "version": "2.2.3"}


def test_node(heard: RunningHeard, hook: Receiver, sink: Receiver, node: Path):
    for host in (heard.url, sink.url):
        ran([str(node), "--input-type=module", "--eval", NODE], host, "node", cwd=FLOW)

    arrives_as_sent(hook, "node", sink)
    assert arrived_as_given(heard, "node")["library"] == {"name": "@segment/analytics-node", "version": "3.1.0"}


def test_curl(heard: RunningHeard, hook: Receiver, sink: Receiver):
    for kind in KINDS:
        assert json.loads(curled(heard.url, kind)) == {"success": True}
        curled(sink.url, kind)

    arrives_as_sent(hook, "curl", sink)
    arrived_as_given(heard, "curl")


def curled(host: str, kind: str) -> str:
    body, url = json.dumps(said("curl")[kind], ensure_ascii=False), f"{host}/v1/{kind}"
    if not shutil.which("curl"):
        return httpx.post(url, content=body.encode(), auth=(KEY, "")).text
    command = ["curl", "-sf", "-u", f"{KEY}:", "-H", "Content-Type: application/json", "-d", body, url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def said(user: str) -> dict[str, dict[str, Any]]:
    """One message of each kind, as the documents of the HTTP API write it."""
    both = {"userId": user, "anonymousId": f"unknown {user}", **MORE}
    return {
        "identify": {**both, "traits": GIVEN},
        "track": {**both, "event": "Order Completed", "properties": GIVEN},
        "page": {**both, "name": "Start here", "category": "Docs", "properties": GIVEN},
        "screen": {**both, "name": "Welcome", "category": "App", "properties": GIVEN},
        "group": {**both, "groupId": "acme", "traits": GIVEN},
        "alias": {"userId": user, "previousId": f"before {user}", **MORE},
    }
