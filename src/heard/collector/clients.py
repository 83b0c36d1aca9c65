"""Who is at the other end: the peer, or whom a trusted proxy says it speaks for."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


class Clients:
    """`trusted` are the networks whose `X-Forwarded-For` is believed; from anyone else it is only a claim."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def address(self, peer: tuple[str, int] | None, headers: Sequence[tuple[bytes, bytes]]) -> str:
        """The client's address, "" when unknown; of a forwarding chain the last one that we have no reason to trust."""
        address = peer[0] if peer else ""
        if not self._trusted or not self.trusts(address):
            return address
        claimed = b",".join(value for name, value in headers if name == b"x-forwarded-for")
        for hop in reversed(claimed.decode("latin-1").split(",")):
            hop = hop.strip()
            if not _is_address(hop):
                break
            address = hop
            if not self.trusts(hop):
                break
        return address

    def trusts(self, address: str) -> bool:
        try:
            number = ip_address(address)
        except ValueError:
            return False
        return any(number in network for network in self._trusted)


def networks(text: str) -> list[Network]:
    """`10.0.0.0/8, 127.0.0.1`, or `*` for everyone.

    Raises:
        ValueError: naming what is no network.
    """
    if text.strip() == "*":
        return [ip_network("0.0.0.0/0"), ip_network("::/0")]
    return [ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip()]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
