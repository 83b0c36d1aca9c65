"""`kill -9` of the collector at random moments under load: what was acknowledged is on the log, once and in order."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.flow.running_collector import KEY, Collector, answer, running

CLIENTS = 8


class Sender(threading.Thread):
    """Sends one message after another on one connection and remembers which were acknowledged."""

    def __init__(self, port: int, name: str) -> None:
        super().__init__(daemon=True)
        self.port, self.prefix = port, name
        self.acknowledged: list[str] = []

    def run(self) -> None:
        number = 0
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as opened:
                while True:
                    name = f"{self.prefix}-{number}"
                    number += 1
                    body = json.dumps(
                        {"event": "x", "userId": "u", "messageId": name, "writeKey": KEY, "pad": "p" * 3000}
                    )
                    head = f"POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
                    opened.sendall((head + body).encode())
                    if not answer(opened).startswith(b"HTTP/1.1 200"):
                        return
                    self.acknowledged.append(name)
        except OSError:
            return


def rounds(collector: Collector, count: int, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    for number in range(count):
        senders = [Sender(collector.port, f"{number}-{client}") for client in range(CLIENTS)]
        for sender in senders:
            sender.start()
        time.sleep(chance.uniform(0.05, 0.25))
        os.kill(collector.process.pid, signal.SIGKILL)
        for sender in senders:
            sender.join(timeout=15)
            acknowledged.update(sender.acknowledged)
        collector.kill()
        started = time.monotonic()
        collector.start()
        assert collector.http.get("/health").status_code == 200
        assert time.monotonic() - started < 5
    kept = [json.loads(each.body)["messageId"] for each in collector.kept()]
    assert acknowledged
    assert acknowledged <= set(kept), f"lost with seed {seed}: {sorted(acknowledged - set(kept))[:5]}"
    assert len(kept) == len(set(kept))
    by_sender: dict[str, list[int]] = {}
    for name in kept:
        sender, _, sequence = name.rpartition("-")
        by_sender.setdefault(sender, []).append(int(sequence))
    assert all(sequence == sorted(sequence) for sequence in by_sender.values())


def test_nothing_acknowledged_is_lost(tmp_path: Path):
    with running(tmp_path, "--segment-bytes", str(1 << 20)) as collector:
        rounds(collector, 4, seed=time.time_ns() & 0xFFFF)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_in_forty_kills(tmp_path: Path):
    with running(tmp_path, "--segment-bytes", str(1 << 20)) as collector:
        rounds(collector, 40, seed=time.time_ns() & 0xFFFF)
