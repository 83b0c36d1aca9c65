"""The whole of `heard serve` under a steady load: how late is what it acknowledges, and what it makes of it?

    .venv/bin/python benchmarks/serve.py [--seconds 60] [--rate 5000] [--singles 0.1] [--orders 2]

A load generator in a process of its own sends messages at a fixed pace, on time whatever the answers do: batches of 20
and single calls, identifies and tracks, and now and then an order that matches a running campaign, so that mails go out
to a server beside it. `ack` runs from the moment a request was due to be sent until its 200 (so a stall is counted for
everybody it delays). `route lag` runs from the receipt of a message until it is committed with all that it led to: the
heart says it of every batch, and /metrics is asked ten times a second.

The floor for the acknowledgement is the collector alone at the same pace, in the same run; for the rest there is none.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import platform
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from typing import Any, NamedTuple

import uvloop
from sink import Sink
from tree import KEY, Tree, cpu_seconds, megabytes, share

BATCH = 20
CONNECTIONS = 16
PEOPLE = 20_000
LAG_TARGET, ACK_TARGET = 2.0, 0.025
HEAD = (
    "POST /v1/{} HTTP/1.1\r\nhost: localhost\r\nuser-agent: analytics-python/2.4.0\r\nauthorization: Basic {}\r\n"
    "content-type: application/json\r\ncontent-length: {}\r\n\r\n"
)
CREDENTIALS = b64encode(f"{KEY}:".encode()).decode()


class Load(NamedTuple):
    rate: float
    """messages a second, in all"""
    singles: float
    """the part of the messages that come one a request"""
    orders: float
    """matching orders a second, each of somebody new"""
    seconds: float


class Sent(NamedTuple):
    messages: int
    took: float
    waits: list[float]
    """seconds, sorted"""
    refused: int


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--rate", type=float, default=5000)
    asked.add_argument("--singles", type=float, default=0.1)
    asked.add_argument("--orders", type=float, default=2)
    given = asked.parse_args()
    load = Load(given.rate, given.singles, given.orders, given.seconds)
    print(f"{platform.platform()}, {multiprocessing.cpu_count()} cores, Python {platform.python_version()}")
    print(
        f"{load.rate:,.0f} messages/s for {load.seconds:g} s: {load.singles:.0%} single, the rest in batches of {BATCH}"
    )
    with tempfile.TemporaryDirectory() as folder:
        _alone(Path(folder), load)
        _whole(Path(folder), load)


def _alone(folder: Path, load: Load) -> None:
    """The collector by itself: nobody reads its log."""
    data = folder / "alone"
    data.mkdir()
    (data / "keys.json").write_text(json.dumps({KEY: 1}))
    command = [sys.executable, "-m", "heard.collector", "--data", str(data), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        before = cpu_seconds(process.pid)
        sent = _generate(port, load)
        print(f"\nthe collector alone (floor)\n  {_told(sent)}")
        print(f"  cpu: collector {(cpu_seconds(process.pid) - before) / sent.took:.0%}")
    finally:
        process.terminate()
        process.wait()


def _whole(folder: Path, load: Load) -> None:
    with Sink() as sink, Tree(folder, environment={"HEARD_SMTP_URL": sink.url}) as tree:
        pids = tree.pids()
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        lags: list[float] = []
        backlog: list[float] = []
        with multiprocessing.Pool(1) as pool:
            generating = pool.apply_async(_generate, (tree.port, load))
            while not generating.ready():
                text = tree.get("/metrics")
                lags.append(_value(text, "heard_route_lag_seconds"))
                backlog.append(_value(text, "heard_log_backlog_bytes"))
                generating.wait(0.1)
            sent = generating.get()
        cpu = {name: (cpu_seconds(pid) - before[name]) / sent.took for name, pid in pids.items()}
        ended = time.monotonic()
        while (routed := tree.metric("heard_routed_messages_total")) < sent.messages and time.monotonic() < ended + 60:
            time.sleep(0.02)
        drained = time.monotonic() - ended
        memory = {name: megabytes(pid) for name, pid in pids.items()}
        mails = len(sink.arrivals())
    lags.sort()
    print(f"\nheard serve\n  {_told(sent)}")
    print(f"  route lag p50 {share(lags, 50):.3f} s, p99 {share(lags, 99):.3f} s, longest {lags[-1]:.3f} s", end="")
    print(f"; largest backlog {max(backlog) / 1e6:.1f} MB, drained {drained:.1f} s after the last; {mails} mails")
    print("  cpu: " + ", ".join(f"{name} {part:.0%}" for name, part in cpu.items()), end="")
    print("; PSS: " + ", ".join(f"{name} {size:.0f} MB" for name, size in memory.items()))
    print(f"  all messages routed: {_holds(routed >= sent.messages)} ({routed:,.0f} of {sent.messages:,})")
    print(f"  route lag p99 target < {LAG_TARGET:g} s: {_holds(share(lags, 99) < LAG_TARGET)}")
    print(f"  ack p99 target < {ACK_TARGET * 1e3:g} ms: {_holds(share(sent.waits, 99) < ACK_TARGET)}")


def _told(sent: Sent) -> str:
    return (
        f"{sent.messages / sent.took:,.0f} messages/s, ack p50 {share(sent.waits, 50) * 1e3:.1f} ms,"
        f" p99 {share(sent.waits, 99) * 1e3:.1f} ms, longest {sent.waits[-1] * 1e3:.0f} ms; {sent.refused} refused"
    )


# ── the load generator ──


def _generate(port: int, load: Load) -> Sent:
    return uvloop.run(_send(port, load))


async def _send(port: int, load: Load) -> Sent:
    """Requests leave when they are due, each on the connection that has been free the longest, or waits for one."""
    loop = asyncio.get_running_loop()
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    connections: list[_Connection] = []
    for _ in range(CONNECTIONS):
        _, connection = await loop.create_connection(lambda: _Connection(free), "127.0.0.1", port)
        connections.append(connection)
        free.put_nowait(connection)
    singles, batches = load.rate * load.singles, load.rate * (1 - load.singles) / BATCH
    every = 1 / (singles + batches)
    count = int(load.seconds / every)
    began = loop.time()
    messages = order = 0
    for number in range(count):
        due = began + number * every
        if (early := due - loop.time()) > 0:
            await asyncio.sleep(early)
        single = (number * singles) // (singles + batches) < ((number + 1) * singles) // (singles + batches)
        new_orders = int((due - began) * load.orders) - order if not single else 0
        request = _request(number, 1 if single else BATCH, range(order, order + new_orders))
        order += max(0, new_orders)
        messages += 1 if single else BATCH
        (await free.get()).send(request, due)
    for _ in range(CONNECTIONS):
        await free.get()
    took = loop.time() - began
    waits = sorted(wait for each in connections for wait in each.waits)
    return Sent(messages, took, waits, sum(each.refused for each in connections))


class _Connection(asyncio.Protocol):
    def __init__(self, free: asyncio.Queue[Any]) -> None:
        self._free = free
        self.waits: list[float] = []
        self.refused = 0
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def send(self, request: bytes, due: float) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if not data.endswith(b"}"):
            return  # head and body may come apart
        self.refused += not data.endswith(b'{"success":true}')
        self.waits.append(self._loop.time() - self._due)
        self._free.put_nowait(self)


def _request(number: int, size: int, orders: range) -> bytes:
    """`size` messages: three identifies in ten, the rest tracks; and the orders of people nobody knew before."""
    messages = [_message(number * BATCH + index) for index in range(size - 2 * len(orders))]
    for order in orders:
        who = f"buyer-{order}"
        messages.append(_identify(who, order, f"i{number}-{order}"))
        messages.append(_track(who, "Order Completed", {"total": 25.5, "order_id": f"o-{order}"}, f"o{number}-{order}"))
    if size == 1:
        path, body = messages[0]["type"], json.dumps(messages[0])
    else:
        path, body = "batch", json.dumps({"batch": messages, "sentAt": _now()})
    return (HEAD.format(path, CREDENTIALS, len(body)) + body).encode()


def _message(index: int) -> dict[str, Any]:
    person = index * 7919 % PEOPLE
    if index % 10 < 3:
        return _identify(f"user-{person}", person, f"m{index}")
    return _track(
        f"user-{person}", "Page Scrolled", {"path": f"/page/{index % 997}", "depth": index % 100}, f"m{index}"
    )


def _identify(who: str, number: int, message_id: str) -> dict[str, Any]:
    traits = {
        "email": f"{who}@customer.example",
        "plan": ("Free", "Basic", "Premium")[number % 3],
        "company": {"name": f"Company {number % 500}"},
    }
    return {"type": "identify", "userId": who, "traits": traits, **_common(message_id)}


def _track(who: str, event: str, properties: dict[str, Any], message_id: str) -> dict[str, Any]:
    return {"type": "track", "userId": who, "event": event, "properties": properties, **_common(message_id)}


def _common(message_id: str) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "anonymousId": None,
        "timestamp": _now(),
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "integrations": {},
    }


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


def _value(text: str, name: str) -> float:
    return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} ")), 0.0)


def _holds(it_does: bool) -> str:
    return "holds" if it_does else "FALLS SHORT"


if __name__ == "__main__":
    main()
