"""The disk is full, or the file may not grow: 503 with Retry-After and never a 200, and it mends itself."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from heard.board import Board
from heard.log import LogUnavailable
from heard.log.segments import SegmentReader, SegmentWriter
from tests.flow.running_collector import KEY, Collector, eventually, running

SEGMENT = 256 << 10
MENDED_WITHIN = 5.0
"""Although senders keep on asking."""
LARGE = b'{"event":"x","userId":"u","properties":{"a":"%b"}}' % (b"x" * 30_000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=False)


def fill(collector: Collector) -> int:
    """Send until it is refused; gives how many were taken."""
    taken = 0
    while (said := collector.post("/v1/track", LARGE)).status_code == 200:
        taken += 1
        assert taken < 200
    assert said.status_code == 503
    assert int(said.headers["retry-after"]) > 0
    assert said.json()["code"] == "log_unavailable"
    return taken


def test_a_full_disk_is_503_until_there_is_room_again_and_nothing_taken_is_lost(small_disk: Path):
    with running(small_disk, "--segment-bytes", str(SEGMENT)) as collector:
        taken = fill(collector)
        assert collector.http.get("/health").json()["status"] == "degraded"
        assert "log" in collector.http.get("/ready").json()["missing"]
        assert len(collector.kept()) == taken

        subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
        eventually(lambda: collector.post("/v1/track", LARGE).status_code == 200, MENDED_WITHIN)

        assert len(collector.kept()) == taken + 1
        assert collector.http.get("/health").json()["status"] == "ok"


def test_room_made_by_dropping_old_files_is_enough(small_disk: Path):
    with running(small_disk, "--segment-bytes", str(SEGMENT)) as collector:
        fill(collector)
        passed = collector.board.durable

        assert SegmentReader(small_disk / "log", collector.board).drop_before(passed) >= 1
        eventually(lambda: collector.post("/v1/track", LARGE).status_code == 200, MENDED_WITHIN)

        read = SegmentReader(small_disk / "log", collector.board).read(passed)
        assert len(read) == 1


def test_a_collector_started_on_a_full_disk_answers_and_mends_itself(small_disk: Path):
    (small_disk / "ballast").write_bytes(bytes(1_000_000))
    with running(small_disk, "--segment-bytes", str(SEGMENT)) as collector:
        assert collector.post("/v1/track", LARGE, key=KEY).status_code == 503

        (small_disk / "ballast").unlink()
        eventually(lambda: collector.post("/v1/track", LARGE).status_code == 200, MENDED_WITHIN)


def test_a_write_that_fails_costs_its_group_only(tmp_path: Path):
    """A file size limit makes pwrite itself fail, in the middle of a file that is long enough."""
    child = os.fork()
    if child == 0:
        os._exit(_fail_and_mend(tmp_path))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0

    found = SegmentReader(tmp_path / "log", Board(tmp_path / "board")).read(0)
    assert [getattr(each, "payload", each) for each in found] == [b"before", b"after"]


def _fail_and_mend(folder: Path) -> int:
    async def story() -> int:
        writer = SegmentWriter(folder / "log", Board(folder / "board"), segment_bytes=SEGMENT).start()
        await writer.append(b"before")
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        refused = 0
        for _ in range(2):
            try:
                await writer.append(b"x" * 20_000)
            except LogUnavailable:
                refused += 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        for _ in range(100):
            try:
                await writer.append(b"after")
                break
            except LogUnavailable:
                await asyncio.sleep(0.05)
        await writer.close()
        return 0 if refused == 2 else 1

    return asyncio.run(story())
