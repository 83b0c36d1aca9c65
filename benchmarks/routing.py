"""What it costs to decide who gets a message: 1, 10 and 50 destinations with 20 filters each, and with none.

Ours is `plan.route` over messages that were just read, half a kilobyte each. The floor is the same predicates written
by hand in Python and asked one after the other about the message's document, decoding included. The peer is tsub, the
engine that Segment's library runs in browsers, in Node: it is asked the same filters about events that are decoded
already; as in browsers, it reads each filter's representation again for each event.

Then the language by itself: one expression of each kind, ours beside the same by hand.

    .venv/bin/python benchmarks/routing.py [--messages 2000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from heard import fql  # noqa: E402
from heard.messages import Accepted, Message, parse  # noqa: E402
from heard.routing import document  # noqa: E402
from heard.routing.destination import Destination, Filter  # noqa: E402
from heard.routing.plan import Plan  # noqa: E402
from tests.contracts.tsub import ENGINE, ir_of  # noqa: E402

NOW = 1_795_348_800_000_000
NOUNS = ("Order", "Cart", "Product", "Page", "Debug")
VERBS = ("Viewed", "Added", "Completed", "Removed", "Opened", "Shared")
EVENTS = [f"{noun} {verb}" for noun in NOUNS for verb in VERBS]
FILTERS = 20

Document = dict[str, Any]
Holds = Callable[[Document], bool]


def inner(document: Document, *path: str) -> Any:
    for name in path:
        document = document.get(name)  # type: ignore[assignment]
        if type(document) is not dict:
            return document if name == path[-1] else None
    return document


def by_event(event: str) -> tuple[str, Holds]:
    return f"event = '{event}'", lambda document: document.get("event") == event


def by_total(event: str, limit: int) -> tuple[str, Holds]:
    def holds(document: Document) -> bool:
        if document.get("event") != event:
            return False
        total = inner(document, "properties", "total")
        return type(total) in (int, float) and total > limit

    return f"event = '{event}' and properties.total > {limit}", holds


def by_word(word: str) -> tuple[str, Holds]:
    def holds(document: Document) -> bool:
        event = document.get("event")
        return document.get("type") == "track" and type(event) is str and word in event

    return f"type = 'track' and contains(event, '{word}')", holds


def by_page(start: str) -> tuple[str, Holds]:
    def holds(document: Document) -> bool:
        path = inner(document, "context", "page", "path")
        return type(path) is str and path.startswith(start)

    return f"match(context.page.path, '{start}*')", holds


def by_plan(plan: str) -> tuple[str, Holds]:
    def holds(document: Document) -> bool:
        total = inner(document, "properties", "total")
        return inner(document, "context", "traits", "plan") == plan and type(total) in (int, float) and total > 990

    return f"context.traits.plan = '{plan}' and properties.total > 990", holds


def a_filter(chance: random.Random, number: int) -> tuple[str, Holds]:
    """Half of them are of one event, as people write them; of the others some have to be asked about every message."""
    if number < 10:
        return by_event(chance.choice(EVENTS) + " Internally")
    if number < 16:
        return by_total(chance.choice(EVENTS), chance.randrange(900, 1000))
    if number < 18:
        return by_word(chance.choice(("Internal", "Heartbeat", "Ping")))
    return by_page(f"/internal/{chance.randrange(9)}") if number == 18 else by_plan(chance.choice(("free", "trial")))


def messages(count: int) -> list[Message]:
    chance = random.Random(7)
    made: list[Message] = []
    for number in range(count):
        kind = chance.choices(("track", "identify", "page"), (7, 2, 1))[0]
        said: Document = {
            "type": kind, "messageId": f"m{number}", "userId": f"user-{chance.randrange(5000)}", "integrations": {},
            "context": {
                "ip": "192.0.2.7", "library": {"name": "analytics.js", "version": "next-1.84.3"}, "locale": "en-GB",
                "page": {"path": f"/shop/{chance.randrange(50)}", "url": "https://acme.example/shop", "title": "Shop"},
                "traits": {"plan": chance.choice(("free", "pro"))},
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0",
            },
        }  # fmt: skip
        if kind == "track":
            said["event"] = chance.choice(EVENTS)
            said["properties"] = {"total": chance.randrange(1000), "currency": "EUR", "sku": f"s{number}", "items": 2}
        elif kind == "identify":
            said["traits"] = {"email": f"user{number}@acme.example", "plan": "pro"}
        else:
            said["properties"] = {"path": "/shop", "title": "Shop"}
        accepted = Accepted(source=1, kind=kind, received_at=NOW, client="", agent="", body=msgspec.json.encode(said))
        made += [one for one in parse.read(accepted, offset=number) if isinstance(one, Message)]
    return made


def best(work: Callable[[], Any], rounds: int) -> float:
    """Seconds of the fastest round: what else the machine does only ever adds."""
    work()
    taken: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def tsub(read: Sequence[Message], conditions: Sequence[str], rounds: int) -> dict[str, float] | None:
    """Microseconds a message in Segment's engine; None without Node or its package (`make test` gets both)."""
    node = shutil.which("node") or shutil.which("node", path=str(ROOT / ".venv/bin"))
    if not node or not ENGINE.exists():
        return None
    question = {
        "engine": str(ENGINE),
        "events": [document.of(each) for each in read],
        "filters": [ir_of(fql.parse(condition)) for condition in conditions],
        "rounds": rounds,
    }
    run = [node, str(ROOT / "benchmarks/tsub.js")]
    return json.loads(
        subprocess.run(run, input=json.dumps(question), capture_output=True, text=True, check=True).stdout
    )


