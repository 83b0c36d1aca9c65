"""Destinations as a whole: how fast a courier goes, and whether one in trouble costs the others anything.

1. A backlog of messages, already on record, goes to one webhook: reading, shaping, signing, posting, committing.
   Floor: the same client posting the same documents, made before, with nothing to keep.
2. Ten webhooks under a steady load through the whole tree: all of them quick; then one that never answers, one that
   answers a gigabyte, one that resets and fails by turns, one that redirects inward. The latency of the other nine,
   from the moment before a message is sent to its arrival, should not move. Each round has all five, one after the
   other, and each trouble is compared with the quiet turn of its round; the median of the rounds counts. A disk that
   stalls for half a second sets every p99 by itself: `--in-memory` leaves it out.

    .venv/bin/python benchmarks/couriers.py [--messages 5000] [--seconds 15] [--rate 10] [--rounds 5] [--in-memory]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import platform
import statistics
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import uvloop
from tree import HEARD, KEY, Tree, share

from heard import config
from heard.courier import LANES
from heard.destinations import webhook
from heard.installation import Installation
from heard.log.segments import SegmentWriter
from heard.messages import accepted
from heard.messages.accepted import Accepted
from heard.operations import workspace_file
from heard.outgoing.client import Client
from heard.store import messages
from heard.store.types import micros

NEXT_TO_FLOOR = 0.5
UNMOVED = 1.5  # at most so many times the p99 when all are quick
TROUBLE = {
    "quick0": "all ten are quick",
    "hang": "one never answers",
    "huge": "one answers 1 GB",
    "flap": "one resets and fails",
    "inward": "one redirects inward",
}
HUGE, PIECE = 1 << 30, bytes(1 << 16)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Sink(asyncio.Protocol):
    """Takes requests, and tells how long each was on its way; the paths of TROUBLE get what they are called after."""

    arrivals: Any = None
    turn = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._held = b""

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            at = head.index(b"content-length:") + 15
            whole = end + 4 + int(head[at:].split(b"\r\n", 1)[0])
            if len(self._held) < whole:
                return
            body, self._held = self._held[end + 4 : whole], self._held[whole:]
            path = head.split(b" ", 2)[1]
            if self._is_trouble(path):
                continue
            if path != b"/silent":
                self.arrivals.put((path.decode(), time.time() - json.loads(body)["properties"]["sent"]))
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    def _is_trouble(self, path: bytes) -> bool:
        match path:
            case b"/hang":
                pass
            case b"/huge":
                self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % HUGE)
                self._pour()
            case b"/flap":
                type(self).turn += 1
                if self.turn % 2:
                    self._transport.abort()
                else:
                    self._transport.write(b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n")
            case b"/inward":
                self._transport.write(b"HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n")
            case _:
                return False
        return True

    def _pour(self) -> None:
        """As fast as it is taken."""
        if not self._transport.is_closing():
            if self._transport.get_write_buffer_size() < len(PIECE):
                self._transport.write(PIECE)
            asyncio.get_running_loop().call_later(0.001, self._pour)


def serve(port: Any, arrivals: Any) -> None:
    uvloop.install()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    Sink.arrivals = arrivals
    server = loop.run_until_complete(loop.create_server(Sink, "127.0.0.1", 0))
    port.put(server.sockets[0].getsockname()[1])
    loop.run_forever()


def order(number: int) -> dict[str, Any]:
    products = [{"sku": f"sku-{each}", "name": "Tea", "price": 9.9, "quantity": 1} for each in range(3)]
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"person{number}",
        "messageId": f"order-{number}",
        "properties": {"order_id": f"o-{number}", "total": 49.5, "products": products, "sent": time.time()},
    }


# ── a backlog ──


async def backlog(url: str, count: int) -> tuple[float, float]:
    """Messages a second: a courier's, and the client's alone."""
    with tempfile.TemporaryDirectory() as folder:
        settings = config.read({"HEARD_ALLOW_PRIVATE_NETWORK": "on"}, data=Path(folder))
        app = Installation(settings)
        (Path(folder) / "log").mkdir(exist_ok=True)
        log = SegmentWriter(Path(folder) / "log", app.board).start()
        hook = {"name": "Hook", "type": "webhook", "settings": {"url": url, "secret": SECRET}}
        content = {"workspace": "Acme", "sources": [{"name": "Website", "write_key": KEY}], "destinations": [hook]}
        await workspace_file.apply(app, content=content)
        for first in range(0, count, 100):
            body = msgspec.json.encode({"batch": [order(first + each) for each in range(100)]})
            now = micros(app.clock.now())
            await log.append(accepted.encode(Accepted(1, "batch", now, "", "", body)))
        while await app.pipeline.route_once():
            pass
        (courier,) = app.couriers.by_destination.values()
        began = time.perf_counter()
        while await courier.step():
            pass
        ours = count / (time.perf_counter() - began)
        kept = app.store.read_now(partial(messages.after, position=0, limit=count))
        requests = [
            webhook.request(
                [msgspec.json.decode(each.kept.body)], hook["settings"], ids=[f"msg_{index}"], now=app.clock.now()
            )
            for index, each in enumerate(kept)
        ]
        client, waiting = Client(allow_private=True), iter(requests)

        async def lane() -> None:
            for request in waiting:
                await client.send(request)

        began = time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(LANES)))
        floor = len(requests) / (time.perf_counter() - began)
        await client.close()
        await app.close()
        await log.close()
    return ours, floor


# ── ten destinations ──


def ten(port: int, rate: int, seconds: int, arrivals: Any, *, first: str, place: str | None) -> list[float]:
    """Latencies in seconds at the nine that are quick in every run."""
    paths = [f"/{first}", *(f"/quick{number}" for number in range(1, 10))]
    destinations = [
        {"name": path, "type": "webhook", "settings": {"url": f"http://127.0.0.1:{port}{path}"}} for path in paths
    ]
    with (
        tempfile.TemporaryDirectory(dir=place) as folder,
        Tree(Path(folder), environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"}) as tree,
    ):
        file = Path(folder) / "ten.json"
        file.write_text(json.dumps({"workspace": "Acme", "destinations": destinations}))
        apply = [HEARD, "apply", str(file), "--data", str(tree.data)]
        environment = {**tree.environment, "HEARD_ALLOW_PRIVATE_NETWORK": "on"}
        subprocess.run(apply, env=environment, check=True, stdout=subprocess.DEVNULL)
        with httpx.Client(base_url=f"http://127.0.0.1:{tree.port}", auth=(KEY, "")) as sender:
            began = time.monotonic()
            for number in range(rate * seconds):
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
                assert sender.post("/v1/track", json=order(number)).status_code == 200
        time.sleep(2)
    found: list[float] = []
    while not arrivals.empty():
        path, waited = arrivals.get()
        if path != "/quick0":
            found.append(waited)
    return sorted(found)


def tell(rounds: list[dict[str, list[float]]]) -> None:
    """Medians over the rounds; a ratio is one of two turns of one round."""
    quiet = next(iter(TROUBLE))
    for first, label in TROUBLE.items():
        p50, p99 = (statistics.median(share(each[first], of) for each in rounds) * 1000 for of in (50, 99))
        arrivals = sum(len(each[first]) for each in rounds)
        print(f"{label:<22} {arrivals:,} arrivals at the others, p50 {p50:.0f} ms, p99 {p99:.0f} ms", end="")
        if first == quiet:
            print()
            continue
        ratios = sorted(share(each[first], 99) / share(each[quiet], 99) for each in rounds)
        ratio = statistics.median(ratios)
        verdict = "holds" if ratio <= UNMOVED else "FALLS SHORT"
        print(f": {ratio:.2f} times ({ratios[0]:.2f} to {ratios[-1]:.2f}; at most {UNMOVED}: {verdict})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--rate", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-memory", action="store_true")
    asked = parser.parse_args()

    print(f"{platform.platform()}, {multiprocessing.cpu_count()} cores, Python {platform.python_version()}")
    port: Any = multiprocessing.SimpleQueue()
    arrivals: Any = multiprocessing.SimpleQueue()
    sink = multiprocessing.Process(target=serve, args=(port, arrivals), daemon=True)
    sink.start()
    at = port.get()
    try:
        turns = [uvloop.run(backlog(f"http://127.0.0.1:{at}/silent", asked.messages)) for _ in range(3)]
        ours, floor = (statistics.median(turn[part] for turn in turns) for part in (0, 1))
        ratio = statistics.median(turn[0] / turn[1] for turn in turns)
        verdict = "holds" if ratio >= NEXT_TO_FLOOR else "FALLS SHORT"
        print(f"backlog to one webhook: {ours:,.0f} messages/s, the client alone {floor:,.0f}")
        print(f"  {ratio:.2f} of the floor (at least {NEXT_TO_FLOOR}: {verdict})")
        place = "/dev/shm" if asked.in_memory else None
        rounds: list[dict[str, list[float]]] = []
        for number in range(asked.rounds):
            print(f"ten webhooks, round {number + 1} of {asked.rounds}", flush=True)
            rounds.append(
                {first: ten(at, asked.rate, asked.seconds, arrivals, first=first, place=place) for first in TROUBLE}
            )
        tell(rounds)
    finally:
        sink.terminate()
        sink.join(10)


if __name__ == "__main__":
    main()
