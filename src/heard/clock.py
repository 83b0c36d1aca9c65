"""What time it is. Nouns never ask: `now` is an argument there."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from heard.board import Board

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock:
    """The real time, moved by what the test clock says.

    The offset lies on the board that both processes share, so the collector's `receivedAt` moves with it; without
    `--test-clock` it is zero and stays so.
    """

    def __init__(self, board: Board) -> None:
        self._board = board

    def now(self) -> datetime:
        return _EPOCH + timedelta(microseconds=time.time_ns() // 1000 + self._board.clock_offset_us)

    def move_to(self, moment: datetime) -> None:
        """From here on it is `moment`, and ticks on."""
        self._board.clock_offset_us = (moment - _EPOCH) // _MICROSECOND - time.time_ns() // 1000
