"""What a log promises (`heard.log.log`), held against every log there is. A new one adds a line to `LOGS`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from heard.board import Board
from heard.log import Damage, LogUnavailable, Record
from heard.log.segments import SegmentReader, SegmentWriter

SMALL = 64 << 10


class Segments:
    """The embedded log with small files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.board = Board(folder / "board")

    def writer(self) -> SegmentWriter:
        return SegmentWriter(self.folder / "log", self.board, segment_bytes=SMALL)

    def reader(self) -> SegmentReader:
        return SegmentReader(self.folder / "log", Board(self.folder / "board"))

    def append(self, *payloads: bytes) -> list[int]:
        async def together() -> list[int]:
            writer = self.writer().start()
            try:
                return await asyncio.gather(*map(writer.append, payloads))
            finally:
                await writer.close()

        return asyncio.run(together())


LOGS: dict[str, Callable[[Path], Segments]] = {"segments": Segments}


@pytest.fixture(params=LOGS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Segments:
    return LOGS[request.param](tmp_path)


def payloads(found: list[Record | Damage]) -> list[bytes]:
    assert all(isinstance(each, Record) for each in found), found
    return [each.payload for each in found if isinstance(each, Record)]


def everything(log: Segments, offset: int = 0) -> list[Record | Damage]:
    reader, found = log.reader(), list[Record | Damage]()
    while part := reader.read(offset):
        found += part
        offset = part[-1].next_offset
    return found


def test_a_new_log_is_empty(log: Segments):
    log.writer()

    assert log.reader().read(0) == []


def test_what_is_appended_is_read_in_order(log: Segments):
    log.append(b"one", b"", b"three")

    assert payloads(log.reader().read(0)) == [b"one", b"", b"three"]


def test_append_gives_the_offset_under_which_it_is_read(log: Segments):
    offsets = log.append(b"one", b"two")

    assert [each.offset for each in log.reader().read(0)] == offsets


def test_reading_goes_on_at_the_next_offset(log: Segments):
    log.append(b"one", b"two", b"three")
    first = log.reader().read(0, max_records=1)[0]

    assert payloads(log.reader().read(first.next_offset)) == [b"two", b"three"]


def test_a_read_ends_at_max_records(log: Segments):
    log.append(*[b"x"] * 10)

    assert len(log.reader().read(0, max_records=4)) == 4


def test_a_read_ends_at_max_bytes_but_gives_at_least_one(log: Segments):
    log.append(*[b"x" * 1000] * 10)

    assert len(log.reader().read(0, max_bytes=2500)) == 3
    assert len(log.reader().read(0, max_bytes=1)) == 1


def test_a_reader_never_passes_what_is_durable(log: Segments):
    offsets = log.append(b"one", b"two", b"three")
    log.board.durable = offsets[2]

    assert payloads(log.reader().read(0)) == [b"one", b"two"]


def test_nothing_is_durable_before_append_returns(log: Segments):
    async def watched() -> tuple[int, int]:
        writer = log.writer().start()
        appending = asyncio.ensure_future(writer.append(b"x" * 100))
        await asyncio.sleep(0)
        before = log.board.durable
        await appending
        after = log.board.durable
        await writer.close()
        return before, after

    before, after = asyncio.run(watched())
    assert before == 0
    assert after > 100


def test_appending_goes_on_after_a_restart(log: Segments):
    log.append(b"one")
    log.append(b"two")

    assert payloads(everything(log)) == [b"one", b"two"]


def test_a_log_of_many_files_reads_as_one(log: Segments):
    sent = [b"%05d" % number + b"x" * 995 for number in range(300)]
    for first in range(0, 300, 20):
        log.append(*sent[first : first + 20])

    assert payloads(everything(log)) == sent
    assert payloads(log.reader().read(0)) == sent


def test_a_payload_larger_than_a_file_is_kept(log: Segments):
    large = bytes(range(256)) * 2000
    log.append(b"before", large, b"after")

    assert payloads(everything(log)) == [b"before", large, b"after"]


def test_what_every_reader_has_passed_can_be_dropped(log: Segments):
    for number in range(20):
        log.append(b"%02d" % number + b"x" * 9_998)
    found = everything(log)
    middle = found[10].offset

    assert log.reader().drop_before(middle) >= 1
    assert everything(log, middle) == found[10:]


def test_nothing_is_dropped_that_is_still_needed(log: Segments):
    log.append(b"one")

    assert log.reader().drop_before(10**9) == 0
    assert log.append(b"two") != [0]


def test_what_was_dropped_is_reported_and_not_skipped(log: Segments):
    for _ in range(20):
        log.append(b"x" * 9_998)
    found = everything(log)
    log.reader().drop_before(found[-1].offset)

    first = log.reader().read(0)[0]

    assert isinstance(first, Damage)
    assert first.reason == "missing"


def test_a_closed_log_takes_nothing(log: Segments):
    async def late() -> None:
        writer = log.writer().start()
        await writer.close()
        await writer.append(b"x")

    with pytest.raises(LogUnavailable):
        asyncio.run(late())


def test_an_append_that_nobody_waits_for_any_more_does_not_harm_the_others(log: Segments):
    async def impatient() -> int:
        writer = log.writer().start()
        given_up = asyncio.ensure_future(writer.append(b"one"))
        await asyncio.sleep(0)
        given_up.cancel()
        offset = await writer.append(b"two")
        await writer.close()
        return offset

    asyncio.run(impatient())
    assert b"two" in payloads(everything(log))
