"""What nobody can read costs nothing but itself: it is set aside with its reason, and its neighbours are handled."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from pathlib import Path

import msgspec

from heard.board import Board
from heard.log.segments import SegmentWriter
from heard.messages.accepted import Accepted, encode
from tests.flow.running import RunningHeard


def test_records_that_cannot_be_read_are_set_aside_and_the_messages_around_them_are_handled(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard:
        heard.send("identify", userId="ted", traits={"email": "ted@mosby.example"}, messageId="before")
        heard.settle()
        heard.stop()
        poison = {
            "no record of ours": b"\x00\xff this was never a request",
            "another shape": msgspec.msgpack.encode({"source": 1}),
            "a source nobody knows": accepted(source=4711),
        }
        strange = [accepted(body=b"\xff\xfe"), accepted(kind="telegram")]
        append(heard.data, *poison.values(), *strange)
        heard.start()
        heard.send("track", userId="ted", event="Order Completed", properties={"total": 25}, messageId="after")
        heard.settle()

        assert {each["message_id"] for each in heard.get("messages", user_id="ted")["data"]} == {"before", "after"}
        assert [each["state"] for each in heard.get("deliveries", user_id="ted")["data"]] == ["sent"]
        rejected = heard.get("messages", verdict="rejected")["data"]
        assert len(rejected) == len(strange)
        assert all(each["reason"] for each in rejected)
        heard.stop()
        aside = set_aside(heard.data)
        assert [data for _, data in aside] == list(poison.values())
        assert all(reason for reason, _ in aside)


def test_a_flipped_bit_on_the_disk_is_set_aside_and_the_messages_around_it_are_handled(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard:
        heart = heard.part("heard.heart")
        os.kill(heart, signal.SIGSTOP)
        for name in ("first", "second", "third"):
            heard.send("track", userId="ted", event="Page Scrolled", messageId=name)
        flip(heard.data / "log", b'"second"')
        os.kill(heart, signal.SIGCONT)
        heard.settle()

        assert {each["message_id"] for each in heard.get("messages")["data"]} == {"first", "third"}
        heard.stop()
        ((reason, data),) = set_aside(heard.data)
        assert "checksum" in reason
        assert b'"sdcond"' in data


def accepted(*, source: int = 1, kind: str = "track", body: bytes = b'{"event":"x","userId":"u"}') -> bytes:
    return encode(Accepted(source, kind, time.time_ns() // 1000, "127.0.0.1", "", body))


def append(data: Path, *payloads: bytes) -> None:
    """Put these onto the log, behind everything that is there, as a collector of another version might."""

    async def write() -> None:
        writer = SegmentWriter(data / "log", Board(data / "board")).start()
        for payload in payloads:
            await writer.append(payload)
        await writer.close()

    asyncio.run(write())


def flip(log: Path, text: bytes) -> None:
    """One bit of the second letter."""
    path = next(each for each in sorted(log.iterdir()) if text in each.read_bytes())
    with path.open("r+b") as file:
        file.seek(path.read_bytes().index(text) + 2)
        file.write(bytes([text[2] ^ 1]))


def set_aside(data: Path) -> list[tuple[str, bytes]]:
    with sqlite3.connect(f"file:{data / 'heard.db'}?mode=ro", uri=True) as database:
        return database.execute('SELECT reason, data FROM set_aside ORDER BY "offset"').fetchall()
