"""Segment's own libraries against a running Heard: whatever they are given arrives as it was given.

And nothing else does: each program runs twice, against Heard and against a server that only listens. What a webhook
behind Heard receives is compared with what was sent, whole, ids and times aside.
"""

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
from tests.contracts.receiver import Receiver
from tests.flow.as_sent import GIVEN, KEY, KINDS, MORE, arrived_as_given, arrives_as_sent, posted_to, with_hook
from tests.flow.running import RunningHeard

FLOW = Path(__file__).parent
OLD_PYTHON = ROOT / ".cache/old-python"
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
    with RunningHeard(
        data, environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"}, workspace=with_hook(hook), test_clock=False
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


def test_python(heard: RunningHeard, hook: Receiver, sink: Receiver):
    for host in (heard.url, sink.url):
        ran([sys.executable, "-c", PYTHON], host, "python")

    arrives_as_sent(hook, "python", posted_to(sink))
    assert arrived_as_given(heard, "python")["library"]["name"] == "analytics-python"


def test_an_older_python_client(heard: RunningHeard, hook: Receiver, sink: Receiver):
    if not OLD_PYTHON.exists():
        absent("the older Segment client is not installed: `make test` installs it")
    for host in (heard.url, sink.url):
        ran([sys.executable, "-c", PYTHON], host, "python-2.2", env=os.environ | {"PYTHONPATH": str(OLD_PYTHON)})

    arrives_as_sent(hook, "python-2.2", posted_to(sink))
    assert arrived_as_given(heard, "python-2.2")["library"] == {"name": "analytics-python", "version": "2.2.3"}


def test_node(heard: RunningHeard, hook: Receiver, sink: Receiver, node: Path):
    for host in (heard.url, sink.url):
        ran([str(node), "--input-type=module", "--eval", NODE], host, "node", cwd=FLOW)

    arrives_as_sent(hook, "node", posted_to(sink))
    assert arrived_as_given(heard, "node")["library"] == {"name": "@segment/analytics-node", "version": "3.1.0"}


def test_curl(heard: RunningHeard, hook: Receiver, sink: Receiver):
    for kind in KINDS:
        assert json.loads(curled(heard.url, kind)) == {"success": True}
        curled(sink.url, kind)

    arrives_as_sent(hook, "curl", posted_to(sink))
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
