"""The route loop beside the bare upsert of the same rows, at 10k, 100k and 1M contacts.

Ours: records of 100 messages (30 identifies that change a trait, 70 tracks that match no campaign) are decoded,
repeats dropped, contacts merged, everything committed with the offset, 1,000 messages a transaction. The floor writes
the very rows that ours wrote, ready-made, with the same statements in the same batches: messageIds, messages, contacts,
offset. Both on SQLite, WAL, synchronous=FULL, side by side in one run, turn by turn.

With --consent every message carries what its person agreed to, as a browser's does; everybody said it before, and one
message in a thousand says something else. The floor writes no row for that.

    .venv/bin/python benchmarks/route.py [--messages 60000] [--contacts 10000 100000 1000000] [--consent]
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.accounts.workspace import Brand
from heard.contacts.consent import Speaker, Word
from heard.contacts.contact import Contact
from heard.log.log import Record
from heard.messages.accepted import Accepted
from heard.steps.route import route
from heard.store import consents, contacts, cursors, days, dialects, directory, messages, tables
from heard.store.store import Store
from heard.store.types import micros

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
A_RECORD, A_BATCH = 100, 1000
AGREED = {"functional": True, "research": True, "advertising": False}
CHANGES = 0.001  # of messages say something else


def seed(path: Path, count: int, *, consent: bool = False) -> None:
    """A workspace with `count` contacts of about 200 bytes of traits each; with `consent` all said something."""
    engine = dialects.open_engine(f"sqlite:///{path}", writer=True)
    with engine.begin() as connection:
        tables.metadata.create_all(connection)
        brand = Brand(name="Acme")
        connection.execute(
            tables.workspaces.insert(), [{"id": 1, "name": "Acme", "slug": "acme", "brand": brand, "created_at": NOW}]
        )
        connection.execute(
            tables.sources.insert(),
            [{"workspace_id": 1, "id": 1, "name": "Website", "write_key": "wk_acme", "created_at": NOW}],
        )
        connection.execute(
            tables.destinations.insert(),
            [{"workspace_id": 1, "id": 1, "name": "Heard", "type": "surveys", "settings": {}, "source_ids": None}],
        )
        for first in range(0, count, 10_000):
            numbers = range(first, min(count, first + 10_000))
            contacts.keep(connection, [_contact(number) for number in numbers])
            if consent:
                word = Word(at=YESTERDAY, preferences=AGREED, source=1, message_id="m")
                consents.keep(connection, 1, [(Speaker(f"user-{number}", False), word) for number in numbers])
        cursors.put(connection, "next:contacts", count + 1)
    engine.dispose()


def records(count: int, people: int, seed_: int, *, consent: bool = False) -> list[Record]:
    chance = random.Random(seed_)
    made: list[Record] = []
    for number in range(count // A_RECORD):
        batch = [_message(chance, people, number * A_RECORD + index) for index in range(A_RECORD)]
        for message in batch if consent else ():
            said = AGREED if chance.random() > CHANGES else {**AGREED, "advertising": True}
            message["context"] = {**message["context"], "consent": {"categoryPreferences": said}}
        accepted = Accepted(
            source=1, kind="batch", received_at=micros(NOW), client="127.0.0.1", agent="b",
            body=msgspec.json.encode({"batch": batch, "sentAt": NOW.isoformat()}),
        )  # fmt: skip
        made.append(Record(number, number + 1, msgspec.msgpack.encode(accepted)))
    return made


def ours(store: Store, batches: list[list[Record]]) -> float:
    known = store.read_now(directory.load)
    began = time.perf_counter()
    for batch in batches:
        store.write_now(
            lambda connection, batch=batch: route(
                connection, batch, directory=known, now=NOW, days_made=store.days_made
            )
        )
    return time.perf_counter() - began


def rows_of(store: Store, batches: list[list[Record]]) -> list[dict[str, Any]]:
    """What ours would write for these batches: recorded once, on a copy, not timed."""
    written: list[dict[str, Any]] = []
    known = store.read_now(directory.load)
    keep_contacts, keep_messages, remember = contacts.keep, messages.keep, messages.remember
    for batch in batches:
        rows: dict[str, Any] = {"contacts": [], "messages": [], "seen": []}

        def note_contacts(connection: Connection, some: Any, rows: dict[str, Any] = rows) -> None:
            rows["contacts"] += list(some)
            keep_contacts(connection, rows["contacts"])

        def note_messages(connection: Connection, day: int, some: Any, rows: dict[str, Any] = rows) -> int:
            rows["messages"] += list(some)
            return keep_messages(connection, day, some)

        def note_seen(connection: Connection, day: int, some: Any, rows: dict[str, Any] = rows) -> None:
            rows["seen"] += list(some)
            remember(connection, day, some)

        contacts.keep, messages.keep, messages.remember = note_contacts, note_messages, note_seen
        try:
            store.write_now(
                lambda connection, batch=batch: route(
                    connection, batch, directory=known, now=NOW, days_made=store.days_made
                )
            )
        finally:
            contacts.keep, messages.keep, messages.remember = keep_contacts, keep_messages, remember
        rows["contacts"] = [contacts._row(contact) for contact in rows["contacts"]]
        written.append(rows)
    return written


def floor(store: Store, written: list[dict[str, Any]]) -> float:
    """The least work that leaves the same rows behind."""
    day = days.day_of(NOW)
    store.write_now(lambda connection: days.prepare(connection, [day], store.days_made))
    began = time.perf_counter()
    for number, rows in enumerate(written):

        def write(connection: Connection, rows: dict[str, Any] = rows, number: int = number) -> None:
            messages.remember(connection, day, rows["seen"])
            messages.keep(connection, day, rows["messages"])
            dialects.many(connection, contacts.UPSERT, rows["contacts"])
            cursors.put(connection, cursors.ROUTER, number)

        store.write_now(write)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contacts", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--consent", action="store_true")
    options = parser.parse_args()
    print(f"{options.messages:,} messages a round, {A_BATCH:,} a transaction, median of {options.rounds} rounds\n")
    print(f"{'contacts':>10} {'ours msg/s':>12} {'floor msg/s':>12} {'ratio':>7} {'us a message':>13}")
    first: float | None = None
    for people in options.contacts:
        folder = Path(tempfile.mkdtemp(prefix="heard-bench-"))
        try:
            seed(folder / "seed.db", people, consent=options.consent)
            times: list[tuple[float, float]] = []
            for round_ in range(options.rounds):
                made = records(options.messages, people, round_, consent=options.consent)
                batches = [made[i : i + A_BATCH // A_RECORD] for i in range(0, len(made), A_BATCH // A_RECORD)]
                stores = []
                for name in ("note", "ours", "floor"):
                    shutil.copy(folder / "seed.db", folder / f"{name}.db")
                    stores.append(Store(f"sqlite:///{folder / name}.db"))
                written = rows_of(stores[0], batches)
                if round_ % 2:
                    floor_time, our_time = floor(stores[2], written), ours(stores[1], batches)
                else:
                    our_time, floor_time = ours(stores[1], batches), floor(stores[2], written)
                times.append((our_time, floor_time))
                for store in stores:
                    store.close()
                for found in folder.glob("*.db*"):
                    if found.name != "seed.db":
                        found.unlink()
            our_time = statistics.median(each for each, _ in times)
            floor_time = statistics.median(each for _, each in times)
            ratio = statistics.median(theirs / mine for mine, theirs in times)
            cost = our_time / options.messages * 1e6
            first = first or cost
            print(
                f"{people:>10,} {options.messages / our_time:>12,.0f} {options.messages / floor_time:>12,.0f}"
                f" {ratio:>7.2f} {cost:>8.1f} ({cost / first:.2f}x)"
            )
        finally:
            shutil.rmtree(folder)


def _contact(number: int) -> Contact:
    traits = {
        "email": f"person{number}@customer.example",
        "firstName": f"First{number}",
        "lastName": f"Last{number}",
        "plan": ("Free", "Basic", "Premium")[number % 3],
        "company": {"name": f"Company {number % 500}", "employees": number % 1000},
        "logins": number % 97,
    }
    return Contact(
        id=number + 1,
        workspace=1,
        user_id=f"user-{number}",
        email=f"person{number}@customer.example",
        traits=msgspec.json.encode(traits),
        first_seen=NOW,
    )


def _message(chance: random.Random, people: int, index: int) -> dict[str, Any]:
    common = {
        "messageId": f"{chance.getrandbits(128):032x}",
        "userId": f"user-{chance.randrange(people)}",
        "timestamp": NOW.isoformat(),
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "integrations": {},
        "anonymousId": None,
    }
    if index % 10 < 3:
        return common | {"type": "identify", "traits": {"logins": chance.randrange(1000), "plan": "Premium"}}
    properties = {"path": f"/page/{index}", "depth": chance.randrange(100), "referrer": "https://example.com/"}
    return common | {"type": "track", "event": "Page Scrolled", "properties": properties}


if __name__ == "__main__":
    main()
