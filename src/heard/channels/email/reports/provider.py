"""What every reader of reports is: a name in an address, how to read a body, and how to tell that it is genuine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from heard.deliveries.notice import Notice

Headers = Mapping[str, str]  # by name in small letters


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """`read` raises Invalid where a body is none of this provider's. What it knows nothing of it leaves out.

    `proof` says in one sentence why a body does not prove, by the secret that was kept, that the provider wrote it;
    None = it does. A provider without `secret` signs nothing that could be checked.
    """

    name: str  # in /hooks/email/<name>/...
    title: str
    read: Callable[[bytes], list[Notice]]
    help: str  # where to enter the address
    secret: str = ""  # what the provider calls what it signs with
    proof: Callable[[bytes, Headers, str], str | None] | None = None
    anybody: bool = False  # its reports are mails, which anybody can send: believed only where they quote one of ours
