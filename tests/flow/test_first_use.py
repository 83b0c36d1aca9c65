"""A newcomer's empty workspace: three steps to a received event, with the code of the page run as it stands."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from heard.web.dashboard.sources.snippets import snippets
from tests.flow.running import RunningHeard, eventually
from tests.web.visitors import Visitor, code_in, owner

ROOT = Path(__file__).parent
EMPTY = "workspace: Acme\n"
WAITING = "Waiting for your first event"
ODD = """It's "done"\\ #{x} $y <b>"""


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path / "data", workspace=EMPTY) as running:
        yield running


def run(label: str, code: str, folder: Path) -> None:
    """What somebody does who copies it: into a shell, a Python file, or a module of Node."""
    if label == "curl":
        command = ["sh", "-e", "-c", code]
    elif label == "Python":
        command = [sys.executable, "-c", code]
    else:
        (folder / "send.mjs").write_text(code)
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
        command = [shutil.which("node") or str(ROOT.parent.parent / ".venv/bin/node"), "send.mjs"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("label", ["curl", "Python", "Node"])
def test_three_steps_lead_to_a_received_event(heard: RunningHeard, tmp_path: Path, label: str, node: Path):
    ted = owner(heard)
    first = ted.browser.get("/")
    assert "/start" in first.headers.get("location", first.text)
    page = ted.get("/start")
    assert WAITING in page
    assert "Look again" in page
    assert ted.browser.get("/start/arrived?newest=0").status_code == 204

    run(label, code_in(page, f"{label} code"), tmp_path)

    arrived = eventually(
        lambda: "Your first event arrived" in ted.get("/start") and ted.get("/start"), what="the event"
    )
    assert WAITING not in arrived
    assert "Order Completed" in arrived
    assert 'href="/campaigns/new"' in arrived
    assert heard.get("contacts/u_1")["email"] == "you@example.com"
    assert {each["event"] for each in heard.get("messages")["data"] if each["type"] == "track"} == {"Order Completed"}


def test_the_waiting_line_changes_by_itself(heard: RunningHeard):
    """What the page asks every other second: nothing new is no content, so that nobody is told twice."""
    ted = owner(heard)
    key = code_in(ted.get("/start"), "curl code").split("-u ")[1].split(":")[0]

    def send(kind: str, **message: object) -> None:
        Visitor(heard.url).browser.post(f"/v1/{kind}", json=message, auth=(key, ""))
        heard.settle()

    send("identify", userId="u_1", traits={"email": "ted@mosby.example"})
    half = ted.browser.get("/start/arrived?newest=0").text
    assert "An identify arrived; the track is still to come." in half
    newest = half.split("arrived?newest=")[1].split('"')[0]
    assert ted.browser.get(f"/start/arrived?newest={newest}").status_code == 204

    send("track", userId="u_1")
    wrong = ted.browser.get(f"/start/arrived?newest={newest}").text
    assert "Something arrived, and could not be taken." in wrong
    assert "event_missing" in wrong

    send("track", userId="u_1", event="Pint Ordered")
    done = ted.browser.get(f"/start/arrived?newest={newest}").text
    assert "Your first event arrived." in done
    assert "Pint Ordered" in done
    assert 'id="ask" hx-swap-oob="true"' in done


@pytest.mark.parametrize("label", ["curl", "Python", "Node"])
def test_the_code_holds_whatever_an_event_is_called(heard: RunningHeard, tmp_path: Path, label: str, node: Path):
    key = heard.cli("export", "--json")["sources"][0]["write_key"]
    code = next(each.code for each in snippets(heard.url, key, ODD) if each.label == label)

    run(label, code, tmp_path)

    eventually(lambda: ODD in {each["event"] for each in heard.get("messages")["data"]}, what="the event")


def test_the_code_names_the_path_that_heard_is_served_under(tmp_path: Path, node: Path):
    """Behind a proxy at /feedback; each library has its own way to be told."""
    with RunningHeard(tmp_path / "data", workspace=EMPTY) as heard:
        key = heard.cli("export", "--json")["sources"][0]["write_key"]
        heard.stop()
        heard.environment["HEARD_BASE_URL"] = f"{heard.url}/feedback"
        heard.start()
        for label in ("curl", "Python", "Node"):
            folder = tmp_path / label
            folder.mkdir()
            code = next(each.code for each in snippets(f"{heard.url}/feedback", key, label) if each.label == label)
            run(label, code, folder)
        eventually(
            lambda: {"curl", "Python", "Node"} <= {each["event"] for each in heard.get("messages")["data"]},
            what="all three",
        )
