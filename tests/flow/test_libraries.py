"""Segment's own libraries against a running Heard: whatever they are given arrives as it was given."""

from __future__ import annotations

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
from tests.flow.running import RunningHeard, eventually

FLOW = Path(__file__).parent
OLD_PYTHON = ROOT / ".cache/old-python"
KEY = "wk_acme_website"
KINDS = ("identify", "track", "page", "group", "alias")
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
PYTHON = """
import json, sys
import segment.analytics as analytics
user, given = sys.argv[3], json.loads(sys.argv[4])
analytics.write_key, analytics.host, analytics.gzip = sys.argv[1], sys.argv[2], True
analytics.on_error = lambda problem, batch: print(problem)
analytics.identify(user, given)
analytics.track(user, "Order Completed", given)
analytics.page(user, "Docs", "Start here", given)
analytics.group(user, "acme", given)
analytics.alias("before " + user, user)
analytics.flush()
analytics.shutdown()
"""
NODE = """
import { Analytics } from '@segment/analytics-node'
const [writeKey, host, userId, text] = process.argv.slice(1)
const given = JSON.parse(text)
const analytics = new Analytics({ writeKey, host })
analytics.on('error', (problem) => console.log(problem))
analytics.identify({ userId, traits: given })
analytics.track({ userId, event: 'Order Completed', properties: given })
analytics.page({ userId, category: 'Docs', name: 'Start here', properties: given })
analytics.group({ userId, groupId: 'acme', traits: given })
analytics.alias({ userId, previousId: 'before ' + userId })
await analytics.closeAndFlush()
"""


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("libraries") / "data") as running:
        yield running


def ran(command: list[str], heard: RunningHeard, user: str, **more: Any) -> None:
    """Run a program that sends one message of each kind; it complains on stdout."""
    told = [KEY, heard.url, user, json.dumps(GIVEN)]
    done = subprocess.run([*command, *told], capture_output=True, text=True, timeout=60, check=False, **more)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def arrived(heard: RunningHeard, user: str) -> dict[str, Any]:
    """What came of a user by kind, once it is all there."""

    def seen() -> dict[str, Any]:
        found = {each["type"]: each for each in heard.get("messages", user_id=user)["data"]}
        return found if set(found) == set(KINDS) else {}

    return eventually(seen, what=f"five messages of {user}")


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


def test_python(heard: RunningHeard):
    ran([sys.executable, "-c", PYTHON], heard, "python")

    assert arrived_as_given(heard, "python")["library"]["name"] == "analytics-python"


def test_an_older_python_client(heard: RunningHeard):
    if not OLD_PYTHON.exists():
        absent("the older Segment client is not installed: `make test` installs it")
    ran([sys.executable, "-c", PYTHON], heard, "python-2.2", env=os.environ | {"PYTHONPATH": str(OLD_PYTHON)})

    assert arrived_as_given(heard, "python-2.2")["library"] == {"name": "analytics-python", "version": "2.2.3"}


def test_node(heard: RunningHeard, node: Path):
    ran([str(node), "--input-type=module", "--eval", NODE], heard, "node", cwd=FLOW)

    assert arrived_as_given(heard, "node")["library"] == {"name": "@segment/analytics-node", "version": "3.1.0"}


def test_curl(heard: RunningHeard):
    for kind in KINDS:
        body = json.dumps(said("curl")[kind], ensure_ascii=False)
        url, auth = f"{heard.url}/v1/{kind}", f"{KEY}:"
        if shutil.which("curl"):
            command = ["curl", "-sf", "-u", auth, "-H", "Content-Type: application/json", "-d", body, url]
            answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        else:
            answer = httpx.post(url, content=body.encode(), auth=(KEY, "")).text
        assert json.loads(answer) == {"success": True}

    arrived_as_given(heard, "curl")


def said(user: str) -> dict[str, dict[str, Any]]:
    """One message of each kind, as the documents of the HTTP API write it."""
    return {
        "identify": {"userId": user, "traits": GIVEN},
        "track": {"userId": user, "event": "Order Completed", "properties": GIVEN},
        "page": {"userId": user, "name": "Start here", "category": "Docs", "properties": GIVEN},
        "group": {"userId": user, "groupId": "acme", "traits": GIVEN},
        "alias": {"userId": user, "previousId": f"before {user}"},
    }
