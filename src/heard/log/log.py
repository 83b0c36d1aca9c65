"""What a log promises, whatever keeps it.

An offset is a position that only grows. Every record has one, `next_offset` is where the one after it begins, and a
reader that keeps `next_offset` together with the effects of a record takes up exactly there.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from heard.errors import HeardError


class Record(msgspec.Struct, frozen=True, gc=False):
    """One payload, as it was appended."""

    offset: int
    next_offset: int
    payload: bytes


class Damage(msgspec.Struct, frozen=True, gc=False):
    """A stretch of the log that holds no valid record, although it was written once.

    `data` is what is there now, already set aside in `damaged/`. `reason` is one of `checksum`, `no_record`,
    `missing` (the file is gone or short).
    """

    offset: int
    length: int
    reason: str
    data: bytes

    @property
    def next_offset(self) -> int:
        return self.offset + self.length


class LogUnavailable(HeardError):
    """The log could not keep a record now (disk full, I/O error, too much waiting); nothing was acknowledged.

    `retry_after` is in whole seconds. A record that was refused may still turn up when read: a failure after the
    write cannot be told from one before it, which is why a message carries its own id.
    """

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LogWriter(Protocol):
    """The one that appends; there is one a log."""

    async def append(self, payload: bytes) -> int:
        """The record's offset, once it is on disk.

        Raises:
            LogUnavailable: when it could not be kept.
        """
        ...

    async def close(self) -> None: ...


class LogReader(Protocol):
    """Any number of them, in other processes too."""

    def read(self, offset: int, *, max_records: int = 1000, max_bytes: int = 8 << 20) -> list[Record | Damage]:
        """What follows `offset`, oldest first; empty when there is nothing durable yet. At least one record if any."""
        ...

    def drop_before(self, offset: int) -> int:
        """Forget whole files below `offset`; gives how many. What is at or after `offset` stays."""
        ...
