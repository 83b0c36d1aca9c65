"""What the collector has to know of a body before it may say 200: is it JSON at all, and whose is it?

A fault here costs the whole request a 400, so only faults of the whole body count (and a single message that is too
large, which the sender can see in one status). Whatever is wrong with one message of a batch is the router's to say.

NaN, Infinity and half surrogate pairs are not JSON but common libraries write them: they are let in, and `lenient`
says what becomes of them.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from heard.messages import lenient
from heard.messages.depth import is_deep
from heard.messages.limits import MAX_BODY_BYTES, MAX_DEPTH, MAX_MESSAGE_BYTES


class Fault(msgspec.Struct, frozen=True):
    """Why a body is refused as a whole. `code` is for programs, `message` for the person who reads the log."""

    code: str
    message: str


class Glance(msgspec.Struct, frozen=True, gc=False):
    """`write_key` is the body's own, None when it names none."""

    write_key: str | None


class _Single(msgspec.Struct):
    writeKey: Any = None


class _Batch(msgspec.Struct):
    batch: msgspec.Raw = msgspec.Raw()
    writeKey: Any = None


_single = msgspec.json.Decoder(_Single).decode
_batch = msgspec.json.Decoder(_Batch).decode


def glance(body: bytes, kind: str) -> Glance | Fault:
    """Whose `body` is, or what is wrong with it. `kind` as in `Accepted`."""
    if not body.isascii() and not _is_utf8(body):
        return Fault("invalid_utf8", "The body is not UTF-8 text. Send JSON encoded as UTF-8.")
    size = len(body)
    if size > (MAX_BODY_BYTES if kind == "batch" else MAX_MESSAGE_BYTES):
        return too_large(kind)
    try:
        if kind == "batch":
            envelope = _batch(body)
            key, is_list = envelope.writeKey, memoryview(envelope.batch)[:1].tobytes() == b"["
        else:
            key, is_list = _single(body).writeKey, True
            if size > 2 * MAX_DEPTH and is_deep(body):
                return TOO_DEEP
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _second_look(body, kind)
    except RecursionError:
        return TOO_DEEP
    if not is_list:
        return NO_BATCH
    return Glance(key if type(key) is str else None)


def _second_look(body: bytes, kind: str) -> Glance | Fault:
    try:
        value: Any = lenient.load(body)
    except RecursionError:
        return TOO_DEEP
    except ValueError as problem:
        where = str(problem) if body.strip() else "the body is empty"
        return Fault("invalid_json", f"The body is not valid JSON: {where}.")
    if not isinstance(value, dict):
        return Fault("not_an_object", "The body must be one JSON object.")
    fields = cast(dict[str, Any], value)
    if kind == "batch" and not isinstance(fields.get("batch"), list):
        return NO_BATCH
    if kind != "batch" and is_deep(body):
        return TOO_DEEP
    key: Any = fields.get("writeKey")
    return Glance(key if isinstance(key, str) else None)


def too_large(kind: str) -> Fault:
    if kind == "batch":
        return Fault("body_too_large", f"The body is over {MAX_BODY_BYTES:,} bytes. Send smaller batches.")
    return Fault("message_too_large", f"The message is over {MAX_MESSAGE_BYTES:,} bytes of JSON. Send less with it.")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


TOO_DEEP = Fault("too_deep", f"The body is nested more than {MAX_DEPTH} levels deep. Flatten it.")
NO_BATCH = Fault("batch_not_a_list", 'A batch is {"batch": [...]}: the field `batch` must be a list of messages.')
