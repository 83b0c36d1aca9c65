"""Dry runs that take a while: begun by whoever asks first, in a thread and on a connection of their own, and asked
after until they are done. What is found is given once."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Any

from heard.campaigns.campaign import Campaign
from heard.errors import HeardError
from heard.installation import Installation
from heard.operations import dry_run
from heard.steps.rehearse import Progress
from heard.store import dialects

AT_ONCE = 1  # the others wait: each would have a core to itself
KEPT = 300  # seconds that something found waits to be fetched

Key = tuple[int, int, int, str]  # workspace, campaign, its version, from when as it was asked


class DryRuns:
    """Those that one door of the installation began: the pages, or the API."""

    def __init__(self, app: Installation) -> None:
        self._app = app
        self._runs: dict[Key, _Run] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def of(self, campaign: Campaign, *, since: str, patience: float | None = None) -> dict[str, Any] | Progress:
        """As `dry_run.result` gives it; or how far it is, where it is not found within `patience` seconds. None waits.

        Raises:
            Invalid: as `dry_run.result`, or it is no moment (field `since`).
        """
        key = (campaign.workspace, campaign.id, campaign.version, since)
        run = self._runs.get(key)
        if run is None:
            now = self._app.clock.now()
            run = _Run(self._app, campaign, dry_run.begin(since, now), now)
            self._runs[key] = run
            run.task = asyncio.create_task(run.go(self._turn))
            run.task.add_done_callback(partial(self._done, key, run))
        await asyncio.wait([run.task], timeout=patience)
        if not run.task.done():
            return run.progress
        self._forget(key, run)
        return await run.task

    def _done(self, key: Key, run: _Run, task: asyncio.Task[dict[str, Any]]) -> None:
        if not task.cancelled():
            task.exception()  # told to whoever asks after it, and else to nobody
        asyncio.get_running_loop().call_later(KEPT, self._forget, key, run)

    def _forget(self, key: Key, run: _Run) -> None:
        if self._runs.get(key) is run:
            del self._runs[key]


class _Run:
    task: asyncio.Task[dict[str, Any]]

    def __init__(self, app: Installation, campaign: Campaign, since: datetime, now: datetime) -> None:
        self.progress = Progress(done=0, of=1)
        self._app, self._campaign, self._since, self._now = app, campaign, since, now

    async def go(self, turn: asyncio.Semaphore) -> dict[str, Any]:
        async with turn:
            return await asyncio.to_thread(self._look)

    def _look(self) -> dict[str, Any]:
        engine = dialects.open_engine(self._app.settings.database_url, writer=False)
        try:
            with engine.connect() as connection:
                for step in dry_run.result(connection, self._app.directory, self._campaign, self._since, self._now):
                    if not isinstance(step, Progress):
                        return step
                    if self._app.closing.is_set():
                        break
                    self.progress = step
        finally:
            engine.dispose()
        raise HeardError("Heard is stopping. Ask again in a moment.")
