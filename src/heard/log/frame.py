"""How a record lies in a segment file: twenty bytes of header, then the payload.

    magic 4 | CRC-32C 4 | payload length 4 | offset 8 | payload          (little endian)

The checksum covers length, offset and payload, so a record is valid in one place only: old bytes in a reused block,
or a file under a wrong name, do not pass for records. The first magic byte never occurs in UTF-8.
"""

from __future__ import annotations

from struct import Struct

from crc32c import crc32c

MAGIC = b"\xf7Hd1"
HEADER = Struct("<4sIIQ")
HEADER_BYTES = HEADER.size
TAIL = Struct("<IQ")
CHECKED_FROM = 8
"""Where in the header the checksum begins to cover."""

MAX_PAYLOAD = 64 << 20
"""Longer than any payload: a length above this is damage, not a record."""


def header(payload: bytes, offset: int) -> bytes:
    """What precedes `payload` at `offset`."""
    length = len(payload)
    return HEADER.pack(MAGIC, crc32c(payload, crc32c(TAIL.pack(length, offset))), length, offset)


def span(data: memoryview, position: int, offset: int) -> int:
    """The whole length of the valid record at `position`, which stands for log `offset`; else a negative fault.

    SHORT means that `data` ends inside it: the caller may know more of the file.
    """
    room = len(data) - position
    if room < HEADER_BYTES:
        return SHORT
    magic, checksum, length, own_offset = HEADER.unpack_from(data, position)
    if magic != MAGIC or own_offset != offset or length > MAX_PAYLOAD:
        return NO_RECORD
    whole = HEADER_BYTES + length
    if whole > room:
        return SHORT
    if crc32c(data[position + CHECKED_FROM : position + whole]) != checksum:
        return BAD_CHECKSUM
    return whole


SHORT, NO_RECORD, BAD_CHECKSUM = -1, -2, -3
REASONS = {SHORT: "no_record", NO_RECORD: "no_record", BAD_CHECKSUM: "checksum"}


def resync(data: bytes, position: int, base: int) -> int | None:
    """Where the next valid record after `position` begins, or None; `data[0]` stands for log offset `base`."""
    view = memoryview(data)
    while (position := data.find(MAGIC, position)) >= 0:
        if span(view, position, base + position) > 0:
            return position
        position += 1
    return None
