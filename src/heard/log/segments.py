"""The embedded log's writer: appends gather while the disk works, one write and one fdatasync a group.

    loop     append -> group -> framed -> handed over ............ -> next group handed over, senders answered
    thread                                pwritev, fdatasync ->

An error anywhere in that costs exactly the group it hit. The file is then left alone (what an fsync that failed has
or has not written cannot be known, and asking again would lie), a new one is opened at the last durable offset, and
appending goes on as soon as there is room for it.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from heard.board import Board
from heard.log.files import SPARE, make_spare, segment_path, segments, sync_folder
from heard.log.frame import HEADER_BYTES, MAX_PAYLOAD, header
from heard.log.log import Damage, LogUnavailable
from heard.log.reader import SegmentReader
from heard.log.recovery import recover

__all__ = ["SEGMENT_BYTES", "SegmentReader", "SegmentWriter"]

SEGMENT_BYTES = 32 << 20
MAX_WAITING_BYTES = 64 << 20
"""Payload that may wait for a slow disk before appends are refused: memory is finite too."""
MAX_GROUP_BYTES = 8 << 20
MAX_VECTORS = 1024
"""IOV_MAX: buffers in one pwritev."""
RETRY_AFTER = 5
TRY_AGAIN_SECONDS = 0.25
"""After a failure the disk is asked again at most this often; appends in between are refused at once."""


Settle = Callable[[int, LogUnavailable | None], None]
"""Takes the record's offset and None, or why it was not kept. Must not raise."""


class Rotation:
    """Stands in the committing thread's queue for: go on in a new file."""


ROTATE = Rotation()


