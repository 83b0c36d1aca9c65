"""How much of what the machine can do does the collector give? Ours beside the floor, in one run.

    .venv/bin/python benchmarks/collector.py [--seconds 3] [--rounds 5] [--connections 64]

Both servers run from the start; rounds alternate between them, so that both see the same disk and neighbours. The load
comes from this process over keep-alive connections, each with one request in flight. `cpu` is what the server's process
spent on a request: it hardly depends on what else the machine does, so it shows a change before the rates do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import NamedTuple

import uvloop

HERE = Path(__file__).parent
TICK = 1 / os.sysconf("SC_CLK_TCK")


class Round(NamedTuple):
    rate: float
    """requests a second"""
    p50: float
    p99: float
    """milliseconds"""
    cpu: float
    """microseconds a request, of the server's process"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=3)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--connections", type=int, default=64)
    given = asked.parse_args()
    machine = f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, {given.connections} connections")
    with tempfile.TemporaryDirectory(dir=HERE) as folder:
        servers = {"ours": _start_ours(Path(folder)), "floor": _start_floor(Path(folder))}
        try:
            for title, messages, target in (("batch of 100", 100, 0.60), ("single track", 1, 0.40)):
                request = _request(messages)
                rounds: dict[str, list[Round]] = {name: [] for name in servers}
                for number in range(given.rounds + 1):
                    for name, (process, port) in servers.items():
                        one = uvloop.run(_load(port, process.pid, request, given.seconds, given.connections))
                        if number:  # the first warms up
                            rounds[name].append(one)
                _report(title, messages, len(request), rounds, target)
        finally:
            for process, _ in servers.values():
                process.terminate()
                process.wait()


def _report(title: str, messages: int, size: int, rounds: dict[str, list[Round]], target: float) -> None:
    print(f"\n{title} ({size:,} bytes a request)")
    print(f"{'':8}{'requests/s':>12}{'messages/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'cpu us':>9}")
    middle = {name: Round(*map(statistics.median, zip(*several, strict=True))) for name, several in rounds.items()}
    for name, one in middle.items():
        print(f"{name:8}{one.rate:12,.0f}{one.rate * messages:12,.0f}{one.p50:9.2f}{one.p99:9.2f}{one.cpu:9.1f}")
    ratios = [ours.rate / floor.rate for ours, floor in zip(rounds["ours"], rounds["floor"], strict=True)]
    print(
        f"ratio {middle['ours'].rate / middle['floor'].rate:.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f}), "
        f"cpu ratio {middle['floor'].cpu / middle['ours'].cpu:.2f}, target >= {target:.2f}"
    )


async def _load(port: int, pid: int, request: bytes, seconds: float, connections: int) -> Round:
    loop = asyncio.get_running_loop()
    clients = [Client(request) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)
    cpu, started = _cpu_seconds(pid), time.perf_counter()
    for client in clients:
        client.send()
    await asyncio.sleep(seconds)
    took, cpu = time.perf_counter() - started, _cpu_seconds(pid) - cpu
    for client in clients:
        client.stop()
    await asyncio.sleep(0.2)
    waits = sorted(wait for client in clients for wait in client.waits)
    count = len(waits)
    return Round(count / took, waits[count // 2] * 1e3, waits[count * 99 // 100] * 1e3, cpu / count * 1e6)


class Client(asyncio.Protocol):
    """Sends the next request as soon as the one before is answered."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.waits: list[float] = []
        self._going = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if not data.endswith(b'{"success":true}'):
            if data.startswith(b"HTTP/1.1 200 OK"):
                return  # head and body may come apart
            raise AssertionError(data)
        if self._going:
            self.waits.append(time.perf_counter() - self._sent)
            self.send()
        else:
            self._transport.close()

    def send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def stop(self) -> None:
        """Leave once the request in flight is answered."""
        self._going = False


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def _request(messages: int) -> bytes:
    """As `segment-analytics-python` 2.4 sends it: about 370 bytes a message."""

    def message(number: int) -> dict[str, object]:
        return {
            "type": "track",
            "userId": f"user-{number}",
            "anonymousId": None,
            "event": "Order Completed",
            "properties": {"order_id": f"o-{number}", "total": 12.5, "products": [{"sku": "a", "price": 3}]},
            "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
            "integrations": {},
            "timestamp": "2026-11-22T00:48:53.937+00:00",
            "messageId": str(uuid.UUID(int=number)),
        }

    sent = {"sentAt": "2026-11-22T00:48:54.001+00:00", "writeKey": "wk"}
    whole = message(1) | sent if messages == 1 else {"batch": [message(number) for number in range(messages)]} | sent
    body = json.dumps(whole).encode()
    path = "track" if messages == 1 else "batch"
    head = (
        f"POST /v1/{path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: analytics-python/2.4.0\r\n"
        f"authorization: Basic d2s6\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _start_ours(folder: Path) -> tuple[subprocess.Popen[str], int]:
    data = folder / "data"
    data.mkdir()
    (data / "keys.json").write_text('{"wk": 1}')
    return _started([sys.executable, "-m", "heard.collector", "--data", str(data), "--port", "0"])


def _start_floor(folder: Path) -> tuple[subprocess.Popen[str], int]:
    return _started([sys.executable, str(HERE / "floor_collector.py"), str(folder)])


def _started(command: list[str]) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline().rpartition(":")[2])


if __name__ == "__main__":
    main()
