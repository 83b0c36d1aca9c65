"""A real HTTP server on loopback that keeps what it is sent, and answers by a script: well, badly, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

import msgspec
import pytest

CERTIFICATE = Path(__file__).with_name("loopback.pem")  # for localhost and 127.0.0.1


class Received(msgspec.Struct, frozen=True):
    method: str
    path: str
    headers: dict[str, str]  # names in small letters
    body: bytes
    connection: int  # the how-manieth connection it came over
    reply: Reply = 0  # what it got; noted before it goes out, so it may be more than whoever was killed saw of it

    @property
    def status(self) -> int | None:
        """None where the reply was no answer at all, or one that goes on and on."""
        if isinstance(self.reply, bytes):
            return int(self.reply.split(b" ", 2)[1])
        return self.reply if isinstance(self.reply, int) else None


Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
Reply = int | bytes | Behaviour


class Receiver:
    """`script` is what it does, request after request, then 200. An int is a status, bytes go out as they are."""

    def __init__(self, *script: Reply, tls: bool = False, port: int = 0) -> None:
        self.script: list[Reply] = list(script)
        self.received: list[Received] = []
        self.connections = 0
        self.open = 0  # connections, now
        self.port = port
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self._stop: asyncio.Event

    def __enter__(self) -> Receiver:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def bodies(self) -> list[bytes]:
        return [each.body for each in self.received]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        context = None
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=context, backlog=1000)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        number = self.connections
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while (received := await _request(reader, number)) is not None:
                place = len(self.received)
                self.received.append(received)  # a script may go by it
                reply = self.script.pop(0) if self.script else 200
                self.received[place] = msgspec.structs.replace(received, reply=reply)
                if callable(reply):
                    await reply(writer)
                    break
                writer.write(reply if isinstance(reply, bytes) else answer(reply))
                await writer.drain()
        self.open -= 1
        writer.close()


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def a_gigabyte(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    for _ in range(1 << 14):
        writer.write(b"x" * (1 << 16))
        await writer.drain()


async def endless_chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
        await writer.drain()


def dripping(octets: bytes, *, every: float) -> Behaviour:
    """One octet at a time."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        for octet in octets:
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(every)

    return drip


async def _request(reader: asyncio.StreamReader, connection: int) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        assert name.lower() not in headers, f"{name} is there twice"
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, path, headers, body, connection)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def receivers() -> Iterator[Sequence[Receiver]]:
    """Ten of them, for what one must not do to the others."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Receiver()) for _ in range(10)]
