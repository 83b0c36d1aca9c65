"""The signature by which other mail servers know that a mail is the sender's: DKIM, RFC 6376.

Written here because it is short and our mails are ours: dkimpy takes seven times as long for the same (ADR 0028), and
dkimpy is who reads it back in the tests. Both parts are canonicalized as `relaxed`, so that a server on the way may
fold a line anew.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from heard.accounts.mail_settings import DkimKey
from heard.channels.email.mail import Mail

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

BITS = 2048
# Everything that tells the reader who writes to whom about what, and how to leave (RFC 8058 demands those two).
SIGNED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"in-reply-to",
    b"references",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"auto-submitted",
    b"mime-version",
    b"content-type",
)
TWICE = (b"from", b"to", b"subject")  # named once more, so that nobody can add a second one (8.15)
WIDTH = 72
_SPACE = re.compile(rb"[ \t]+")
_FIELD = re.compile(rb"([!-9;-~]+):(.*(?:\r\n[ \t].*)*)\r\n")


def signed(mail: Mail, key: DkimKey) -> Mail:
    """The mail with its DKIM-Signature before everything else."""
    return msgspec.structs.replace(mail, content=signature(mail.content, key) + mail.content)


def signature(content: bytes, key: DkimKey) -> bytes:
    """The header line with its CRLF. `content` is RFC 5322 with CRLF, as `render` writes it."""
    head, _, body = content.partition(b"\r\n\r\n")
    fields = [(name.lower(), value) for name, value in _FIELD.findall(head + b"\r\n")]
    there = {name for name, _ in fields}
    names = [name for name in SIGNED if name in there]
    lines = [
        f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={key.domain};",
        f" s={key.selector};",
        *_folded(" h=" + ":".join(name.decode() for name in (*names, *TWICE)) + ";", ":"),
        f" bh={b64encode(sha256(_relaxed_body(body)).digest()).decode()};",
        " b=",
    ]
    unsigned = "\r\n".join(lines).encode()
    told = b"".join(_relaxed(name, value) + b"\r\n" for name, value in _chosen(fields, names))
    by_key = b64encode(_sign(key.private_key, told + _relaxed(b"dkim-signature", unsigned))).decode()
    cut = "\r\n ".join(by_key[start : start + WIDTH] for start in range(0, len(by_key), WIDTH))
    return b"DKIM-Signature: " + unsigned + cut.encode() + b"\r\n"


def make_key() -> tuple[str, str]:
    """(private, public), as `DkimKey` holds them; takes some 0.1 to 0.5 seconds."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), b64encode(public).decode()


def _chosen(fields: list[tuple[bytes, bytes]], names: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Each field that is named, the last of its name; our mails have one of each."""
    last = dict(fields)
    return [(name, last[name]) for name in names]


def _relaxed(name: bytes, value: bytes) -> bytes:
    """3.4.2: on one line, spaces single."""
    return name + b":" + _SPACE.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")


def _relaxed_body(body: bytes) -> bytes:
    """3.4.4: spaces single and none at the end of a line, no empty lines at the end."""
    if b"  " in body or b"\t" in body or b" \r\n" in body:
        body = b"\r\n".join(_SPACE.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n"))
    body = body.rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def _folded(text: str, at: str) -> list[str]:
    """One line, or several that begin with a space, cut behind `at`."""
    lines: list[str] = []
    while len(text) > WIDTH:
        cut = text.rindex(at, 0, WIDTH) + 1
        lines.append(text[:cut])
        text = " " + text[cut:]
    return [*lines, text]


def _sign(private_key: str, told: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    return _opened(private_key).sign(told, PKCS1v15(), SHA256())


@lru_cache(64)
def _opened(private_key: str) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(private_key.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key
