"""`kill -9` while a destination that is named later is told who is in an audience: each once, the last word is so."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.contracts.receiver import Receiver
from tests.flow.running import RunningHeard, eventually

PEOPLE, MEMBERS, LEAVING, KILLS = 3000, range(0, 3000, 4), range(0, 3000, 200), 3
PREMIUM = {"name": "Premium", "where": {"traits": "traits.plan = 'Premium'"}}


def workspace(to: list[str], hook: str) -> str:
    settings = {"url": f"{hook}/in"}
    return yaml.safe_dump(
        {
            "workspace": "Acme",
            "sources": [{"name": "Website", "write_key": "wk_acme_website"}],
            "destinations": [{"name": "Late hook", "type": "webhook", "sources": [], "settings": settings}],
            "audiences": [{**PREMIUM, "to": to}],
        }
    )


def identify(heard: RunningHeard, plans: dict[int, str]) -> None:
    said = [{"type": "identify", "userId": f"u{n}", "traits": {"plan": plan}} for n, plan in plans.items()]
    for start in range(0, len(said), 1000):
        body = {"batch": said[start : start + 1000]}
        answer = httpx.post(f"{heard.url}/v1/batch", json=body, auth=("wk_acme_website", ""), timeout=30)
        assert answer.status_code == 200


def test_a_kill_in_the_middle_tells_every_member_once_and_ends_with_the_truth(tmp_path: Path):
    seed = time.time_ns() & 0xFFFF
    chance = random.Random(seed)
    print(f"seed {seed}")
    with Receiver() as hook:
        environment = {"HEARD_ALLOW_PRIVATE_NETWORK": "on"}
        running = RunningHeard(tmp_path / "data", environment=environment, workspace=workspace(["Heard"], hook.url))
        with running as heard:
            identify(heard, {n: "Premium" if n in MEMBERS else "Free" for n in range(PEOPLE)})
            heard.settle()
            assert hook.received == []
            heard.apply(workspace(["Heard", "Late hook"], hook.url))
            for round_ in range(KILLS):
                identify(heard, dict.fromkeys([n for n in LEAVING if n % KILLS == round_], "Free"))
                time.sleep(chance.uniform(0, 0.2))
                heard.kill()
                heard.launch()
                eventually(heard.is_ready, seconds=60, what="ready")
            heard.settle()

        arrived: dict[str, dict[str, Any]] = {each["messageId"]: each for each in map(json.loads, hook.bodies)}
        entered = Counter(each["userId"] for each in arrived.values() if each["traits"]["premium"])
        assert set(entered.values()) == {1}
        last = {each["userId"]: each["traits"]["premium"] for each in arrived.values()}
        still = {f"u{n}" for n in MEMBERS if n not in LEAVING}
        assert {user for user, value in last.items() if value} == still
        assert {user for user, value in last.items() if not value} == {f"u{n}" for n in LEAVING}
