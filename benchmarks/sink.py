"""A mail server in a process of its own that takes every mail and says when whose mail was complete."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import uvloop
from mails import BareServer, serve


class Sink:
    """`with Sink() as sink:` listens on `sink.port`; `arrivals` empties what came: (recipient, seconds since 1970)."""

    def __init__(self) -> None:
        self._arrived: Any = multiprocessing.SimpleQueue()
        self._port: Any = multiprocessing.SimpleQueue()
        self._process = multiprocessing.Process(target=_serve, args=(self._port, self._arrived), daemon=True)

    def __enter__(self) -> Sink:
        self._process.start()
        self.port: int = self._port.get()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join(10)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def arrivals(self) -> list[tuple[str, float]]:
        came: list[tuple[str, float]] = []
        while not self._arrived.empty():
            came.append(self._arrived.get())
        return came


@contextmanager
def serving(kind: str) -> Iterator[int]:
    """The port of one of the servers of `mails.SERVERS`, in its own process."""
    port: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(kind, port), daemon=True)
    server.start()
    try:
        yield port.get(timeout=20)
    finally:
        server.terminate()
        server.join(10)


class _Noting(BareServer):
    def __init__(self, arrived: Any) -> None:
        self._arrived = arrived
        self._recipient = ""

    def data_received(self, data: bytes) -> None:
        if not self._in_text and data[:4].upper() == b"RCPT":
            self._recipient = data.partition(b"<")[2].partition(b">")[0].decode()
        was_in_text = self._in_text
        super().data_received(data)
        if was_in_text and not self._in_text:
            self._arrived.put((self._recipient, time.time()))


def _serve(port: Any, arrived: Any) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Noting(arrived), "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(serve())
