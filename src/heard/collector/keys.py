"""Write keys: what a request names itself by, and which source that is.

The heart keeps `DATA/keys.json` (`{"<write key>": source id}`) and bumps the board's generation when it has rewritten
it, so a new key works in the next request and the collector works before the heart does.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

import msgspec

from heard.board import Board

REMEMBERED = 10_000
"""Authorization headers whose key is remembered; senders repeat theirs."""

_decode = msgspec.json.Decoder(dict[str, int]).decode


class Keys:
    """The sources by write key, as of the board's generation."""

    def __init__(self, path: Path, board: Board) -> None:
        self._path = path
        self._board = board
        self._sources: dict[str, int] = {}
        self._named: dict[bytes, str | None] = {}
        self._load()

    def source(self, authorization: bytes | None, body_key: str | None) -> int | None:
        """The source a request speaks for, None when it names none that exists.

        A key in the header wins over one in the body, even when only the one in the body is known: what a proxy or a
        library configures must not be overridden by what a page puts into a message.
        """
        if self._generation != self._board.keys_generation:
            self._load()
        key = body_key
        if authorization is not None:
            try:
                named = self._named[authorization]
            except KeyError:
                named = self._remember(authorization)
            key = named or body_key
        return self._sources.get(key) if key else None

    def _remember(self, authorization: bytes) -> str | None:
        if len(self._named) >= REMEMBERED:
            self._named.clear()
        key = self._named[authorization] = basic_key(authorization)
        return key

    def _load(self) -> None:
        self._generation = self._board.keys_generation
        try:
            self._sources = _decode(self._path.read_bytes())
        except FileNotFoundError:
            self._sources = {}
        except (OSError, msgspec.MsgspecError):
            pass  # half a moment of a hand-edited file must not lock everybody out: the keys known so far stay


def basic_key(authorization: bytes) -> str | None:
    """The key in `Basic base64(key:)`, with or without the colon; None for other schemes (Bearer: see the body)."""
    scheme, _, encoded = authorization.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return None
    encoded = encoded.strip()
    try:
        decoded = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded.decode("utf-8", "replace").partition(":")[0] or None
