"""What the embedded log does with files that are not as it wrote them: cut, flipped, torn, gone."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heard.board import Board
from heard.log import Damage, Record
from heard.log.frame import HEADER_BYTES
from tests.contracts.test_log import SMALL, Segments, everything, payloads

SENT = [b"first", b"second" * 50, b"third" * 20]


def a_log(folder: Path, sent: list[bytes] = SENT) -> Segments:
    log = Segments(folder)
    log.append(*sent)
    return log


def segment_files(log: Segments) -> list[Path]:
    return sorted((log.folder / "log").glob("*.seg"))


def flip(file: Path, position: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(position)
        byte = opened.read(1)[0]
        opened.seek(position)
        opened.write(bytes([byte ^ 0x10]))


def forget_the_board(log: Segments) -> None:
    """As after a power cut: the page of the board never reached the disk."""
    log.board.durable = 0


LAST = HEADER_BYTES + len(SENT[2])


@settings(deadline=None, max_examples=LAST + 1)
@given(st.integers(0, LAST - 1))
@example(0)
@example(HEADER_BYTES - 1)
@example(HEADER_BYTES)
def test_a_torn_last_record_is_cut_wherever_it_tore(kept: int):
    with tempfile.TemporaryDirectory() as folder:
        log = a_log(Path(folder))
        file, last = segment_files(log)[0], everything(log)[2].offset
        with file.open("r+b") as opened:
            opened.truncate(last + kept)
            opened.truncate(SMALL)
        forget_the_board(log)

        log.append(b"later")

        assert payloads(everything(log)) == [*SENT[:2], b"later"]
        assert file.stat().st_size == SMALL


@settings(deadline=None, max_examples=60)
@given(st.integers(0, HEADER_BYTES + len(SENT[1]) - 1))
def test_a_flipped_byte_costs_its_record_and_no_other(place: int):
    with tempfile.TemporaryDirectory() as folder:
        log = a_log(Path(folder))
        whole = everything(log)
        flip(segment_files(log)[0], whole[1].offset + place)

        first, damage, third = everything(log)

        assert (first, third) == (whole[0], whole[2])
        assert isinstance(damage, Damage)
        assert (damage.offset, damage.next_offset) == (whole[1].offset, whole[2].offset)
        assert [kept.read_bytes() for kept in (log.folder / "log/damaged").iterdir()] == [damage.data]


def test_a_flipped_byte_in_a_closed_file_is_reported_and_the_next_file_is_read(tmp_path: Path):
    log = Segments(tmp_path)
    for number in range(20):
        log.append(b"%02d" % number + b"x" * 9_998)
    whole = everything(log)
    flip(segment_files(log)[0], 30)

    found = everything(log)

    assert isinstance(found[0], Damage)
    assert found[0].reason == "checksum"
    assert found[1:] == whole[1:]


def test_damage_to_the_last_record_of_a_closed_file_ends_where_the_next_file_begins(tmp_path: Path):
    log = Segments(tmp_path)
    for number in range(20):
        log.append(b"%02d" % number + b"x" * 9_998)
    first, second = segment_files(log)[:2]
    flip(first, int(second.stem) - 1)

    (damage,) = [each for each in everything(log) if isinstance(each, Damage)]

    assert damage.next_offset == int(second.stem)


def test_a_bad_stretch_before_valid_records_is_reported_at_the_start_and_kept(tmp_path: Path):
    log = a_log(tmp_path)
    whole = everything(log)
    flip(segment_files(log)[0], whole[1].offset + HEADER_BYTES)
    forget_the_board(log)

    (damage,) = log.writer().damages

    assert damage.offset == whole[1].offset
    assert [type(each) for each in everything(log)] == [Record, Damage, Record]


def test_records_behind_a_hole_of_zeros_are_found(tmp_path: Path):
    log = a_log(tmp_path)
    whole = everything(log)
    with segment_files(log)[0].open("r+b") as opened:
        opened.seek(whole[1].offset)
        opened.write(bytes(whole[2].offset - whole[1].offset))
    forget_the_board(log)

    assert len(log.writer().damages) == 1
    assert everything(log)[2] == whole[2]


def test_garbage_behind_the_last_record_is_cut(tmp_path: Path):
    log = a_log(tmp_path)
    with segment_files(log)[0].open("r+b") as opened:
        opened.seek(everything(log)[-1].next_offset)
        opened.write(os.urandom(5_000))

    log.append(b"later")

    assert payloads(everything(log)) == [*SENT, b"later"]


def test_a_missing_file_in_the_middle_is_reported(tmp_path: Path):
    log = Segments(tmp_path)
    for _ in range(30):
        log.append(b"x" * 9_998)
    first, gone, after = segment_files(log)[:3]
    gone.unlink()

    (damage,) = [each for each in everything(log) if isinstance(each, Damage)]

    assert (damage.offset, damage.next_offset) == (int(gone.stem), int(after.stem))
    assert first.exists()


def test_offsets_never_go_back_even_when_the_files_are_gone(tmp_path: Path):
    log = a_log(tmp_path)
    end = log.board.durable
    shutil.rmtree(tmp_path / "log")

    assert log.append(b"later") == [end]
    assert [type(each) for each in everything(log)] == [Damage, Record]


def test_a_record_in_the_wrong_place_is_no_record(tmp_path: Path):
    log = a_log(tmp_path)
    file = segment_files(log)[0]
    file.rename(file.with_name(f"{4096:020d}.seg"))
    log.board.durable += 4096

    assert {type(each) for each in log.reader().read(4096)} == {Damage}


def test_a_board_that_is_something_else_is_refused(tmp_path: Path):
    (tmp_path / "board").write_bytes(b"x" * 4096)

    with pytest.raises(Exception, match="not a Heard board"):
        Board(tmp_path / "board")


def test_a_board_is_seen_by_whoever_else_has_it_open(tmp_path: Path):
    one, other = Board(tmp_path / "board"), Board(tmp_path / "board")
    one.durable, one.clock_offset_us, one.keys_generation = 2**63, -5, 7

    assert (other.durable, other.clock_offset_us, other.keys_generation) == (2**63, -5, 7)
