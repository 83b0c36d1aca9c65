"""`kill -9` in the middle of dropping a day: what is left is what was not dropped yet, and the next round ends it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from heard.retention import Kind
from heard.routing.forward import Forward, State
from heard.store import days, dialects, forwards, keeping, messages, removals, tables
from heard.store.store import Store
from heard.store.types import micros
from tests.conftest import ROOT

OLD, NEW, MANY = 20261101, 20261120, 20_000
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOOK = 7


def fill(store: Store, day: int) -> None:
    def work(connection: Any) -> None:
        days.make(connection, day)
        body = '{"type":"track","properties":{"secret":"SEVERUS"}}' if day == OLD else "{}"
        at, rest = micros(AT), ("accepted", None, body, None)
        rows = [
            (1, 1, f"{day}-{n}", "track", "Visited", f"user {n * 7919 % 1000}", None, at, at, *rest)
            for n in range(MANY)
        ]
        first = messages.keep(connection, day, rows)
        forward = Forward(
            workspace=1,
            destination=HOOK,
            message=0,
            day=day,
            state=State.DEAD,
            attempts=1,
            first_at=AT,
            last_at=AT,
            next_at=None,
            reason="http_400",
        )
        every_tenth = range(first, first + MANY, 10)
        forwards.keep(connection, [msgspec.structs.replace(forward, message=number) for number in every_tenth])

    store.write_now(work)


def counted(store: Store, statement: str) -> Any:
    return store.read_now(lambda connection: dialects.fetch(connection, statement)[0][0])


def test_a_day_is_dropped_to_its_end_however_often_it_is_killed(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'heard.db'}"
    store = Store(url)
    store.write_now(lambda connection: tables.metadata.create_all(connection))
    for day in (OLD, NEW):
        fill(store, day)
    store.close()
    chance = random.Random(seed := time.time_ns() & 0xFFFF)
    print(f"seed {seed}")
    kills = 0
    for _ in range(4):
        command = [sys.executable, "-m", "tests.faults.dropping", url, str(OLD)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0.02, 0.15))
            child.kill()
            kills += child.stdout.read() == ""
        store = Store(url)
        left = counted(store, f"SELECT count(*) FROM messages_{OLD}")
        store.close()
        if left < MANY / 2:  # a quick machine: enough is gone, and there must be something left to look at
            break
    assert kills > 0

    store = Store(url)
    assert counted(store, "PRAGMA quick_check") == "ok"
    left = counted(store, f"SELECT count(*) FROM messages_{OLD}")
    theirs = counted(store, f"SELECT count(*) FROM forwards WHERE day = {OLD}")
    assert 0 < left < MANY
    assert abs(left / 10 - theirs) < 2  # what became of a message goes in the transaction in which it goes
    assert store.read_now(removals.all_)[Kind.MESSAGES].n == MANY - left
    while store.write_now(lambda found: keeping.drop_a_piece(found, OLD, [(1, HOOK)], run=AT)):
        pass
    assert store.read_now(days.kept) == [NEW]
    assert counted(store, f"SELECT count(*) FROM messages_{NEW}") == MANY
    assert counted(store, "SELECT count(*) FROM forwards") == MANY // 10
    store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.glob("heard.db*"))
    assert b"SEVERUS" not in content
