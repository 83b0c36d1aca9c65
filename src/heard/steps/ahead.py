"""What a courier is done with beyond its cursor.

A cursor stops at the first message that was not tried: somebody asked for patience, or the destination is down. What
other lanes were done with further on is remembered here until the cursor has passed it, so that nobody gets it twice.
"""

from __future__ import annotations

from collections.abc import Iterable


class Ahead:
    """Numbers of messages by `run`: 0 is the record as it comes, else the number of a replay.

    Nothing is tried further from a cursor than a window, so there are never more numbers than a window has messages.
    """

    def __init__(self) -> None:
        self._by_run: dict[int, frozenset[int]] = {}

    def of(self, run: int) -> frozenset[int] | None:
        """None when nobody has said yet what there was before the start."""
        return self._by_run.get(run)

    def learn(self, run: int, numbers: Iterable[int], *, position: int) -> None:
        """These are done too, and the cursor stands at `position` now. Of replays only the newest asked for is kept."""
        known = self._by_run.get(run, frozenset())
        if run:
            self._by_run = {kept: found for kept, found in self._by_run.items() if kept == 0}
        self._by_run[run] = frozenset(number for number in known.union(numbers) if number > position)
