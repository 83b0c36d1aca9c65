"""Secrets that are kept to be used again, such as a mail server's password: sealed under the installation's secret.

AES-256-GCM, with a key for each purpose, so that what was sealed for one workspace opens for no other. The
installation's secret is not in the database: whoever has that alone has no password.
"""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

from heard.errors import HeardError

VERSION = "1."
NONCE = 12  # octets; drawn anew each time


class Unreadable(HeardError):
    """It was sealed under another secret, for another purpose, or is damaged."""


def seal(secret: bytes, text: str, *, purpose: str) -> str:
    """`text` so that only this installation can read it, in plain ASCII."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE)
    hidden = AESGCM(_key(secret, purpose)).encrypt(nonce, text.encode(), None)
    return VERSION + urlsafe_b64encode(nonce + hidden).decode()


def unseal(secret: bytes, sealed: str, *, purpose: str) -> str:
    """What was sealed. `purpose` is the one it was sealed for.

    Raises:
        Unreadable: see there. The message repeats nothing of it.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        whole = urlsafe_b64decode(sealed.removeprefix(VERSION))
        return AESGCM(_key(secret, purpose)).decrypt(whole[:NONCE], whole[NONCE:], None).decode()
    except (ValueError, InvalidTag):
        raise Unreadable("It was kept under another HEARD_SECRET and cannot be read.") from None


def _key(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, b"heard/sealed/" + purpose.encode(), "sha256")