class SegmentWriter:
    """A `LogWriter` over `folder`. One process at a time may hold one (the collector locks the data folder)."""

    def __init__(self, folder: Path | str, board: Board, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = Path(folder)
        self._board = board
        self._segment_bytes = segment_bytes
        self.damages: list[Damage] = []
        self.groups = self.appended_bytes = self.failures = 0
        self.sync_seconds = 0.0
        self._durable = 0
        self._descriptor = -1
        self._base = self._capacity = 0
        self._ask_again_at = 0.0
        self._last_error: OSError | None = None
        self._waiting: list[tuple[bytes | None, Settle]] = []  # None asks for a new file
        self._waiting_bytes = 0
        self._busy = False
        self._work: queue.SimpleQueue[list[bytes] | Rotation | None] = queue.SimpleQueue()
        self._spare_lock = threading.Lock()
        self._spare_wanted = threading.Event()
        self._closed = False
        self._idle: asyncio.Future[None] | None = None
        self._threads: list[threading.Thread] = []
        self._open()

    @property
    def durable(self) -> int:
        return self._durable

    @property
    def available(self) -> bool:
        """False after a failure, until a group has reached the disk again."""
        return self._last_error is None

    def start(self) -> SegmentWriter:
        """Begin to serve the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._threads = [
            threading.Thread(target=target, name=f"log-{target.__name__}", daemon=True)
            for target in (self._commit_groups, self._prepare_spares)
        ]
        for thread in self._threads:
            thread.start()
        self._spare_wanted.set()
        return self

    async def append(self, payload: bytes) -> int:
        """The offset of `payload`, once it is on disk.

        Raises:
            LogUnavailable: when the group it was in could not be kept, or too much is waiting already.
        """
        kept: asyncio.Future[int] = self._loop.create_future()

        def settle(offset: int, problem: LogUnavailable | None) -> None:
            if kept.done():  # whoever waited was cancelled
                return
            if problem is None:
                kept.set_result(offset)
            else:
                kept.set_exception(problem)

        self.keep(payload, settle)
        return await kept

    async def rotate(self) -> int:
        """Go on in a new file, after everything that was appended before; gives the offset at which it begins.

        Raises:
            LogUnavailable: when it could not be made.
        """
        made: asyncio.Future[int] = self._loop.create_future()

        def settle(offset: int, problem: LogUnavailable | None) -> None:
            if not made.done():
                made.set_result(offset) if problem is None else made.set_exception(problem)

        self._waiting.append((None, settle))
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand_over)
        return await made

    def keep(self, payload: bytes, settle: Settle) -> None:
        """`append` without a task of its own: `settle` is called on the event loop when it is known.

        Raises:
            LogUnavailable: at once, when too much is waiting already; `settle` is not called then.
        """
        size = len(payload)
        if self._closed or size > MAX_PAYLOAD or self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise LogUnavailable("The log takes no more right now; send it again shortly.", retry_after=1)
        self._waiting.append((payload, settle))
        self._waiting_bytes += size
        if not self._busy:
            # Not at once: whatever else arrived in this turn of the loop shares the fdatasync.
            self._busy = True
            self._loop.call_soon(self._hand_over)

    async def close(self) -> None:
        """Keep what is waiting, then stop."""
        self._closed = True
        if self._busy:
            self._idle = self._loop.create_future()
            await self._idle
        self._work.put(None)
        self._spare_wanted.set()
        for thread in self._threads:
            thread.join()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    # ── on the event loop ──

    def _hand_over(self) -> None:
        waiting = self._waiting
        if not waiting:
            self._busy = False
            if self._idle is not None and not self._idle.done():
                self._idle.set_result(None)
            return
        if waiting[0][0] is None:
            self._group, self._waiting = waiting[:1], waiting[1:]
            self._group_offsets, self._group_end = [self._durable], self._durable
            self._work.put(ROTATE)
            return
        offset, buffers, offsets = self._durable, list[bytes](), list[int]()
        for payload, _ in waiting:
            if payload is None:
                break
            buffers.append(header(payload, offset))
            buffers.append(payload)
            offsets.append(offset)
            offset += HEADER_BYTES + len(payload)
            if offset - self._durable > MAX_GROUP_BYTES:
                break
        taken = len(offsets)
        self._group, self._waiting = waiting[:taken], waiting[taken:]
        self._group_offsets, self._group_end = offsets, offset
        self._waiting_bytes -= offset - self._durable - HEADER_BYTES * taken
        self._work.put(buffers)

    def _settle(self, error: OSError | None) -> None:
        """The group in hand is on disk, or it is not; either way the next one goes."""
        problem = None
        if error is None:
            self.groups += 1
            self.appended_bytes += self._group_end - self._durable
            self._durable = self._board.durable = self._group_end
        else:
            self.failures += 1
            problem = LogUnavailable(f"The log cannot be written: {error.strerror}.", retry_after=RETRY_AFTER)
        self._last_error = error
        group, offsets = self._group, self._group_offsets
        self._hand_over()  # first: the disk works while the senders are answered
        for offset, (_, settle) in zip(offsets, group, strict=True):
            settle(offset, problem)

    # ── in the committing thread ──

    def _commit_groups(self) -> None:
        while (buffers := self._work.get()) is not None:
            error = self._last_error if time.monotonic() < self._ask_again_at else None
            if error is None:
                try:
                    if isinstance(buffers, Rotation):
                        self._open_file(0)
                    else:
                        self._commit(buffers)
                except OSError as failure:
                    error = failure
                    self._abandon_file(failure)
            try:
                self._loop.call_soon_threadsafe(self._settle, error)
            except RuntimeError:  # the loop is gone: nobody waits for the answer any more
                return

    def _commit(self, buffers: list[bytes]) -> None:
        size = sum(map(len, buffers))
        if self._descriptor < 0 or self._durable - self._base + size > self._capacity:
            self._open_file(size)
        position = self._durable - self._base
        for first in range(0, len(buffers), MAX_VECTORS):
            position += _write_all(self._descriptor, buffers[first : first + MAX_VECTORS], position)
        started = time.perf_counter()
        os.fdatasync(self._descriptor)
        self.sync_seconds += time.perf_counter() - started

    def _open_file(self, room: int) -> None:
        """Go on in a new file that begins at the last durable offset."""
        size = max(self._segment_bytes, room)
        with self._spare_lock:
            spare = self._folder / SPARE
            if not spare.exists() or spare.stat().st_size < size:
                make_spare(self._folder, size)
            path = segment_path(self._folder, self._durable)
            os.rename(spare, path)  # over a file that failed before its first record, if there is one
        sync_folder(self._folder)
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._base, self._capacity = descriptor, self._durable, size
        self._spare_wanted.set()

    def _abandon_file(self, failure: OSError) -> None:
        self._last_error = failure
        if self._descriptor >= 0:
            # It may be this one file: another one is tried at once.
            os.close(self._descriptor)
            self._descriptor = -1
        else:
            self._ask_again_at = time.monotonic() + TRY_AGAIN_SECONDS

    # ── in the preparing thread ──

    def _prepare_spares(self) -> None:
        """Keep one allotted file ahead: fallocate takes tens of milliseconds that no request should wait for."""
        while True:
            self._spare_wanted.wait()
            self._spare_wanted.clear()
            if self._closed:
                return
            with self._spare_lock:
                spare = self._folder / SPARE
                try:
                    if not spare.exists() or spare.stat().st_size != self._segment_bytes:
                        make_spare(self._folder, self._segment_bytes)
                except OSError:
                    pass  # no room yet: `_open_file` tries again, and says so, when the file is needed

    # ── at the start ──

    def _open(self) -> None:
        """Take up where the log ends.

        Offsets never go back: if files that were durable are gone, the log goes on at the offset the board remembers,
        and readers see what is missing as `Damage` instead of waiting for offsets that are behind them.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        files = segments(self._folder)
        if files:
            try:
                self._durable, self.damages = recover(self._folder, files[-1], self._segment_bytes)
                self._base = files[-1].base
                self._descriptor = os.open(files[-1].path, os.O_RDWR | os.O_CLOEXEC)
                self._capacity = os.fstat(self._descriptor).st_size
            except OSError as failure:
                raise LogUnavailable(f"The log in {self._folder} cannot be read: {failure.strerror}.") from failure
        if not files or self._durable < self._board.durable:
            self._durable = max(self._durable, self._board.durable)
            try:
                self._open_file(0)
            except OSError as failure:
                self._abandon_file(failure)
        self._board.durable = self._durable


def _write_all(descriptor: int, buffers: list[bytes], position: int) -> int:
    """Write `buffers` at `position`; gives the bytes written.

    Raises:
        OSError: also when the system takes nothing and names no error.
    """
    total = sum(map(len, buffers))
    written = os.pwritev(descriptor, buffers, position)
    if written < total:
        rest = memoryview(b"".join(buffers))
        while written < total:
            more = os.pwrite(descriptor, rest[written:], position + written)
            if more == 0:
                raise OSError(5, "The disk took nothing")
            written += more
    return total
