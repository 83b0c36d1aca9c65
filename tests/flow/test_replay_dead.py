"""`heard replay NAME --dead`: what was given up is tried again from the terminal, with a server and without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.receiver import Receiver
from tests.flow.running import RunningHeard, eventually

HOOK = "Warehouse hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


@pytest.fixture
def heard(tmp_path: Path, receiver: Receiver) -> Iterator[RunningHeard]:
    running = RunningHeard(
        tmp_path / "data",
        environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"},
        workspace=json.dumps(workspace(receiver)),
        test_clock=False,
    )
    with running:
        yield running


def workspace(receiver: Receiver, **more: Any) -> dict[str, Any]:
    hook = {"name": HOOK, "type": "webhook", "settings": {"url": receiver.url}, **more}
    return {
        "workspace": "Acme",
        "sources": [{"name": "Website", "write_key": "wk_acme_website"}],
        "destinations": [hook],
    }


def given_up(heard: RunningHeard, receiver: Receiver, *statuses: int) -> None:
    """A message refused with each of these."""
    before = len(dead(heard))
    receiver.script += statuses
    for number in range(len(statuses)):
        heard.send("track", userId=f"user {number}", event="Order Completed")
    eventually(lambda: len(dead(heard)) == before + len(statuses), what="what was given up")


def dead(heard: RunningHeard) -> list[dict[str, Any]]:
    return heard.get("destinations/Warehouse%20hook/deliveries", state="dead")["data"]


def test_what_was_given_up_is_tried_again_for_one_reason_or_all_of_it(heard: RunningHeard, receiver: Receiver):
    given_up(heard, receiver, 400, 410, 410)

    said = heard.cli("replay", HOOK, "--dead", "--reason", "http_400", "--json")
    assert said == {"destination": HOOK, "enabled": True, "reason": "http_400", "messages": 1}
    eventually(lambda: [each["reason"] for each in dead(heard)] == ["http_410"] * 2, what="the one")

    said = heard.cli("replay", HOOK, "--dead")
    assert f"2 messages given up: tried again, as soon as {HOOK} can." in said
    eventually(lambda: dead(heard) == [], what="the others")
    assert len(receiver.received) == 6
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 3  # nobody took them before

    assert f"Nothing that was to go to {HOOK} is given up." in heard.cli("replay", HOOK, "--dead")
    assert "is given up for http_410." in heard.cli("replay", HOOK, "--dead", "--reason", "http_410")


def test_without_a_server_the_command_tries_them_itself(heard: RunningHeard, receiver: Receiver):
    given_up(heard, receiver, 400)
    heard.stop()
    assert "1 message given up for http_400: tried again" in heard.cli("replay", HOOK, "--dead", "--reason", "http_400")
    assert [each.status for each in receiver.received] == [400, 200]
    heard.start()
    assert dead(heard) == []


def test_what_is_switched_off_waits_and_the_command_says_so(heard: RunningHeard, receiver: Receiver):
    given_up(heard, receiver, 400)
    heard.apply(json.dumps(workspace(receiver, enabled=False)))
    assert "they wait until it is switched on" in heard.cli("replay", HOOK, "--dead")
    assert len(receiver.received) == 1
    heard.apply(json.dumps(workspace(receiver)))
    eventually(lambda: len(receiver.received) == 2, what="it again")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((HOOK, "--dead", "--since", "7d"), 2, "leave --since and --until out"),
        ((HOOK, "--dead", "--until", "1d"), 2, "leave --since and --until out"),
        ((HOOK, "--reason", "http_400", "--since", "7d"), 2, "write --dead too"),
        ((HOOK, "--until", "7d"), 2, "say from when"),
        ((HOOK,), 2, "--dead for what was given up"),
        (("Nowhere", "--dead"), 1, "Nowhere"),
        (("Heard", "--dead"), 1, "Heard is Heard itself"),
    ],
)
def test_wrong_usage_is_said(apart: RunningHeard, arguments: Any, code: int, said: str):
    told = " ".join(apart.cli("replay", *arguments, code=code).replace("│", " ").split())
    assert said in told


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> RunningHeard:
    """Not served: a command that is refused needs nobody."""
    running = RunningHeard(tmp_path_factory.mktemp("apart") / "data", environment={"COLUMNS": "200"})
    running.cli("init", "--json")
    settings = {"url": "https://hooks.acme.example/in"}
    hook = {"name": HOOK, "type": "webhook", "settings": settings}
    running.apply(json.dumps({"workspace": "Acme", "destinations": [hook]}))
    return running
