"""Header lines that hold what people typed, and cannot become two.

Every value is made one line before it is written, so there is no octet left that could end a header. What is not plain
ASCII becomes RFC 2047 encoded words, cut between characters; lines stay within 78 columns where the text lets them.
"""

from __future__ import annotations

import re
from base64 import b64encode

from heard.channels.email.address import Mailbox

LONGEST = 300  # characters of a subject or a name; more than that nobody reads
WIDTH = 76
WORD = 45  # octets of UTF-8 in one encoded word: 45 * 4 / 3 + 12 = 72 columns

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


def header(name: str, value: str) -> bytes:
    """`Name: value` with its CRLF. The value is ASCII that we wrote ourselves: an id, a link, a date."""
    return f"{name}: {_CONTROL.sub('', value)}\r\n".encode("ascii")


def text(name: str, value: str) -> bytes:
    """A header of free text, such as Subject."""
    value = one_line(value)
    written = _folded(value, len(name) + 2) if _is_plain(value) else _encoded(value, len(name) + 2)
    return f"{name}: {written}\r\n".encode("ascii")


def mailbox(name: str, box: Mailbox) -> bytes:
    """A header of one address and the name beside it: `To: "Lee, Ann" <ann@example.com>`.

    The address comes from `address.mailbox` or `address.wire` and holds no character that ends it; it is written as
    UTF-8 where it is not ASCII (RFC 6532), for the servers that take such mail.
    """
    shown = one_line(box.name)
    if not shown:
        return f"{name}: {box.address}\r\n".encode()
    if not _is_plain(shown):
        shown = _encoded(shown, len(name) + 2)
    elif not _ATOMS.fullmatch(shown):
        shown = '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name}: {shown}\r\n <{box.address}>\r\n".encode()


def one_line(value: str) -> str:
    """The text on one line, spaces single, at most 300 characters."""
    if value.isprintable():  # nearly all: no control character, no separator but the space, no lone surrogate
        return " ".join(value.split())[:LONGEST]
    return " ".join(_CONTROL.sub(" ", value).split())[:LONGEST]


def _is_plain(value: str) -> bool:
    """ASCII that no reader could take for an encoded word."""
    return value.isascii() and "=?" not in value


def _folded(value: str, column: int) -> str:
    """Break at spaces before the line grows too long. A word is never cut: 300 characters fit the limit of 998."""
    if column + len(value) <= WIDTH:
        return value
    lines: list[str] = []
    line = ""
    for word in value.split(" "):
        room = WIDTH - (column if not lines else 1)
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line])


def _encoded(value: str, column: int) -> str:
    words: list[str] = []
    held = b""
    for character in value:
        octets = character.encode()
        room = WORD if words else max(12, WORD - column)
        if len(held) + len(octets) > room:
            words.append(_word(held))
            held = b""
        held += octets
    return "\r\n ".join([*words, _word(held)])


def _word(octets: bytes) -> str:
    return f"=?utf-8?b?{b64encode(octets).decode()}?="
