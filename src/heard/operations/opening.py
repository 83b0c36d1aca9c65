"""Opening an installation when it may be a moment before it is free: another process is just leaving it."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import TYPE_CHECKING

from heard.config import Settings
from heard.errors import HeardError

if TYPE_CHECKING:
    from heard.installation import Installation

PATIENCE = 10.0  # seconds


def open_installation(
    settings: Settings, *, base_url: str | None = None, test_clock: bool = False, patience: float = PATIENCE
) -> Installation:
    """The installation in `settings.data`, as soon as no other heart or command has it open.

    Raises:
        InUse: it stays so for `patience` seconds.
        HeardError: it cannot be written, or is newer than this program.
    """
    from heard.installation import Installation  # heavy, and a command that finds a server needs none of it

    prepare_folder(settings.data)
    until = time.monotonic() + patience
    while not is_free(settings.data) and time.monotonic() < until:
        time.sleep(0.02)
    return Installation(settings, base_url=base_url, test_clock=test_clock)


def prepare_folder(data: Path) -> None:
    """Make the data folder, for its owner only. Raises HeardError when that cannot be."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (data / "heart.lock").open("ab"):
            pass
    except OSError as problem:
        raise HeardError(f"The data folder {data} cannot be written: {problem.strerror}.") from None


def is_free(data: Path) -> bool:
    """Whether nobody holds the heart's lock at this moment."""
    with (data / "heart.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
