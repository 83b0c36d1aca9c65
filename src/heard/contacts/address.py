"""E-mail addresses: which text is one, and when two are the same mailbox."""

from __future__ import annotations

import re

LONGEST = 254  # RFC 5321, 4.5.3.1.3
_ADDRESS = re.compile(
    r"[^\s@<>()\[\],;:\"\\\x00-\x1f\x7f]{1,64}@(?:[^\s@<>()\[\],;:\"\\./_\x00-\x1f\x7f]{1,63}\.)*"
    r"[^\s@<>()\[\],;:\"\\./_\x00-\x1f\x7f]{1,63}"
)


def read(value: object) -> str | None:
    """The address in a trait, trimmed; None when it is not text or no mailbox could have it.

    Pragmatic, after RFC 5321: one @, no spaces or control characters, no quoting, no leading or doubled dots.
    """
    if not isinstance(value, str):
        return None
    address = value.strip()
    if len(address) > LONGEST or not _ADDRESS.fullmatch(address):
        return None
    local = address.rpartition("@")[0]
    return None if local.startswith(".") or local.endswith(".") or ".." in local else address


def key(address: str) -> str:
    """Two addresses with one key are one mailbox: compared without case. Dots and +tags are left alone."""
    return address.strip().casefold()
