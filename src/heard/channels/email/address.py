"""Addresses on the wire: domains in ASCII, names that cannot break out of their header."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

from heard.contacts import address as addresses
from heard.errors import Invalid

_NAMED = re.compile(r"\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<plain>[^<>\"]*?))\s*<(?P<address>[^<>]*)>\s*")


class Mailbox(msgspec.Struct, frozen=True):
    """An address as a server understands it, and the name people see beside it ("" = none)."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@lru_cache(1024)
def mailbox(text: str, *, field: str | None = None) -> Mailbox:
    """Read `Acme <feedback@acme.example>` or a bare address, as members write it.

    Raises:
        Invalid: there is no usable address in it, or it spans several lines.
    """
    if re.search(r"[\x00-\x1f\x7f\u2028\u2029]", text):
        raise Invalid("An address is one line of text.", field=field)
    named = _NAMED.fullmatch(text)
    written = named["address"] if named else text
    address = addresses.read(written)
    on_wire = wire(address) if address else None
    if on_wire is None:
        raise Invalid(
            f"Write an address like feedback@acme.example or Acme <feedback@acme.example>, not {text!r}.", field=field
        )
    if named is None:
        return Mailbox("", on_wire)
    quoted = re.sub(r"\\(.)", r"\1", named["quoted"] or "")
    return Mailbox(quoted or (named["plain"] or "").strip(), on_wire)


def wire(address: str) -> str | None:
    """The address with its domain in ASCII (IDNA 2008); the local part stays as it is. None: there is none."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{'.'.join(_label(label) for label in domain.split('.'))}"
    except UnicodeError:
        return None


def _label(label: str) -> str:
    """Python's codec follows IDNA 2003, which reads ß as ss: by now somebody else's domain. Those letters are kept."""
    if any(letter in "ßς\u200c\u200d" for letter in label):
        return "xn--" + unicodedata.normalize("NFC", label.lower()).encode("punycode").decode()
    return label.encode("idna").decode()


def reachable(address: object) -> str | None:
    """The address as it goes over the wire; None when no mail could be handed to a server for it, or no header hold it.

    Whether anybody reads what is sent there, only a server can tell.
    """
    known = addresses.read(address)
    return wire(known) if known is not None and known.isprintable() else None


key = addresses.key  # two addresses with one key are one mailbox
