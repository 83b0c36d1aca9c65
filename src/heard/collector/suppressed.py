"""Messages of people who are suppressed are left out before anything is kept; their senders are answered all the same.

The heart keeps `DATA/suppressed.json`, read again like the keys: `[{"sources": [1], "key": "<hex>", "marks": [...]}]`,
for each workspace that suppresses somebody. It names nobody: a mark is a keyed hash (`contacts/suppression.py`).

A message is somebody's by `userId`, `previousId` and `anonymousId`, and by the address in `traits.email` and
`context.traits.email`; nothing else of it is decoded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from heard.board import Board
from heard.contacts.suppression import Suppressed as Marks
from heard.messages import lenient


class _Workspace(msgspec.Struct):
    sources: list[int]
    key: str
    marks: list[str]


class _Traits(msgspec.Struct):
    email: Any = None


class _Context(msgspec.Struct):
    traits: _Traits | None = None


class _Item(msgspec.Struct, rename="camel"):
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    traits: _Traits | None = None
    context: _Context | None = None


class _Envelope(msgspec.Struct):
    batch: list[Raw]
    context: Raw = Raw(b"null")


_read = msgspec.json.Decoder(list[_Workspace]).decode
_item = msgspec.json.Decoder(_Item).decode
_envelope = msgspec.json.Decoder(_Envelope).decode
_parts = msgspec.json.Decoder(dict[str, Raw]).decode


class Suppressed:
    """Whom each source must not bring, as of the board's generation."""

    def __init__(self, path: Path, board: Board) -> None:
        self._path = path
        self._board = board
        self._by_source: Mapping[int, Marks] = {}
        self.dropped = 0
        """Messages that were left out."""
        self._load()

    def without(self, source: int, kind: str, body: bytes) -> bytes | None:
        """What of a request may be kept; None when nothing is left of it. While nobody is suppressed, `body` itself."""
        if self._generation != self._board.keys_generation:
            self._load()
        marks = self._by_source.get(source)
        if marks is None:
            return body
        if kind == "batch":
            return self._batch_without(marks, body)
        if _is_about(marks, body):
            self.dropped += 1
            return None
        return body

    def _batch_without(self, marks: Marks, body: bytes) -> bytes | None:
        try:
            envelope = _envelope(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._odd_batch_without(marks, body)
        if _is_about(marks, b'{"context":%b}' % bytes(envelope.context)):  # it lies under each of its messages
            self.dropped += len(envelope.batch)
            return None
        left = [each for each in envelope.batch if not _is_about(marks, bytes(each))]
        if len(left) == len(envelope.batch):
            return body
        self.dropped += len(envelope.batch) - len(left)
        if not left:
            return None
        return msgspec.json.encode(_parts(body) | {"batch": left})

    def _odd_batch_without(self, marks: Marks, body: bytes) -> bytes | None:
        """A batch that strict decoders refuse."""
        try:
            whole = lenient.load(body)  # mended as the router would
            around = {"context": whole.get("context")}
            left = [each for each in whole["batch"] if not _says(marks, each) and not _says(marks, around)]
        except RecursionError:  # nobody can look into it, and nothing of it would be taken
            self.dropped += 1
            return None
        if len(left) == len(whole["batch"]):
            return body
        self.dropped += len(whole["batch"]) - len(left)
        return json.dumps(whole | {"batch": left}).encode() if left else None

    def _load(self) -> None:
        self._generation = self._board.keys_generation
        try:
            found = _read(self._path.read_bytes())
        except FileNotFoundError:
            found = []
        except (OSError, msgspec.MsgspecError):
            return  # whoever is suppressed stays so
        self._by_source = {
            source: Marks(bytes.fromhex(each.key), frozenset(each.marks)) for each in found for source in each.sources
        }


def _is_about(marks: Marks, body: bytes) -> bool:
    """Whether a message is one of theirs."""
    try:
        item = _item(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        try:
            return _says(marks, lenient.load(body))
        except ValueError:
            return False
        except RecursionError:  # nobody can look into it, and it would not be taken
            return True
    except RecursionError:
        return True
    mailboxes = [item.traits.email if item.traits else None]
    if item.context and item.context.traits:
        mailboxes.append(item.context.traits.email)
    return marks.holds(
        (item.user_id, item.anonymous_id, item.previous_id), [each for each in mailboxes if type(each) is str]
    )


def _says(marks: Marks, message: Any) -> bool:
    """The same of a message that is odd: numbers for ids, texts for objects."""
    fields = _object(message)
    ids = [lenient.id_text(fields.get(name)) for name in ("userId", "anonymousId", "previousId")]
    boxes = [_object(fields.get("traits")).get("email")]
    boxes.append(_object(_object(fields.get("context")).get("traits")).get("email"))
    return marks.holds(
        [lenient.UNSTORABLE.sub(lenient.REPLACEMENT, each) for each in ids if type(each) is str],
        [each for each in boxes if type(each) is str],
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
