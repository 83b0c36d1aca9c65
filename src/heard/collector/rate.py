"""How many requests a source may send: a bucket of tokens each, filled steadily, holding two seconds' worth."""

from __future__ import annotations

BURST_SECONDS = 2


class Rate:
    """At most `per_second` requests a second from each source, over any longer time; twice that many at once."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._most = float(per_second * BURST_SECONDS)
        self._buckets: dict[int, tuple[float, float]] = {}
        """By source: the tokens left, and when that was."""

    def wait(self, source: int, now: float) -> float:
        """0 when one more request may come in now; else the seconds until the next one may. `now` in seconds, growing.

        A request that has to wait takes nothing, so asking too often does not make the wait longer.
        """
        tokens, since = self._buckets.get(source, (self._most, now))
        tokens = min(self._most, tokens + (now - since) * self._per_second)
        allowed = tokens >= 1
        self._buckets[source] = (tokens - allowed, now)
        return 0.0 if allowed else (1 - tokens) / self._per_second
