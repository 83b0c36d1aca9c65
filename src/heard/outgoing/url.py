"""Where a request goes: the address as members write it, read strictly, by the same rules when it is saved and sent to.

- https. http only where the private network is allowed, that is in development.
- Port 80, 443, or one from 1024 on: below are mail servers, shells and the like.
- No user and password in it, no spaces, no backslash.
- A public name, or a public IP address in its plain spelling. `0x7f000001`, `2130706433` and `127.1` are 127.0.0.1 to
  some libraries, so no such spelling is taken at all.

What a name leads to is only known when it is resolved, so that is checked at every connection (`connect.py`).
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

import msgspec

from heard.errors import Invalid
from heard.outgoing.addresses import Address, may_be_reached

LONGEST = 2000  # characters
PORTS = {"http": 80, "https": 443}
NOT_PUBLIC = ("localhost", "local", "internal", "intranet", "lan", "home.arpa")  # names, and what ends in them

_NETLOC = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(?::(\d{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_AS_IT_IS = "%/:=&?~+!$,;'@()*[]|"  # what stays unescaped in path and query


class Forbidden(Invalid):
    """It leads, or would lead, somewhere that is not public."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """`host` in ASCII, without brackets and without a dot at its end; `path` with the query, escaped."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def check_url(url: object, *, allow_private: bool, field: str | None = None) -> None:
    """Refuse an address that nothing would be sent to, when it is saved.

    Raises:
        Invalid: naming the fix. `Forbidden` where it is about what is behind the address.
    """
    if not isinstance(url, str):
        raise Invalid("Write an address like https://hooks.example.com/in.", field=field)
    try:
        read(url, allow_private=allow_private)
    except Invalid as error:
        error.field = field
        raise


def read(url: str, *, allow_private: bool) -> Target:
    """The address in its parts.

    Raises:
        Invalid: nothing may be sent there; see above.
    """
    if len(url) > LONGEST or any(letter <= " " or letter == "\x7f" or letter == "\\" for letter in url):
        raise Invalid(f"Write an address of at most {LONGEST:,} characters, without spaces and backslashes.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Invalid("Write an address like https://hooks.example.com/in.") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS or not parts.netloc:
        raise Invalid("Write an address like https://hooks.example.com/in.")
    if scheme == "http" and not allow_private:
        raise Invalid(
            "Begin the address with https://, so that nobody on the way can read what is sent; "
            "HEARD_ALLOW_PRIVATE_NETWORK allows http for development."
        )
    if "@" in parts.netloc:
        raise Invalid("Leave the user and password before the @ out of the address; use a header instead.")
    found = _NETLOC.fullmatch(parts.netloc)
    if not found:
        raise Invalid("Write an address like https://hooks.example.com/in.")
    port = int(found[2] or PORTS[scheme])
    if port not in PORTS.values() and not 1024 <= port <= 65535:
        raise Invalid(f"Use port 80, 443, or one from 1024 to 65535, not {port}.")
    host = host_of(found[1], allow_private=allow_private)
    query = f"?{quote(parts.query, safe=_AS_IT_IS)}" if parts.query else ""
    return Target(scheme=scheme, host=host, port=port, path=(quote(parts.path, safe=_AS_IT_IS) or "/") + query)


def literal(host: str) -> Address | None:
    """The address that a host is; None when it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def host_of(written: str, *, allow_private: bool) -> str:
    """A host as members write it, in ASCII; an IPv6 address in brackets. Raises Invalid as `read` does."""
    if written.startswith("["):
        host, address = written[1:-1], literal(written[1:-1])
        if address is None or address.version != 6:
            raise Invalid(f"{written} is not an IPv6 address.")
    else:
        host = _name(written)
        address = literal(host)
        if address is None and _NUMBER.fullmatch(host.rpartition(".")[2]):
            raise Invalid(f"Write the IP address as four decimal numbers, like 203.0.113.7, not {written}.")
    if address is not None:
        if not may_be_reached(address, allow_private=allow_private):
            raise not_public(host)
    elif not allow_private and ("." not in host or host.endswith(tuple(f".{each}" for each in NOT_PUBLIC))):
        raise not_public(host)
    return str(address) if address is not None else host


def _name(written: str) -> str:
    """The name in ASCII. Full-width digits and dots become plain ones here, before anybody judges them."""
    try:
        host = written.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        host = ""
    if not host or len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise Invalid(f"{written!r} is not the name of a host.")
    return host


def not_public(host: str) -> Forbidden:
    return Forbidden(
        f"The host {host} is not on the public internet, and nothing is sent elsewhere; "
        "HEARD_ALLOW_PRIVATE_NETWORK allows it for development."
    )
