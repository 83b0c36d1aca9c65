"""Unix sockets in data folders with long names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_PATH = 100
"""The kernel takes 107 bytes; names in containers and test folders are often longer."""


@contextmanager
def short_path(path: Path | str) -> Iterator[str]:
    """A name for `path` that fits a socket address, to bind or connect to inside the block.

    A long one goes through the folder's descriptor: `/proc/self/fd/7/web.sock`.

    Raises:
        OSError: when the folder does not exist.
    """
    path = Path(path)
    if len(os.fsencode(path)) <= MAX_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
