"""Who is not to be heard of again, without saying who: a keyed hash stands for the person.

A suppression has to outlive everything else that is known about somebody, so it must not name them. What is kept is an
HMAC-SHA256 of the userId or the address, under a key that is derived from the installation's secret for each workspace:
it answers "is it this one?" and nothing else, and says nothing about the same person in another workspace.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

import msgspec

from heard.contacts import address as addresses

USER, MAILBOX = b"user", b"mailbox"
MARK = 16  # octets that are kept


def key_of(secret: bytes, workspace: int) -> bytes:
    """The key of a workspace. `secret` is the installation's."""
    return hmac.digest(secret, b"heard/suppressions/workspace/%d" % workspace, "sha256")


def user_mark(key: bytes, user_id: str) -> str:
    """32 hex digits. Two userIds are one when they are written alike."""
    return _mark(key, USER, user_id)


def mailbox_mark(key: bytes, address: str) -> str:
    """The same for an address; two are one when they are one mailbox."""
    return _mark(key, MAILBOX, addresses.key(address))


class Suppressed(msgspec.Struct, frozen=True):
    """Everybody whom one workspace is not to hear of."""

    key: bytes
    marks: frozenset[str]

    def holds(self, user_ids: Iterable[str | None], mailboxes: Iterable[str | None] = ()) -> bool:
        """Whether one of these is suppressed. None and "" are nobody."""
        return any(each and user_mark(self.key, each) in self.marks for each in user_ids) or any(
            each and mailbox_mark(self.key, each) in self.marks for each in mailboxes
        )


def _mark(key: bytes, kind: bytes, text: str) -> str:
    said = kind + b"\x00" + text.encode("utf-8", "surrogatepass")
    return hmac.digest(key, said, "sha256")[:MARK].hex()
