"""One memory-mapped page that the collector and the heart both see: a few numbers, read without a syscall.

    word 0  what this file is (MARK)
    word 1  durable           the log is on disk up to this offset; readers never pass it
    word 2  clock_offset_us   microseconds added to the real time (the test clock), signed
    word 3  keys_generation   grows each time DATA/keys.json or what stands beside it was rewritten
    word 4  rotations_wanted  grows each time the heart wants the log to go on in a new file
    word 5  rotations_made    what word 4 said when the collector last did so

Every word has one writing process, and an aligned eight-byte store is seen whole or not at all by the other one, so
no lock is needed. The page is a hint that lives as long as the data folder: after a power cut each writer sets its
words again from what it finds on disk.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from heard.errors import HeardError

PAGE_BYTES = 4096
MARK = int.from_bytes(b"HEARDBD1", "little")

DURABLE, CLOCK_OFFSET_US, KEYS_GENERATION, ROTATIONS_WANTED, ROTATIONS_MADE = 1, 2, 3, 4, 5


class Board:
    """`DATA/board`, made when it is absent.

    Raises:
        HeardError: when the file is something else, or there is no room for it.
    """

    def __init__(self, path: Path | str) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size < PAGE_BYTES:
                # Allotted, not only made long: a store into a page that a full disk has no block for is a SIGBUS.
                os.posix_fallocate(descriptor, 0, PAGE_BYTES)
            self._page = mmap.mmap(descriptor, PAGE_BYTES)
        except OSError as problem:
            raise HeardError(f"{path} cannot be made: {problem.strerror}.") from problem
        finally:
            os.close(descriptor)
        self._unsigned = memoryview(self._page).cast("Q")
        self._signed = memoryview(self._page).cast("q")
        if self._unsigned[0] == 0:
            self._unsigned[0] = MARK
        elif self._unsigned[0] != MARK:
            self.close()
            raise HeardError(f"{path} is not a Heard board; move it away and start again.")

    @property
    def durable(self) -> int:
        return self._unsigned[DURABLE]

    @durable.setter
    def durable(self, offset: int) -> None:
        self._unsigned[DURABLE] = offset

    @property
    def clock_offset_us(self) -> int:
        return self._signed[CLOCK_OFFSET_US]

    @clock_offset_us.setter
    def clock_offset_us(self, microseconds: int) -> None:
        self._signed[CLOCK_OFFSET_US] = microseconds

    @property
    def keys_generation(self) -> int:
        return self._unsigned[KEYS_GENERATION]

    @keys_generation.setter
    def keys_generation(self, generation: int) -> None:
        self._unsigned[KEYS_GENERATION] = generation

    @property
    def rotations_wanted(self) -> int:
        return self._unsigned[ROTATIONS_WANTED]

    @rotations_wanted.setter
    def rotations_wanted(self, number: int) -> None:
        self._unsigned[ROTATIONS_WANTED] = number

    @property
    def rotations_made(self) -> int:
        return self._unsigned[ROTATIONS_MADE]

    @rotations_made.setter
    def rotations_made(self, number: int) -> None:
        self._unsigned[ROTATIONS_MADE] = number

    def close(self) -> None:
        self._unsigned.release()
        self._signed.release()
        self._page.close()
