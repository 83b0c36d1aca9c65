"""Who falls into a sample: decided once per contact and campaign by a hash, never rolled again."""

from __future__ import annotations

from hashlib import blake2b


def position(campaign: int, contact: int) -> float:
    """A number in [0, 1) that never changes for this contact in this campaign, spread evenly over contacts."""
    digest = blake2b(f"sample:{campaign}:{contact}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
