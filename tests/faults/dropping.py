"""Drops a day of messages piece by piece until somebody kills it: `python -m tests.faults.dropping URL DAY`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import partial

from heard.store import keeping
from heard.store.store import Store


def main(url: str, day: int) -> None:
    keeping.A_PIECE, keeping.ROWS = 0.002, 20
    store = Store(url)
    print("ready", flush=True)
    piece = partial(keeping.drop_a_piece, day=day, destinations=[(1, 7)], run=datetime(2026, 12, 1, tzinfo=UTC))
    while store.write_now(piece):
        pass
    print("done", flush=True)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
