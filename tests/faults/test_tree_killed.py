"""`kill -9` at random moments, under load, mails going out: what was promised before the kill is true after it.

CI kills fifty times; elsewhere ten have to do. The seed is printed, and what it decides is when and what is killed.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.contracts.mail_server import MailServer
from tests.faults import promises
from tests.faults.shoppers import CREDENTIALS, LibraryShop, Shop
from tests.flow.running import RunningHeard, eventually

KILLS = 50 if os.environ.get("CI") else 10
SHOPS = 3
CONNECTIONS = 4
AT_WORK = (0.0, 0.7)  # seconds after the tree is ready in which it is killed
WHILE_STARTING = (0.0, 1.2)  # or after it was started, every fourth time
COLLECTS_WITHIN, READY_WITHIN = 3.0, 6.0  # seconds in the median, under load and with neighbours; idle it is a third
PROBE = "POST /v1/track HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {}\r\ncontent-length: {}\r\n\r\n{}"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def heard(tmp_path: Path, mail_server: MailServer) -> Iterator[RunningHeard]:
    smtp = {"HEARD_SMTP_URL": mail_server.url, "HEARD_SMTP_CONNECTIONS": str(CONNECTIONS)}
    with RunningHeard(tmp_path / "data", environment=smtp) as running:
        yield running


def test_whatever_was_promised_before_a_kill_is_true_after_it(heard: RunningHeard, mail_server: MailServer):
    seed = time.time_ns() & 0xFFFF
    chance = random.Random(seed)
    shops = [Shop(heard.port, f"shop{number}", seed=seed) for number in range(SHOPS)]
    library = LibraryShop(heard.url)
    with open_shops(*shops, library):
        collecting, ready = list[float](), list[float]()
        time.sleep(chance.uniform(*AT_WORK))
        heard.kill()
        heard.launch()
        for number in range(KILLS - 1):
            if number % 4 == 3:
                time.sleep(chance.uniform(*WHILE_STARTING))
            else:
                collects, is_ready = restarted(heard, number)
                collecting.append(collects)
                ready.append(is_ready)
                time.sleep(chance.uniform(*AT_WORK))
            heard.kill()
            heard.launch()
        eventually(heard.is_ready, what="ready")
    assert library.lost == []
    heard.settle()
    heard.stop()

    acknowledged = [message for shop in (*shops, library) for message in shop.acknowledged]
    kept = promises.check_all(
        heard.data, acknowledged=acknowledged, mails=mail_server.taken, most_unknown=KILLS * CONNECTIONS
    )
    print(f"\nseed {seed}, {KILLS} kills: {len(set(acknowledged))} acknowledged, {kept}")
    print(
        f"refused or cut off: {sum(shop.refused for shop in shops)} of {sum(shop.requests for shop in shops)} requests"
    )
    report("first 200 after a restart", collecting)
    report("ready after a restart", ready)
    assert promises.mailed_to(heard.data) == {box for shop in shops for box in shop.mailboxes}
    assert statistics.median(collecting) < COLLECTS_WITHIN
    assert statistics.median(ready) < READY_WITHIN


def test_while_the_heart_is_killed_the_collector_goes_on_taking_messages(heard: RunningHeard, mail_server: MailServer):
    seed = time.time_ns() & 0xFFFF
    shop = Shop(heard.port, "shop", seed=seed)
    kills = max(2, KILLS // 10)
    with open_shops(shop):
        for _ in range(kills):
            time.sleep(0.3)
            os.kill(heard.part("heard.heart"), signal.SIGKILL)
            eventually(lambda: not heard.is_ready(), what="the fall of the heart")
            eventually(heard.is_ready, what="the next heart")
    assert (shop.refused, len(shop.acknowledged) > 0) == (0, True)
    heard.settle()
    heard.stop()

    promises.check_all(
        heard.data, acknowledged=shop.acknowledged, mails=mail_server.taken, most_unknown=kills * CONNECTIONS
    )
    assert promises.mailed_to(heard.data) == shop.mailboxes


def test_a_killed_supervisor_takes_its_processes_with_it_and_the_next_one_takes_over(heard: RunningHeard):
    heard.send("track", userId="ted", event="Order Completed", messageId="before")
    assert heard.process is not None
    below = heard.pids()[1:]
    assert len(below) == 2
    os.kill(heard.process.pid, signal.SIGKILL)
    heard.process.wait()
    eventually(lambda: not any(is_alive(pid) for pid in below), what="their end")

    heard.start()
    heard.send("track", userId="ted", event="Order Completed", messageId="after")
    heard.settle()

    assert {each["message_id"] for each in heard.get("messages")["data"]} == {"before", "after"}


def open_shops(*shops: Shop | LibraryShop) -> ExitStack:
    """Shops that are open inside the `with`, and have brought everything to its end after it."""
    until = ExitStack()
    for shop in shops:
        shop.start()
        until.callback(finish, shop)
    for shop in shops:
        until.callback(shop.close)
    return until


def finish(shop: Shop | LibraryShop) -> None:
    shop.join(timeout=120)
    assert not shop.is_alive(), f"{shop.name} could not bring its messages in"


def restarted(heard: RunningHeard, number: int) -> tuple[float, float]:
    """Seconds from now until the collector acknowledges a message, and until all is ready."""
    began = time.monotonic()
    body = f'{{"userId":"probe","event":"Probed","messageId":"probe-{number}"}}'
    probe = PROBE.format(CREDENTIALS, len(body), body).encode()
    eventually(lambda: answers(heard.port, probe), what="the first 200", every=0.005)
    collects = time.monotonic() - began
    eventually(
        lambda: answers(heard.port, b"GET /ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"), what="ready"
    )
    return collects, time.monotonic() - began


def answers(port: int, request: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as opened:
            opened.sendall(request)
            return opened.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def report(what: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    print(f"{what}: median {statistics.median(ordered):.2f} s, p95 {p95:.2f} s, longest {ordered[-1]:.2f} s")
