"""How a command gets its work done: by the heart when one runs on the data folder, else by itself on the same files."""

from __future__ import annotations

import json
import socket
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heard import config
from heard.board import Board
from heard.clock import Clock
from heard.config import Settings
from heard.errors import HeardError, InUse, Invalid, NotFound
from heard.sockets import short_path

if TYPE_CHECKING:
    from http.client import HTTPConnection

MAKES_A_FOLDER = {"init", "apply"}
LEAVING = 1.0  # seconds for another command that is just leaving
PATIENCE = 30.0  # seconds for a server that is just starting or leaving


def ask(operation: str, *, data: Path | None, **parameters: Any) -> Any:
    """The result of an operation (see `heard.operations`). Parameters that are None are not given.

    Raises:
        HeardError: whatever the operation says, or that nobody could be reached.
    """
    settings = config.read(data=data)
    given = {name: value for name, value in parameters.items() if value is not None}
    if operation not in MAKES_A_FOLDER:
        must_exist(settings)
    until = time.monotonic() + PATIENCE
    while (heart := _heart(settings)) is None:
        if not _is_in_use(settings):
            try:
                return _alone(settings, operation, given)
            except InUse:  # a server that was just starting took it first, and will answer soon
                continue
        if time.monotonic() > until:
            raise HeardError(f"Heard runs on {settings.data} but does not answer. Stop it, or try again in a moment.")
        time.sleep(0.05)
    return _answer(heart, operation, given)


def must_exist(settings: Settings) -> None:
    """Raises HeardError when there is no Heard in the data folder; asking must not make one."""
    if not (settings.data / "heart.lock").exists():
        raise HeardError(f"There is no Heard in {settings.data}. Run `heard init`, or name another folder with --data.")


def is_served(settings: Settings) -> bool:
    """Whether a heart answers on this data folder."""
    heart = _heart(settings)
    if heart is not None:
        heart.close()
    return heart is not None


def now(data: Path | None) -> datetime:
    """What time it is on this data folder; the test clock moves it for commands too."""
    return Clock(Board(config.read(data=data).data / "board")).now()


def _heart(settings: Settings) -> HTTPConnection | None:
    """A connection to the heart; None when none listens."""
    from http.client import HTTPConnection  # not needed to serve, which has to be quick

    connection = HTTPConnection("heard")
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        with short_path(settings.control_socket) as path:
            connection.sock.connect(path)
    except OSError:
        connection.close()
        return None
    return connection


def _answer(heart: HTTPConnection, operation: str, given: dict[str, Any]) -> Any:
    from http.client import HTTPException

    try:
        heart.request("POST", f"/{operation}", json.dumps(given), {"Content-Type": "application/json"})
        answer = heart.getresponse()
        said = json.loads(answer.read())
    except (OSError, HTTPException, ValueError):
        raise HeardError("The server stopped before it answered. Try again in a moment.") from None
    finally:
        heart.close()
    if "result" in said:
        return said["result"]
    error = said["error"]
    if answer.status == 404:
        raise NotFound(error["message"])
    raise Invalid(error["message"], field=error.get("field"))


def _is_in_use(settings: Settings) -> bool:
    from heard.operations.opening import is_free, prepare_folder

    prepare_folder(settings.data)
    return not is_free(settings.data)


def _alone(settings: Settings, operation: str, given: dict[str, Any]) -> Any:
    """Without a server: open the files, do the same work, leave."""
    import asyncio

    from heard import logging, operations
    from heard.operations.opening import open_installation

    async def work() -> Any:
        app = open_installation(settings, patience=LEAVING)
        try:
            return await operations.run(app, operation, given)
        finally:
            await app.close()

    logging.set_up(settings.log_level)
    return asyncio.run(work())
