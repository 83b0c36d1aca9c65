"""Webhooks a second: our client and the webhook kind, beside a bare httpx client that posts the same octets.

One run does both against one sink in another process, turn by turn, same number side by side:

- floor: the same signed request, made once, posted by httpx.AsyncClient as its manual shows;
- ours:  a request made and signed for each message, posted by the one way out, which checks address and answer.

    .venv/bin/python benchmarks/webhook.py [--messages 4000]

Ours needs no more of a processor than the floor, though it makes, signs and checks: bracket 0.8.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import platform
import resource
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import uvloop

from heard.destinations import webhook
from heard.destinations.destination import Request
from heard.outgoing.client import Client

AT_LEAST = 0.8
ROUNDS = 5
SIDE_BY_SIDE = (8, 32)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def message(number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"person{number}",
        "messageId": f"order-{number}",
        "properties": {
            "order_id": f"o-{number}",
            "total": 49.5,
            "currency": "EUR",
            "products": [{"sku": f"sku-{each}", "name": "Tea", "price": 9.9, "quantity": 1} for each in range(3)],
        },
        "context": {"traits": {"email": f"person{number}@example.com"}, "library": {"name": "analytics.js"}},
        "integrations": {},
        "timestamp": "2026-11-22T08:59:59.000Z",
    }


def request(number: int, url: str) -> Request:
    return webhook.request([message(number)], {"url": url, "secret": SECRET}, ids=[f"msg_{number}"], now=NOW)


class Sink(asyncio.Protocol):
    """As little of HTTP as takes a request: the length of its body is read, the rest is counted off."""

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
            self._held = self._held[whole:]
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


def serve(port: multiprocessing.Queue[int]) -> None:
    uvloop.install()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    server = loop.run_until_complete(loop.create_server(Sink, "127.0.0.1", 0))
    port.put(server.sockets[0].getsockname()[1])
    loop.run_forever()


Post = Callable[[int], Awaitable[object]]


async def measured(post: Post, numbers: range, side_by_side: int) -> tuple[float, float]:
    """Requests a second, and microseconds of our processor a request."""
    waiting = iter(numbers)

    async def one_after_the_other() -> None:
        for number in waiting:
            await post(number)

    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one_after_the_other() for _ in range(side_by_side)))
    count = len(numbers)
    return count / (time.perf_counter() - began), (time.process_time() - used) / count * 1e6


async def compare(port: int, messages: int, side_by_side: int) -> dict[str, list[tuple[float, float]]]:
    url = f"http://127.0.0.1:{port}/in"
    client, constant = Client(allow_private=True), request(0, url)
    async with httpx.AsyncClient() as bare:

        async def floor(_: int) -> None:
            answer = await bare.post(url, content=constant.body, headers=dict(constant.headers))
            assert answer.status_code == 200

        async def ours(number: int) -> None:
            answer = await client.send(request(number, url))
            assert answer.status == 200, answer

        ways: dict[str, Post] = {"floor": floor, "ours": ours}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for post in ways.values():
            await measured(post, range(200), side_by_side)
        for turn in range(ROUNDS):
            for name in list(ways) if turn % 2 == 0 else list(reversed(ways)):
                numbers = range(turn * messages // ROUNDS, (turn + 1) * messages // ROUNDS)
                found[name].append(await measured(ways[name], numbers, side_by_side))
    await client.close()
    return found


def report(side_by_side: int, found: dict[str, list[tuple[float, float]]]) -> None:
    """The share is the median over turns of the rate beside the floor's in the same turn: neighbours hit both."""
    share = statistics.median(ours[0] / floor[0] for ours, floor in zip(found["ours"], found["floor"], strict=True))
    print(f"{side_by_side} side by side")
    for name, label in (("floor", "bare httpx"), ("ours", "the way out")):
        rate, used = (statistics.median(each[part] for each in found[name]) for part in (0, 1))
        print(f"  {label:<12} {rate:7,.0f} requests/s   {used:6.0f} us of CPU a request")
    verdict = "holds" if share >= AT_LEAST else "FALLS SHORT"
    print(f"  ours is {share:.2f} of the floor (at least {AT_LEAST}: {verdict})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=4000)
    asked = parser.parse_args()

    print(f"{platform.platform()}, {multiprocessing.cpu_count()} cores, Python {platform.python_version()}")
    size = len(request(0, "http://127.0.0.1/in").body)
    print(f"{asked.messages} messages each, {size} octets a body")
    port: multiprocessing.Queue[int] = multiprocessing.Queue()
    sink = multiprocessing.Process(target=serve, args=(port,), daemon=True)
    sink.start()
    try:
        at = port.get(timeout=20)
        for side_by_side in SIDE_BY_SIDE:
            report(side_by_side, uvloop.run(compare(at, asked.messages, side_by_side)))
    finally:
        sink.terminate()
        sink.join(10)
    print(f"largest RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f} MB (both clients in it)")


if __name__ == "__main__":
    main()
