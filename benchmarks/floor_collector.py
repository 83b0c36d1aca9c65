"""The least work that keeps the collector's promise: a bare asyncio protocol, a msgspec decode, one fdatasync a group.

It reads requests by hand (one content-length, no chunks, no time-outs), decodes the same Struct, looks up the key,
writes length, CRC-32C and body onto a preallocated file, and answers after the fdatasync. Nothing else: no limits, no
second door, no repair, no errors worth reading. What it cannot leave out is what the collector is measured against.
"""

from __future__ import annotations

import asyncio
import os
import queue
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from crc32c import crc32c

FILE_BYTES = 2 << 30
ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{"success":true}'


class Batch(msgspec.Struct):
    batch: msgspec.Raw = msgspec.Raw()
    writeKey: Any = None  # noqa: N815


decode = msgspec.json.Decoder(Batch).decode


class GroupedFile:
    """Records gather while the disk works; whoever waits is called once they are on it."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.posix_fallocate(self._descriptor, 0, FILE_BYTES)
        os.fsync(self._descriptor)
        self._loop = asyncio.get_running_loop()
        self._work: queue.SimpleQueue[tuple[list[bytes], list[asyncio.Transport]]] = queue.SimpleQueue()
        self._records: list[bytes] = []
        self._waiting: list[asyncio.Transport] = []
        self._busy = False
        threading.Thread(target=self._sync, daemon=True).start()

    def append(self, body: bytes, transport: asyncio.Transport) -> None:
        self._records += (struct.pack("<II", len(body), crc32c(body)), body)
        self._waiting.append(transport)
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        if not self._records:
            self._busy = False
            return
        self._work.put((self._records, self._waiting))
        self._records, self._waiting = [], []

    def _sync(self) -> None:
        position = 0
        while True:
            records, waiting = self._work.get()
            for first in range(0, len(records), 1024):
                position += os.pwritev(self._descriptor, records[first : first + 1024], position)
            os.fdatasync(self._descriptor)
            self._loop.call_soon_threadsafe(self._answer, waiting)

    def _answer(self, waiting: list[asyncio.Transport]) -> None:
        for transport in waiting:
            transport.write(ANSWER)
        self._hand_over()


class Bare(asyncio.Protocol):
    def __init__(self, file: GroupedFile) -> None:
        self._file = file
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data if self._buffer else data
        head = data.find(b"\r\n\r\n")
        if head >= 0:
            mark = data.find(b"content-length: ", 0, head) + 16
            end = head + 4 + int(data[mark : data.find(b"\r\n", mark)])
            if len(data) >= end:
                body = data[head + 4 : end]
                if decode(body).writeKey == "wk":
                    self._file.append(body, self._transport)
                data = data[end:]
        self._buffer = data


async def main(folder: Path) -> None:
    file = GroupedFile(folder / "floor.log")
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = await asyncio.get_running_loop().create_server(lambda: Bare(file), sock=listening)
    print(f"floor listens on http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
