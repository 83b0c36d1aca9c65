"""Pictures, made here."""

from __future__ import annotations

import zlib


def png(width: int, height: int) -> bytes:
    """A grey one of this many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    rows = (b"\x00" + b"\x70" * width) * height
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", size + b"\x08\x00\x00\x00\x00"),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
    )


def jpeg(width: int, height: int) -> bytes:
    """Its headers alone, as far as its size: an application segment, tables, and the frame."""
    frame = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x01\x01\x11\x00"
    return b"".join(
        (
            b"\xff\xd8",
            b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
            b"\xff\xc4\x00\x04\x00\x00",
            b"\xff\xc0" + (len(frame) + 2).to_bytes(2, "big") + frame,
        )
    )