def by_destinations(count: int, read: list[Message], rounds: int) -> None:
    chance = random.Random(count)
    filters = [[a_filter(chance, number) for number in range(FILTERS)] for _ in range(count)]
    plan = Plan([destination(id_, [text for text, _ in each]) for id_, each in enumerate(filters, 1)])
    bare = Plan([destination(id_, []) for id_ in range(1, count + 1)])
    by_hand = [[holds for _, holds in each] for each in filters]

    def floor() -> list[list[int]]:
        answers: list[list[int]] = []
        for message in read:
            found = document.of(message)
            answers.append([id_ for id_, each in enumerate(by_hand, 1) if not any(holds(found) for holds in each)])
        return answers

    assert floor() == [list(plan.route(message).to) for message in read], "ours and the floor decide differently"
    ours = best(lambda: [plan.route(message) for message in read], rounds) / len(read) * 1e6
    hand = best(floor, rounds) / len(read) * 1e6
    fast = best(lambda: [bare.route(message) for message in read], rounds) / len(read) * 1e6
    some = read[: max(20, len(read) // count)]
    peer = tsub(some, [text for each in filters for text, _ in each], max(1, rounds // 2))
    theirs = f"{peer['microseconds']:>9.1f}" if peer else "   absent"
    print(f"{count:>12} {fast:>12.2f} {ours:>12.2f} {hand:>12.2f} {theirs} {hand / ours:>12.2f}")


def first_sight(read: list[Message], rounds: int) -> None:
    """What the first message of an event costs, when all its filters are looked at."""
    chance = random.Random(50)
    conditions = [[a_filter(chance, number)[0] for number in range(FILTERS)] for _ in range(50)]
    destinations = [destination(id_, each) for id_, each in enumerate(conditions, 1)]
    sights = list({(each.type, each.event): each for each in read}.values())
    taken: list[float] = []
    for _ in range(rounds):
        plan = Plan(destinations)
        began = time.perf_counter()
        for each in sights:
            plan.route(each)
        taken.append((time.perf_counter() - began) / len(sights))
    print(f"\nthe first message of an event, 50 destinations with 20 filters each: {min(taken) * 1e3:.1f} ms")


def destination(id_: int, conditions: Sequence[str]) -> Destination:
    filters = tuple(Filter(condition=condition, action="drop") for condition in conditions)
    return Destination(id=id_, workspace=1, name=f"Hook {id_}", type="webhook", filters=filters)


def by_expression(read: list[Message], rounds: int) -> None:
    documents = [document.of(message) for message in read]
    for text, holds in (
        by_event("Order Completed"),
        by_total("Order Completed", 500),
        by_word("Completed"),
        by_page("/shop/1"),
        by_plan("free"),
    ):
        ours = fql.predicate(text)
        assert [ours(each) for each in documents] == [holds(each) for each in documents]
        mine = len(read) / best(lambda ours=ours: [ours(each) for each in documents], rounds)
        hand = len(read) / best(lambda holds=holds: [holds(each) for each in documents], rounds)
        peer = tsub(read, [text], rounds)
        theirs = f"{1 / peer['microseconds']:.1f}M" if peer else "absent"
        print(f"{text:<58} {mine / 1e6:>7.1f}M {hand / 1e6:>7.1f}M {theirs:>8} {mine / hand:>7.2f}")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--messages", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=5)
    wanted = options.parse_args()
    read = messages(wanted.messages)
    print(
        f"{len(read)} messages of {sum(len(each.body) for each in read) // len(read)} bytes; microseconds a message\n"
    )
    print("destinations    no filters  20 filters        floor      tsub   floor/ours")
    for count in (1, 10, 50):
        by_destinations(count, read, wanted.rounds)
    print("\none expression, times a second" + " " * 32 + "ours   floor     tsub   ours/floor")
    by_expression(read, wanted.rounds)
    first_sight(read, wanted.rounds)


if __name__ == "__main__":
    main()
