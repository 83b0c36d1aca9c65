"""Stretches of the record as couriers read it."""

from __future__ import annotations

from functools import partial

from heard.store import messages
from heard.store.messages import Placed
from heard.store.store import Store

WINDOW = 500  # messages looked at in one go
WINDOWS_KEPT = 4


class Windows:
    """The newest stretches of the record, read once for all couriers that stand at the same place."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[int, list[Placed]] = {}

    async def after(self, position: int) -> list[Placed]:
        found = self._read.get(position)
        if found is None:
            found = await self._store.read(partial(messages.after, position=position, limit=WINDOW))
            if found:
                self._read[position] = found
                while len(self._read) > WINDOWS_KEPT:
                    del self._read[next(iter(self._read))]
        return found

    def forget(self) -> None:
        self._read.clear()
