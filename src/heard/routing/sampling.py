"""Who is in a filter's sample: decided by a hash, so that a person is in or out for good.

The person is the userId, and without one the anonymousId: all messages of one person have the same answer at one
destination. The share is no part of the hash, so raising it adds people and takes nobody out.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b


def sample(destination: int, condition: str, share: float) -> Callable[[str], bool]:
    """Whether a person is in the `share` (0 to 1) that a filter of this destination lets through."""
    begun = blake2b(f"sample\0{destination}\0{condition}\0".encode("utf-8", "surrogatepass"), digest_size=8)
    limit = share * 2**64

    def is_in(person: str) -> bool:
        digest = begun.copy()
        digest.update(person.encode("utf-8", "surrogatepass"))
        return int.from_bytes(digest.digest(), "big") < limit

    return is_in
