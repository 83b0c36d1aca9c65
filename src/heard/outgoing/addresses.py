"""Which addresses may be reached: the public ones. Behind all others are the machine's own network and its secrets."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address

GLOBAL_UNICAST = IPv6Network("2000::/3")  # all that IANA gives out; https://www.iana.org/assignments/ipv6-address-space
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
# Public by their number, yet nobody's webhook. What `is_global` knows depends on the version of Python.
NEVER: tuple[IPv4Network | IPv6Network, ...] = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("168.63.129.16/32"),  # Azure's metadata
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv4Network("240.0.0.0/4"),
    IPv6Network("2001::/32"),  # Teredo and 6to4: tunnels to an IPv4 address, given up by RFC 7526
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),  # documentation
)
PRIVATE: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(each)
    for each in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7")
)


def may_be_reached(address: Address, *, allow_private: bool) -> bool:
    """Whether a connection to it is allowed.

    `allow_private` adds loopback and private networks, but neither link-local addresses, where clouds keep their
    metadata, nor multicast. An IPv4 address inside an IPv6 one is judged as what it is.
    """
    address = unwrapped(address)
    if allow_private and any(address in network for network in PRIVATE):
        return True
    if address.is_multicast or not address.is_global or any(address in network for network in NEVER):
        return False
    return address.version == 4 or address in GLOBAL_UNICAST


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (mapped, NAT64), else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else address
