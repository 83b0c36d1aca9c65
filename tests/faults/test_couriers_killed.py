"""`kill -9` of the heart and of the whole tree while destinations flap, hang and answer badly: nothing is lost.

At least once is what is promised outside: a message may arrive more often than once, under one delivery id.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

from tests.contracts.receiver import Receiver, Reply, a_gigabyte, answer, hang, reset
from tests.faults.shoppers import Shop
from tests.flow.running import RunningHeard, eventually

KILLS = 6
MOST_IN_FLIGHT = (
    8 + 8 * 40
)  # of one destination: requests under way, and what was not kept yet in a quarter of a second
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
    return [chance.choice(bad) if chance.random() < 0.1 else 200 for _ in range(4000)]


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
            shop = Shop(heard.port, "shop", seed=seed)
            shop.start()
            for number in range(KILLS):
                time.sleep(chance.uniform(0.3, 1.5))
                heard.kill()
                heard.start()
                print(f"kill {number + 1}: steady has {len(steady.received)}, flaps {len(flaps.received)}")
            shop.close()
            shop.join()
            acknowledged = set(shop.acknowledged)
            for name in ("Steady", "Flaps", "Huge"):
                eventually(
                    lambda name=name: acknowledged <= set(ids(names[name])),
                    seconds=90,
                    what=f"everything at {name}",
                    every=0.5,
                )
            print(f"seed {seed}: {len(acknowledged)} acknowledged")
            repeats = len(steady.received) - len(set(ids(steady)))
            print(f"steady: {repeats} repeats after {KILLS} kills")
            assert repeats <= KILLS * MOST_IN_FLIGHT
            assert one_id_a_message(steady)
            assert one_id_a_message(flaps)
            assert len(hangs.received) > 0


def ids(receiver: Receiver) -> list[str]:
    return [json.loads(body)["messageId"] for body in receiver.bodies]


def one_id_a_message(receiver: Receiver) -> bool:
    """However often a message came, it came under one delivery id."""
    pairs = {(json.loads(each.body)["messageId"], each.headers["webhook-id"]) for each in receiver.received}
    return max(Counter(message for message, _ in pairs).values()) == 1
