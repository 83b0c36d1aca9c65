"""The code on the how-to pages, run as it stands: each program's customer is invited."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.flow.running import RunningHeard

HOW_TO = ROOT / "docs/how-to"
FLOW = Path(__file__).parent
CALL_THE_FUNCTION = """
const settings = {writeKey: 'wk_acme_website', host: '%s'}
await onIdentify({type: 'identify', messageId: 'm1', userId: 'fay', traits: {email: 'fay@example.com'}}, settings)
const order = {type: 'track', messageId: 'm2', userId: 'fay', event: 'Order Completed', properties: {total: 30}}
await onTrack(order, settings)
await onTrack(order, settings)
"""


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("heard") / "data") as running:
        yield running


def programs(page: str, language: str, heard: RunningHeard) -> list[str]:
    """The page's blocks of this language, with the address of the running server."""
    text = (HOW_TO / page).read_text(encoding="utf-8")
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block.replace("http://localhost:8800", heard.url) for block in found]


def outcomes(heard: RunningHeard, user: str) -> list[str]:
    heard.settle()
    return [each["outcome"] for each in heard.get(f"contacts/{user}/why")["decisions"]]


def run_node(script: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    command = [node, "--input-type=module", "--eval", script]
    done = subprocess.run(command, cwd=FLOW, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_from_python(heard: RunningHeard):
    for program in programs("from-python.md", "python", heard):
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

    assert (outcomes(heard, "bob"), outcomes(heard, "cleo")) == (["invited"], ["invited"])


@pytest.mark.needs_node
def test_from_node(heard: RunningHeard):
    (program,) = programs("from-node.md", "js", heard)
    run_node(program)

    assert outcomes(heard, "dan") == ["invited"]


@pytest.mark.needs_node
def test_from_node_with_heard_under_a_path(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("path") / "data"
    with RunningHeard(folder, environment={"HEARD_BASE_URL": "http://localhost:8800/feedback"}) as heard:
        (program,) = programs("from-node.md", "js", heard)
        path = re.search(r"path:\s+'([^']+)'", (HOW_TO / "from-node.md").read_text(encoding="utf-8"))
        assert path is not None
        run_node(program.replace(f"host: '{heard.url}'", f"host: '{heard.url}', path: '{path[1]}'"))

        assert outcomes(heard, "dan") == ["invited"]


@pytest.mark.needs_node
def test_the_function_for_segments_cloud_passes_messages_on_once(heard: RunningHeard):
    (function,) = programs("from-segment.md", "js", heard)
    run_node(function + CALL_THE_FUNCTION % heard.url)

    assert outcomes(heard, "fay") == ["invited"]


def test_every_path_that_is_listed_takes_a_message(heard: RunningHeard):
    import httpx

    page = (HOW_TO / "from-segment.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`(/v1/\w+)`", page))
    message = {"type": "track", "userId": "gil", "event": "Seen"}

    assert len(listed) > 10
    for path in listed:
        several = path in ("/v1/batch", "/v1/import", "/v1/b")
        body = {"batch": [message]} if several else message
        for slash in ("", "/"):
            answer = httpx.post(heard.url + path + slash, json=body, auth=("wk_acme_website", ""))
            assert (answer.status_code, answer.json()) == (200, {"success": True}), path


def test_every_path_that_is_answered_is_listed():
    from heard.collector.app import PATHS

    page = (HOW_TO / "from-segment.md").read_text(encoding="utf-8")

    assert set(re.findall(r"`(/v1/\w+)`", page)) == {path for path in PATHS if not path.endswith("/")}
