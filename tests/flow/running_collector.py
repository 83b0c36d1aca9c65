"""A real collector process on a data folder, for tests to send to, to kill and to start again."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from heard.board import Board
from heard.log import Record
from heard.log.segments import SegmentReader
from heard.messages import Accepted, accepted

KEY, SOURCE = "wk_test", 7
PATIENCE = 20.0
Seen = TypeVar("Seen")


class Collector:
    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.options = options
        data.mkdir(parents=True, exist_ok=True)
        self.let_in({KEY: SOURCE})
        self.start()

    def start(self, **more: Any) -> None:
        command = [sys.executable, "-m", "heard.collector", "--data", str(self.data), "--port", "0", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "listens on" in line, line + self.process.stderr.read() if self.process.stderr else line
        self.url = line.split()[-1]
        self.port = int(self.url.rpartition(":")[2])
        self.http = httpx.Client(base_url=self.url, timeout=PATIENCE)

    def let_in(self, keys: dict[str, int]) -> None:
        self.publish("keys.json", keys)

    def publish(self, name: str, content: Any) -> None:
        """As the heart does it: rewrite the file, then bump the generation."""
        part = self.data / f"{name}.part"
        part.write_text(content if isinstance(content, str) else json.dumps(content))
        part.rename(self.data / name)
        self.board.keys_generation += 1

    @property
    def board(self) -> Board:
        return Board(self.data / "board")

    def post(self, path: str, body: Any, *, key: str | None = KEY, **more: Any) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(
            path, content=content, auth=httpx.BasicAuth(key, "") if key else httpx.USE_CLIENT_DEFAULT, **more
        )

    def kept(self) -> list[Accepted]:
        """Every request that is on the log."""
        reader, offset, found = SegmentReader(self.data / "log", self.board), 0, list[Accepted]()
        while part := reader.read(offset):
            assert all(isinstance(each, Record) for each in part), part
            found += [accepted.decode(each.payload) for each in part if isinstance(each, Record)]
            offset = part[-1].next_offset
        return found

    def raw(self, request: bytes) -> bytes:
        """Everything that the server says to these bytes, until it hangs up or has said one whole answer."""
        with self.connection() as opened:
            opened.sendall(request)
            return answer(opened)

    def connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    @contextmanager
    def no_room(self) -> Iterator[None]:
        """The disk takes nothing of what the collector writes."""
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        try:
            yield
        finally:
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def stop(self) -> int:
        return self.end(signal.SIGTERM)

    def kill(self) -> int:
        return self.end(signal.SIGKILL)

    def end(self, how: signal.Signals) -> int:
        self.http.close()
        if self.process.poll() is None:
            os.kill(self.process.pid, how)
        code = self.process.wait(timeout=PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code


@contextmanager
def running(data: Path, *options: str) -> Iterator[Collector]:
    collector = Collector(data, *options)
    try:
        yield collector
    finally:
        collector.kill()


def answer(opened: socket.socket) -> bytes:
    said = b""
    while part := opened.recv(65536):
        said += part
        head, _, body = said.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:") and len(body) >= int(line.split(b":")[1]):
                return said
    return said


def eventually(look: Callable[[], Seen], seconds: float = PATIENCE) -> Seen:
    """What `look` gives once it is true; asked again until then."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return seen
