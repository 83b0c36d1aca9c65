"""The files of an embedded log: `DATA/log/<base offset, 20 digits>.seg`, each as long as it may grow from its birth.

A file holds the records from its base up to the next file's base; what lies behind them is zeros, or the rest of a
write that was never acknowledged.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from heard.log.log import Damage

SUFFIX = ".seg"
SPARE = "next.spare"
DAMAGED = "damaged"


class Segment(NamedTuple):
    base: int
    path: str


def segments(folder: Path) -> list[Segment]:
    """Every segment, oldest first; none before a collector has made the folder."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    found = [
        Segment(int(name[: -len(SUFFIX)]), os.path.join(folder, name))
        for name in names
        if name.endswith(SUFFIX) and name[: -len(SUFFIX)].isdigit()
    ]
    found.sort()
    return found


def segment_path(folder: Path, base: int) -> Path:
    return folder / f"{base:020d}{SUFFIX}"


def make_spare(folder: Path, size: int) -> Path:
    """A file of `size` zero bytes whose blocks are already allotted, to become the next segment.

    Raises:
        OSError: when there is no room; nothing is left behind then.
    """
    path = folder / SPARE
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
        os.fsync(descriptor)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return path


def sync_folder(folder: Path) -> None:
    """Make names (new, renamed, removed) last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_aside(folder: Path, damage: Damage) -> Path:
    """Keep a damaged stretch for a person to look at; the same stretch found again is kept once."""
    path = folder / DAMAGED / f"{damage.offset:020d}-{damage.length}.{damage.reason}"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(damage.data)
    return path
