"""What belongs to a demo: a folder with `demo.json` in it, which says whether its history is whole.

A history that was interrupted is worth nothing and made again. A folder without that file is somebody's own, whatever
its name, and is never touched.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from heard.errors import HeardError

LOCK, MARK = "serve.lock", "demo.json"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What `demo.json` says. `whole` is false from the first file on until everything is there."""

    whole: bool
    at: datetime  # when the story ends
    free: tuple[str, ...] = ()  # userIds of people who had not been asked for long
    refused: tuple[str, ...] = ()  # userIds of people who had just been declined, most objections first


def read(folder: Path) -> Made | None:
    """None: this is no demo's folder."""
    try:
        return msgspec.json.decode((folder / MARK).read_bytes(), type=Made)
    except (OSError, msgspec.MsgspecError):
        return None


def may_be_used(folder: Path) -> bool:
    """Whether a demo may live here: one does, or nothing does."""
    return read(folder) is not None or not folder.exists() or (folder.is_dir() and not _content(folder))


def write(folder: Path, made: Made) -> None:
    """Whole or not at all, and still there after a power cut."""
    draft = folder / f"{MARK}.tmp"
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(made))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / MARK)


def clear(folder: Path) -> None:
    """Remove what an unfinished history left in a demo's own folder.

    Raises:
        HeardError: this is not a demo's folder, or its history is whole.
    """
    made = read(folder)
    if made is None or made.whole:
        raise HeardError(f"{folder} is not an unfinished demo, so nothing in it is removed.")
    for path in _content(folder):
        if path.name == MARK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def is_served(folder: Path) -> bool:
    try:
        with (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """Nobody serves this folder, and no other demo is made in it, as long as this lasts.

    Raises:
        HeardError: somebody does.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / LOCK).open("ab")
    except OSError as problem:
        raise HeardError(f"The data folder {folder} cannot be written: {problem.strerror}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise HeardError(f"A demo runs on {folder}. Stop it, or choose another folder with --data.") from None
        yield


def _content(folder: Path) -> list[Path]:
    """Everything but the locks, which processes leave behind."""
    return [path for path in folder.iterdir() if path.suffix != ".lock"]
