"""`kill -9` of the heart and of the whole tree while destinations flap, hang and answer badly: nothing is lost.

At least once is what is promised outside: a message may arrive more often than once, under one delivery id. A kill can
repeat what nobody had kept yet: the requests that were under way, one in each of eight lanes, and what was answered
since the last commit, a quarter of a second before at the most. One that had just refused can get more: its cursor
waits at the first message that was not tried, and which ones it took further on is known to the dead process alone.
That is at most the window that it was in.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

from heard.courier import KEEP_EVERY, LANES
from heard.store.windows import WINDOW
from tests.contracts.receiver import Receiver, Reply, a_gigabyte, answer, hang, reset
from tests.faults.shoppers import Shop
from tests.flow.running import RunningHeard, eventually

KILLS = 6
FASTEST = 160  # answers that one lane has in a second, on loopback
MOST_NOT_KEPT = LANES + int(LANES * FASTEST * KEEP_EVERY)
WORKSPACE = {
    "workspace": "Acme",
    "sources": [{"name": "Website", "write_key": "wk_acme_website"}],
}


def flapping(chance: random.Random) -> list[Reply]:
    """What a receiver does that is half there: most of it well, the rest in every bad way."""
    bad: list[Reply] = [
        500,
        503,
        reset,
        answer(429, b"", Retry_After="1"),
        answer(302, b"", Location="http://10.0.0.1/"),
    ]
    return [chance.choice(bad) if chance.random() < 0.1 else 200 for _ in range(2000)]


def test_no_destination_loses_a_message_whatever_is_killed_and_whoever_fails(tmp_path: Path):
    seed = time.time_ns() & 0xFFFF
    chance = random.Random(seed)
    with (
        Receiver() as steady,
        Receiver(*flapping(chance)) as flaps,
        Receiver(*[hang] * 500) as hangs,
        Receiver(*[a_gigabyte] * 3) as huge,
    ):
        names = {"Steady": steady, "Flaps": flaps, "Hangs": hangs, "Huge": huge}
        destinations = [
            {"name": name, "type": "webhook", "settings": {"url": each.url}} for name, each in names.items()
        ]
        heard = RunningHeard(
            tmp_path / "data",
            environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"},
            workspace=json.dumps({**WORKSPACE, "destinations": destinations}),
            test_clock=False,
        )
        with heard:
            began = time.monotonic()
            shop = Shop(heard.port, "shop", seed=seed)
            shop.start()
            for number in range(KILLS):
                going_on(flaps)
                time.sleep(chance.uniform(0.0, 1.0))
                heard.kill()
                heard.start()
                so_far = f"steady has {len(steady.received)}, flaps {len(flaps.received)}"
                print(f"{time.monotonic() - began:.0f} s, kill {number + 1}: {so_far}")
            shop.close()
            shop.join()
            acknowledged = set(shop.acknowledged)
            print(f"seed {seed}: {len(acknowledged)} acknowledged")

            assert len(hangs.received) > 0
            assert taken(hangs).total() == 0
            hangs.script.clear()  # it comes back
            for name, receiver in names.items():
                print(f"{time.monotonic() - began:.0f} s, waiting for {name}")
                eventually(
                    lambda name=name, receiver=receiver: acknowledged <= {*taken(receiver), *given_up(heard, name)},
                    seconds=180,
                    what=f"everything taken by {name}, or given up",
                    every=0.5,
                )

            dead = given_up(heard, "Flaps")
            assert set(dead.values()) <= {"redirect"}  # nothing else that it says is for good
            assert redirected(flaps) - taken(flaps).keys() <= dead.keys() <= redirected(flaps)  # some got both answers
            for name in ("Steady", "Hangs", "Huge"):
                assert given_up(heard, name) == {}

            for name, window in (("Steady", 0), ("Huge", 0), ("Flaps", WINDOW), ("Hangs", 0)):
                repeats = taken(names[name]).total() - len(taken(names[name]))
                print(f"{name}: took {repeats} more than once after {KILLS} kills")
                assert repeats <= KILLS * (MOST_NOT_KEPT + window)
                assert one_id_a_message(names[name])


def going_on(receiver: Receiver) -> None:
    """Return while messages are arriving there, so that a kill finds some on their way."""
    so_far = len(receiver.received)
    eventually(lambda: len(receiver.received) > so_far + 10, seconds=60, what="something on its way", every=0.02)


def taken(receiver: Receiver) -> Counter[str]:
    """What it answered with 2xx, by messageId; the answer without end begins with a 200."""
    yes = [each.body for each in receiver.received if each.reply is a_gigabyte or 200 <= (each.status or 0) < 300]
    return Counter(json.loads(body)["messageId"] for body in yes)


def redirected(receiver: Receiver) -> set[str]:
    return {json.loads(each.body)["messageId"] for each in receiver.received if each.status == 302}


def given_up(heard: RunningHeard, name: str) -> dict[str, str]:
    """What Heard says it gave up: messageId to reason."""
    found: dict[str, str] = {}
    query = {"state": "dead", "limit": 200}
    while True:
        page = heard.get(f"destinations/{name}/deliveries", **query)
        found |= {each["message_id"]: each["reason"] for each in page["data"]}
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def one_id_a_message(receiver: Receiver) -> bool:
    """However often a message came, it came under one delivery id."""
    pairs = {(json.loads(each.body)["messageId"], each.headers["webhook-id"]) for each in receiver.received}
    return max(Counter(message for message, _ in pairs).values()) == 1
