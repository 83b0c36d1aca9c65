"""What the writer does with the last file when it starts: find where the log ends, cut a torn tail, report damage."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from heard.log.files import Segment, set_aside
from heard.log.frame import REASONS, resync, span
from heard.log.log import Damage


def recover(folder: Path, file: Segment, size: int) -> tuple[int, list[Damage]]:
    """The offset at which `file` ends, and the stretches inside it that hold no record although valid ones follow.

    Bytes after the last valid record are a write that was never acknowledged: they are cut (the file is made shorter
    and allotted anew to `size`, so that they read as zeros). Damage in the middle stays where it is, for every reader
    to see, and is set aside in `damaged/`.

    Raises:
        OSError: when the file cannot be read or mended.
    """
    descriptor = os.open(file.path, os.O_RDWR | os.O_CLOEXEC)
    try:
        data = _contents(descriptor)
        end, damages = _walk(data, file.base)
        for damage in damages:
            set_aside(folder, damage)
        if data.count(0, end) != len(data) - end:
            os.ftruncate(descriptor, end)
        if end < size:
            with contextlib.suppress(OSError):  # a full disk: the log opens its next file when there is room again
                os.posix_fallocate(descriptor, 0, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return file.base + end, damages


def _contents(descriptor: int) -> bytes:
    size, parts = os.fstat(descriptor).st_size, []
    position = 0
    while position < size and (part := os.pread(descriptor, size - position, position)):
        parts.append(part)
        position += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _walk(data: bytes, base: int) -> tuple[int, list[Damage]]:
    view, position, damages = memoryview(data), 0, list[Damage]()
    while position < len(data):
        whole = span(view, position, base + position)
        if whole > 0:
            position += whole
            continue
        again = resync(data, position + 1, base)
        if again is None:
            break
        damages.append(Damage(base + position, again - position, REASONS[whole], data[position:again]))
        position = again
    return position, damages
