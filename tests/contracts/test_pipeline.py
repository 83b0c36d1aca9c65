"""The loops over a real store and a real log, where the database or the calendar misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from heard import config
from heard.installation import Installation
from heard.log.segments import SegmentWriter
from heard.messages import accepted
from heard.messages.accepted import Accepted
from heard.store import tables
from heard.store.types import micros
from tests.contracts.desk import WEBSITE, Desk


def run(folder: Path, story: Callable[[Installation, Any], Awaitable[None]]) -> None:
    """`story` with an installation whose loops do not run by themselves, and a way to put messages on its log."""
    Desk(f"sqlite:///{folder / 'heard.db'}").close()

    async def live() -> None:
        app = Installation(config.read({}, data=folder), test_clock=True)
        (folder / "log").mkdir(exist_ok=True)
        log = SegmentWriter(folder / "log", app.board, segment_bytes=1 << 20).start()

        async def receive(*messages: dict[str, Any], days_ago: int = 0) -> None:
            at = app.clock.now() - timedelta(days=days_ago)
            body = msgspec.json.encode({"batch": list(messages)})
            request = Accepted(source=WEBSITE, kind="batch", received_at=micros(at), client="", agent="", body=body)
            await log.append(accepted.encode(request))

        try:
            await story(app, receive)
        finally:
            await app.close()
            await log.close()

    asyncio.run(live())


def identify(user: str) -> dict[str, Any]:
    return {"type": "identify", "userId": user, "messageId": f"m-{user}", "traits": {}}


async def tidy(app: Installation) -> None:
    while await app.pipeline.tidy_once():
        pass


def people(app: Installation) -> set[str]:
    return {row.user_id for row in app.store.read_now(lambda found: found.execute(tables.contacts.select()).all())}


def test_a_first_batch_of_a_day_that_failed_is_routed_when_the_database_is_back(tmp_path: Path):
    async def story(app: Installation, receive: Any) -> None:
        whole, broken = app.store.write, [True]

        async def breaks(work: Callable[[Connection], Any]) -> Any:
            def half(connection: Connection) -> None:
                work(connection)
                raise OperationalError("COMMIT", {}, Exception("disk is full"))

            return await whole(half if broken.pop() else work)

        await receive(identify("ted"))
        app.store.write = breaks  # type: ignore[method-assign]
        with pytest.raises(OperationalError):
            await app.pipeline.route_once()
        app.store.write = whole  # type: ignore[method-assign]
        assert await app.pipeline.route_once()
        assert people(app) == {"ted"}

    run(tmp_path, story)


def test_a_backlog_of_last_week_is_routed_and_its_repeats_are_known(tmp_path: Path):
    async def story(app: Installation, receive: Any) -> None:
        await receive(identify("ted"), days_ago=7)
        await app.pipeline.route_once()
        await receive(identify("ted"), identify("lily"), days_ago=7)
        app.pipeline.house.at_once()
        await tidy(app)  # the hourly housekeeping, while something waits
        assert await app.pipeline.route_once()
        assert people(app) == {"ted", "lily"}
        assert app.pipeline.routed == 2

        app.pipeline.house.at_once()
        await tidy(app)  # and when nothing waits: the old days are forgotten
        await receive(identify("robin"), days_ago=7)
        assert await app.pipeline.route_once()
        assert people(app) == {"ted", "lily", "robin"}

    run(tmp_path, story)


def test_time_never_goes_back(tmp_path: Path):
    async def story(app: Installation, receive: Any) -> None:
        before = app.clock.now()
        await app.pipeline.advance(before - timedelta(days=1))
        assert app.clock.now() >= before

    run(tmp_path, story)


def test_edits_side_by_side_leave_the_latest_in_memory(tmp_path: Path):
    async def story(app: Installation, receive: Any) -> None:
        async def rename(name: str) -> None:
            await app.store.write(lambda found: found.execute(tables.sources.update().values(name=name)))
            await app.reload()

        await asyncio.gather(*(rename(f"Source {number}") for number in range(8)))
        kept = await app.store.read(lambda found: found.execute(tables.sources.select()).one().name)
        assert app.directory.sources[WEBSITE].name == kept

    run(tmp_path, story)
