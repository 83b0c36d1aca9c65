"""Reading a segment log from another process than the one that writes it.

The board says how far the log is durable, the names of the files say where each one ends; both are looked at anew in
every call, so a reader needs no word from the writer.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

from crc32c import crc32c

from heard.board import Board
from heard.log.files import Segment, segments, set_aside, sync_folder
from heard.log.frame import CHECKED_FROM, HEADER, HEADER_BYTES, MAGIC, MAX_PAYLOAD, REASONS, SHORT, resync, span
from heard.log.log import Damage, Record

CHUNK = 1 << 20
"""Read with pread rather than mapped: a bad disk block is an error then and not a SIGBUS."""


class SegmentReader:
    """A `LogReader` over `folder`; keeps nothing between calls."""

    def __init__(self, folder: Path | str, board: Board) -> None:
        self._folder = Path(folder)
        self._board = board

    def read(self, offset: int, *, max_records: int = 1000, max_bytes: int = 8 << 20) -> list[Record | Damage]:
        """Records and damage from `offset` on, never past what is durable.

        Damage is given once per pass and set aside in `damaged/`; reading goes on at the next valid record.
        """
        durable = self._board.durable  # before the names: whatever is durable is in a file that has its name
        found: list[Record | Damage] = []
        if offset >= durable:
            return found
        files = segments(self._folder) if self._folder.is_dir() else []
        for number, file in enumerate(files):
            end = min(durable, files[number + 1].base) if number + 1 < len(files) else durable
            if end <= offset or file.base >= durable:
                continue
            if offset < file.base:
                offset = self._report(found, Damage(offset, file.base - offset, "missing", b""))
            taken = _FileRead(file, end, max_records - len(found), max_bytes)
            offset = taken.from_(offset)
            max_bytes -= taken.bytes
            for item in taken.found:
                if type(item) is Damage:
                    set_aside(self._folder, item)
            found += taken.found
            if len(found) >= max_records or max_bytes <= 0:
                return found
        if not files:
            self._report(found, Damage(offset, durable - offset, "missing", b""))
        return found

    def drop_before(self, offset: int) -> int:
        """Delete every file that ends at or below `offset`; the last file always stays."""
        files = segments(self._folder)
        gone = [file for file, following in pairwise(files) if following.base <= offset]
        for file in gone:
            os.unlink(file.path)
        if gone:
            sync_folder(self._folder)
        return len(gone)

    def _report(self, found: list[Record | Damage], damage: Damage) -> int:
        found.append(damage)
        set_aside(self._folder, damage)
        return damage.next_offset


class _FileRead:
    """One call's pass over one file."""

    def __init__(self, file: Segment, end: int, max_records: int, max_bytes: int) -> None:
        self.file, self.end = file, end
        self.max_records, self.max_bytes = max_records, max_bytes
        self.found: list[Record | Damage] = []
        self.bytes = 0

    def from_(self, offset: int) -> int:
        """Read from `offset`; gives the offset at which it stopped."""
        descriptor = os.open(self.file.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            want = CHUNK
            while offset < self.end and len(self.found) < self.max_records and self.bytes < self.max_bytes:
                data = os.pread(descriptor, min(want, self.end - offset), offset - self.file.base)
                stopped = self._records(data, offset)
                if stopped == offset and not self._full():
                    # Not even one record: the chunk was too small for it, or there is none.
                    if len(data) == want and self._goes_on(data, offset):
                        want = HEADER.unpack_from(data)[2] + HEADER_BYTES
                        continue
                    stopped = self._damage(descriptor, offset, data)
                offset, want = stopped, CHUNK
        finally:
            os.close(descriptor)
        return offset

    def _full(self) -> bool:
        return len(self.found) >= self.max_records or self.bytes >= self.max_bytes

    def _records(self, data: bytes, offset: int) -> int:
        """Take every whole valid record at the start of `data`. The hot loop: `frame.span` written out."""
        take, unpack, view = self.found.append, HEADER.unpack_from, memoryview(data)
        room, position, start = len(data) - HEADER_BYTES, 0, offset
        count, size = self.max_records - len(self.found), 0
        limit = self.max_bytes - self.bytes
        while position <= room and count > 0 and size < limit:
            magic, checksum, length, own_offset = unpack(data, position)
            body = position + HEADER_BYTES
            following = body + length
            if magic != MAGIC or own_offset != offset or following > len(data):
                break
            if crc32c(view[position + CHECKED_FROM : following]) != checksum:
                break
            next_offset = start + following
            take(Record(offset, next_offset, data[body:following]))
            position, offset, size, count = following, next_offset, size + length, count - 1
        self.bytes += size
        return offset

    def _goes_on(self, data: bytes, offset: int) -> bool:
        fault = span(memoryview(data), 0, offset)
        if fault != SHORT:
            return False
        length = HEADER.unpack_from(data)[2]
        return length <= MAX_PAYLOAD and offset + HEADER_BYTES + length <= self.end

    def _damage(self, descriptor: int, offset: int, data: bytes) -> int:
        """Report what lies between `offset` and the next valid record or the end of the file."""
        reason = REASONS.get(span(memoryview(data), 0, offset), "no_record") if data else "missing"
        rest = os.pread(descriptor, self.end - offset, offset - self.file.base)
        again = resync(rest, 1, offset)
        length = self.end - offset if again is None else again
        self.found.append(Damage(offset, length, reason, rest[:length]))
        return offset + length
