"""`python -m heard.collector`: the collector as a process."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import logging
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

import uvloop
from uvicorn import Config, Server

from heard.board import Board
from heard.collector.app import Collector
from heard.collector.browser import Browser
from heard.collector.clients import Clients, networks
from heard.collector.connection import IDLE_SECONDS, Connection
from heard.collector.front import Front
from heard.collector.hook import Hooks
from heard.collector.keys import Keys
from heard.collector.rate import Rate
from heard.collector.suppressed import Suppressed
from heard.errors import HeardError
from heard.log.log import LogUnavailable
from heard.log.segments import SEGMENT_BYTES, SegmentWriter

BACKLOG = 4096
GRACE_SECONDS = 5
"""For requests in flight when the process is asked to stop."""
LOOK_EVERY = 0.2
"""Seconds between two looks at whether a new file is wanted."""


def main() -> int:
    os.umask(0o077)  # what we make is for our own user only
    given = _arguments()
    try:
        with _sole_collector(given.data):
            listening = _listen(given.host, given.port)
            uvloop.run(_serve(given, listening))
    except (HeardError, OSError) as problem:
        print(f"heard collector: {problem}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(
        prog="python -m heard.collector", description="Takes messages, keeps them on the log."
    )
    asked.add_argument("--data", type=Path, required=True, help="the data folder")
    asked.add_argument("--host", default="127.0.0.1")
    asked.add_argument("--port", type=int, default=8800, help="0 = any free one; it is printed")
    asked.add_argument("--base-path", default="", help="a path prefix that is also answered under, like /heard")
    asked.add_argument("--segment-bytes", type=int, default=SEGMENT_BYTES)
    asked.add_argument("--rate-limit", type=int, help="requests a second of each source; absent = as many as come")
    asked.add_argument("--trusted-proxies", type=networks, default=[], help="whose X-Forwarded-For is believed, CIDRs")
    asked.add_argument("--alone", action="store_true", help="there is no heart: be ready when messages are taken")
    asked.add_argument("--parent-fd", type=int, help="a pipe; its end means that the supervisor died")
    return asked.parse_args()


def _sole_collector(data: Path) -> IO[bytes]:
    """The lock that makes this the only writer of the log; held as long as the file is open."""
    data.mkdir(parents=True, exist_ok=True)
    lock = (data / "collector.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise HeardError(f"Another collector is running on {data}.") from None
    return lock


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as problem:
        raise HeardError(f"Cannot listen on {host}:{port}: {problem.strerror}.") from None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return listening


async def _serve(given: argparse.Namespace, listening: socket.socket) -> None:
    data: Path = given.data
    board = Board(data / "board")
    log = SegmentWriter(data / "log", board, segment_bytes=given.segment_bytes).start()
    for damage in log.damages:
        print(f"heard collector: {damage.length} damaged bytes at {damage.offset} set aside", file=sys.stderr)
    clients = Clients(given.trusted_proxies)
    app = Collector(
        board=board,
        log=log,
        keys=Keys(data / "keys.json", board),
        hooks=Hooks(data / "hooks.json", board),
        suppressed=Suppressed(data / "suppressed.json", board),
        browser=Browser(data / "browser.json", board),
        front=Front(data / "web.sock", clients),
        clients=clients,
        prefix=given.base_path.rstrip("/"),
        alone=given.alone,
        rate=Rate(given.rate_limit) if given.rate_limit else None,
    )
    server = Server(
        Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            proxy_headers=False,
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )

    def stop() -> None:
        app.draining = server.should_exit = True

    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # not a line for every scanner's garbage
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    if given.parent_fd is not None:
        _when_it_ends(given.parent_fd, stop)
    host, port = listening.getsockname()[:2]
    print(f"heard collector listens on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
    rotating = asyncio.create_task(_rotate_when_asked(board, log))
    try:
        await server._serve([listening])  # `serve` would install its own handlers and die of the signal again
    finally:
        rotating.cancel()
        await log.close()


async def _rotate_when_asked(board: Board, log: SegmentWriter) -> None:
    """The heart asks for a new file of the log, so that what is before it can be dropped whole."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if (wanted := board.rotations_wanted) != board.rotations_made:
            with suppress(LogUnavailable):  # asked for again at the next look
                await log.rotate()
                board.rotations_made = wanted


def _when_it_ends(descriptor: int, stop: object) -> None:
    loop = asyncio.get_running_loop()

    def look() -> None:
        with suppress(BlockingIOError):
            if not os.read(descriptor, 4096):
                loop.remove_reader(descriptor)
                stop()  # type: ignore[operator]

    os.set_blocking(descriptor, False)
    loop.add_reader(descriptor, look)


if __name__ == "__main__":
    sys.exit(main())
