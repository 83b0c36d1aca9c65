"""What audiences cost a message: the route step with 0, 10 and 100 of them, and as a person's history grows.

Records of 100 messages (30 identifies that change a trait, 70 tracks of ten event names) about 10,000 contacts, 1,000
messages a transaction, SQLite, WAL, synchronous=FULL. The floor is the same step on the same messages with no audience;
all run in one go, turn by turn. Each audience counts one of the ten events, within 30 days or ever, half of them with a
condition on the event; so a track meets a tenth of them, and every contact that it is about is looked at for all.

Then one person alone, whose thousands of events are counted by ten audiences: the first and the last batches beside
each other.

    .venv/bin/python benchmarks/audiences.py [--messages 20000] [--contacts 10000]
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.route import NOW, seed  # noqa: E402
from heard.log.log import Record  # noqa: E402
from heard.messages.accepted import Accepted  # noqa: E402
from heard.operations import file_audience  # noqa: E402
from heard.steps import compute  # noqa: E402
from heard.steps.route import route  # noqa: E402
from heard.store import directory  # noqa: E402
from heard.store.store import Store  # noqa: E402
from heard.store.types import micros  # noqa: E402

COUNTS = (0, 10, 100)
EVENTS = 10
A_RECORD, A_BATCH = 100, 1000


def defined(number: int) -> dict[str, Any]:
    where: dict[str, Any] = {"event": f"Event {number % EVENTS}", "at_least": 1 + number % 4}
    if number % 3:
        where["within"] = "30d"
    if number % 2:
        where["where"] = "properties.total > 50"
    return {"name": f"Audience {number}", "where": where}


class House:
    """A store with its contacts and so many audiences, all live."""

    def __init__(self, folder: Path, audiences: int, contacts: int) -> None:
        path = folder / f"{audiences}.db"
        seed(path, contacts)
        self.store = Store(f"sqlite:///{path}")
        self.offset = 0
        lines = [file_audience.audience_line(defined(number), "audiences[0]") for number in range(audiences)]
        self.store.write_now(lambda connection: file_audience.keep_computed(connection, 1, lines, [], [], NOW))
        while self.store.write_now(partial(compute.go_on, directory=self.directory(), now=NOW)).worked:
            pass
        self.known = self.directory()

    def directory(self) -> directory.Directory:
        return self.store.read_now(directory.load)

    def take(self, batch: list[list[dict[str, Any]]]) -> float:
        """Seconds for one batch."""
        records = [self.record(messages) for messages in batch]
        began = time.perf_counter()
        self.store.write_now(
            lambda connection: route(connection, records, directory=self.known, now=NOW, days_made=self.store.days_made)
        )
        return time.perf_counter() - began

    def record(self, messages: list[dict[str, Any]]) -> Record:
        body = msgspec.json.encode({"batch": messages})
        accepted = Accepted(source=1, kind="batch", received_at=micros(NOW), client="", agent="", body=body)
        self.offset += 1000
        return Record(self.offset - 1000, self.offset, msgspec.msgpack.encode(accepted))


def a_message(number: int, draw: random.Random, contacts: int) -> dict[str, Any]:
    user = f"user-{draw.randrange(contacts)}"
    head = {"messageId": f"m{number}", "userId": user}
    if number % 10 < 3:
        return {"type": "identify", **head, "traits": {"seats": draw.randrange(1000)}}
    properties = {"total": draw.randrange(100), "currency": "EUR", "coupon": "SPRING"}
    return {"type": "track", **head, "event": f"Event {draw.randrange(EVENTS)}", "properties": properties}


def batches(count: int, contacts: int, draw: random.Random) -> list[list[list[dict[str, Any]]]]:
    made = [a_message(number, draw, contacts) for number in range(count)]
    records = [made[at : at + A_RECORD] for at in range(0, count, A_RECORD)]
    size = A_BATCH // A_RECORD
    return [records[at : at + size] for at in range(0, len(records), size)]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--messages", type=int, default=20_000)
    asked.add_argument("--contacts", type=int, default=10_000)
    wanted = asked.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        houses = {count: House(folder, count, wanted.contacts) for count in COUNTS}
        spent: dict[int, list[float]] = {count: [] for count in COUNTS}
        for batch in batches(wanted.messages, wanted.contacts, random.Random(7)):
            for count, house in houses.items():
                spent[count].append(house.take(batch) / A_BATCH * 1e6)
        floor = statistics.median(spent[0])
        for count in COUNTS:
            cost = statistics.median(spent[count])
            print(f"{count:>4} audiences: {cost:6.1f} us a message, {cost / floor:.2f}x the step without")
        for house in houses.values():
            house.store.close()
        (folder / "alone").mkdir()
        alone = House(folder / "alone", 10, 1)
        costs = [alone.take(batch) / A_BATCH * 1e6 for batch in batches(wanted.messages, 1, random.Random(8))]
        alone.store.close()
        quarter = max(1, len(costs) // 4)
        first, last = statistics.median(costs[:quarter]), statistics.median(costs[-quarter:])
        print(f"one person, {wanted.messages:,} messages: {first:.1f} us at first, {last:.1f} us at last")


if __name__ == "__main__":
    main()
