"""What became of a destination's messages in a window: its counts by hour, added up."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from heard.routing.latency import percentile
from heard.store.forwards import DELIVERED, DISCARDED, LATENCY, REFUSED, RETRIED


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """`discarded` was given up; `retried` counts tries that failed for now; `refused` is by reason, the most first."""

    delivered: int = 0
    discarded: int = 0
    retried: int = 0
    p95: float | None = None  # seconds from receipt to delivery
    refused: tuple[tuple[str, int], ...] = ()

    @property
    def kept_from_it(self) -> int:
        return sum(n for _, n in self.refused)


def counted(counts: Mapping[str, int]) -> Counted:
    """`counts` as `forwards.counted` gives them for one destination."""
    parts = [(name.partition(":"), n) for name, n in counts.items()]
    refused = [(rest, n) for (kind, _, rest), n in parts if kind == REFUSED]
    return Counted(
        delivered=counts.get(DELIVERED, 0),
        discarded=counts.get(DISCARDED, 0),
        retried=counts.get(RETRIED, 0),
        p95=percentile({int(rest): n for (kind, _, rest), n in parts if kind == LATENCY and rest.isdigit()}),
        refused=tuple(sorted(refused, key=lambda each: (-each[1], each[0]))),
    )
