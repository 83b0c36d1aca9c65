"""Unix sockets in data folders with long names, and why a port cannot be had."""

from __future__ import annotations

import errno
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


def why_not(host: str, port: int, problem: OSError | OverflowError | UnicodeError) -> str:
    """Why nobody can listen there, and what to do about it, in one sentence or two."""
    code = getattr(problem, "errno", None)
    nowhere = isinstance(problem, UnicodeError) or code == errno.EADDRNOTAVAIL or (code or 0) < 0  # the resolver's own
    if nowhere:
        return (
            f"Heard cannot listen on {host}: this machine has no such address. "
            "Choose another --host: 127.0.0.1 for this machine only, 0.0.0.0 for every network it is in."
        )
    where = f"{host}:{port}"
    if code == errno.EACCES:
        return f"Heard may not listen on {where}: ports below 1024 are for the administrator. Choose another --port."
    why = os.strerror(code) if code else str(problem)
    return f"Heard cannot listen on {where}: {why}. Stop what listens there, or choose another --port."
