"""`python -m heard.heart`: the loops, the pages and the API as a process. The collector stands before it.

It serves two sockets in the data folder: `web.sock`, to which the collector hands on whatever is not a message, and
`heard.sock`, over which commands reach the one writer. It ends on SIGTERM, or when the pipe to its supervisor does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
from uvicorn import Config, Server

from heard import config, logging
from heard.control import Control
from heard.errors import HeardError
from heard.installation import Installation
from heard.operations import first_run
from heard.operations.opening import open_installation
from heard.sockets import short_path
from heard.store import answers

MANY_ANSWERS = 5_000
GRACE_SECONDS = 4
"""For requests in flight when the process is asked to stop."""
READY = b'{"ready":true,"missing":[]}'
READY_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(READY))]


def main() -> None:
    os.umask(0o077)  # what we make is for our own user only
    given = _arguments()
    try:
        settings = config.read(data=given.data)
        logging.set_up(settings.log_level)
        app = open_installation(settings, base_url=given.base_url, test_clock=given.test_clock)
        uvloop.run(_live(app, given.parent_fd))
    except HeardError as problem:
        sys.exit(str(problem))


def _arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(prog="python -m heard.heart", description="Routes, decides, sends, shows.")
    asked.add_argument("--data", type=Path, required=True, help="the data folder")
    asked.add_argument("--base-url", help="how links in mails begin, unless HEARD_BASE_URL says so")
    asked.add_argument("--test-clock", action="store_true", help="allow POST /api/test-clock")
    asked.add_argument("--parent-fd", type=int, help="a pipe; its end means that the supervisor died")
    return asked.parse_args()


async def _live(app: Installation, parent: int | None) -> None:
    try:
        await first_run.welcome(app)
        app.start()
        folder = app.settings.data
        servers = [
            (_server(Pages(app)), _listen(folder / "web.sock")),
            (_server(Control(app)), _listen(folder / "heard.sock")),
        ]

        def stop() -> None:
            for server, _ in servers:
                server.should_exit = True

        _when_asked_to_stop(stop, parent)
        warming = asyncio.create_task(_warm(app))
        await asyncio.gather(*(server._serve([listening]) for server, listening in servers))
        warming.cancel()
    finally:
        await app.close()


async def _warm(app: Installation) -> None:
    """Read many answers into memory before somebody waits for them: a second for every 20,000 or so.

    With few there is nothing to wait for, and an idle heart stays small.
    """
    if await app.store.read(partial(answers.more_than, few=MANY_ANSWERS)):
        await app.answers()


class Pages:
    """The pages and the API. They are half of what there is to load, so they are loaded once all is ready.

    Until they are there `/ready` is answered here, and whoever asks for anything else waits those moments.
    """

    def __init__(self, app: Installation) -> None:
        self._app = app
        self._site: asyncio.Task[Any] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        loaded = self._site is not None and self._site.done()
        if not loaded and scope["path"] == "/ready" and not self._app.pipeline.failing:
            await send({"type": "http.response.start", "status": 200, "headers": READY_HEADERS})
            await send({"type": "http.response.body", "body": READY})
            self._load()
            return
        site = await asyncio.shield(self._load())
        await site(scope, receive, send)

    def _load(self) -> asyncio.Task[Any]:
        def load() -> Any:
            from heard.app import application

            return application(self._app)

        if self._site is None:
            self._site = asyncio.create_task(asyncio.to_thread(load))
        return self._site


def _server(asgi: Any) -> Server:
    return Server(
        Config(
            asgi,
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            proxy_headers=False,
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


def _listen(path: Path) -> socket.socket:
    """A socket that only the owner of the folder can open, in the place of one that a crash left behind."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        with short_path(path) as name:
            listening.bind(name)
    finally:
        os.umask(before)
    listening.listen(1024)
    return listening


def _when_asked_to_stop(stop: Callable[[], None], parent: int | None) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    if parent is None:
        return

    def look() -> None:
        with suppress(BlockingIOError):
            if not os.read(parent, 4096):
                loop.remove_reader(parent)
                stop()

    os.set_blocking(parent, False)
    loop.add_reader(parent, look)


if __name__ == "__main__":
    main()
