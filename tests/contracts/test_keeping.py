"""What was kept long enough is removed, of either database, while nobody needs it: the test clock walks over it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from heard.installation import Installation
from heard.retention import Kind
from heard.store import days, removals, tail
from heard.store.days import day_of
from heard.store.tail import Wanted
from tests.contracts.front import Front, front, hook, track
from tests.contracts.kept import DAY, KEEP, days_with_messages, gone, receive_daily
from tests.contracts.receiver import Receiver


def test_whole_days_go_when_they_are_old_enough_and_not_a_day_before(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply()
        await receive_daily(heard, 15)

        assert days_with_messages(heard) == list(range(1, 11))
        assert gone(heard) == 1
        since = heard.app.store.read_now(lambda found: removals.gone_before(found, Kind.MESSAGES))
        assert since is not None
        assert day_of(since) == day_of(heard.app.clock.now() - 10 * DAY)
        found = heard.app.store.read_now(lambda found: tail.back(found, 1, Wanted()))
        assert [each.user_id for each in found.found] == [f"user {n}" for n in range(14, 4, -1)]

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_nothing_goes_where_nothing_is_set(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply()
        await receive_daily(heard, 2)
        await heard.pass_time(3000 * DAY)

        assert days_with_messages(heard) == [3001, 3000 + 2]
        # Hourly counts of destinations, our own among them, are kept for 400 days where nothing else is said.
        assert heard.app.store.read_now(removals.all_).keys() == {Kind.COUNTS}

    front(tmp_path, story, HEARD_DATABASE_URL=url)


def test_what_became_of_a_message_at_its_destinations_goes_with_it(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann"), track("bob"))
        await heard.settle()
        await heard.pass_time(DAY)
        assert heard.forwards("Hook") == [("dead", 1, "http_400"), ("dead", 1, "http_400")]
        await heard.pass_time(11 * DAY)

        assert heard.forwards("Hook") == []
        assert heard.counts("Hook") == {"discarded": 2}

    with Receiver(*[400] * 2) as receiver:
        front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_dead_letters_may_go_before_their_message(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann"))
        await heard.settle()
        await heard.pass_time(3 * DAY)

        assert heard.forwards("Hook") == []
        assert days_with_messages(heard) == [3]
        assert gone(heard, Kind.DEAD_LETTERS) == 1

    with Receiver(400) as receiver:
        front(tmp_path, story, HEARD_DATABASE_URL=url, HEARD_KEEP_DEAD_LETTERS="2d", **KEEP)


# ── bytes, and what else goes on ──


def test_of_a_dropped_day_no_byte_is_left_in_the_database_file(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply()
        await heard.receive(*(track("ann", "Visited", secret=f"SEVERUS-{n}-" + "x" * 500) for n in range(300)))
        await heard.settle()
        await heard.receive(track("bob", "Visited", secret="ALBUS"))
        await heard.settle()
        checkpoint(heard.app)
        assert b"SEVERUS" in (tmp_path / "heard.db").read_bytes()
        await heard.pass_time(11 * DAY)
        await heard.receive(track("bob", "Visited", secret="MINERVA"))
        await heard.settle()
        checkpoint(heard.app)
        content = (tmp_path / "heard.db").read_bytes() + (tmp_path / "heard.db-wal").read_bytes()
        assert b"MINERVA" in content
        assert b"SEVERUS" not in content
        assert b"ALBUS" not in content

    front(tmp_path, story, **KEEP)


def checkpoint(app: Installation) -> None:
    app.store._writer.submit_alone(
        lambda engine: engine.raw_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    ).result()


def test_the_room_of_a_dropped_day_is_used_again(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply()
        sizes: list[int] = []
        for _ in range(16):
            await heard.receive(*(track("ann", "Visited", blob="x" * 500) for _ in range(300)))
            await heard.settle()
            await heard.pass_time(DAY)
            checkpoint(heard.app)
            sizes.append((tmp_path / "heard.db").stat().st_size)
        assert sizes[15] - sizes[12] < (sizes[6] - sizes[3]) / 4

    front(tmp_path, story, **{**KEEP, "HEARD_KEEP_MESSAGES": "7d"})


def test_messages_of_long_ago_that_still_wait_on_the_log_find_their_day(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply()
        await heard.receive(track("ann", "Waits"))
        heard.app.clock.move_to(heard.app.clock.now() + 30 * DAY)
        heard.app.pipeline.house.at_once()
        while await heard.app.pipeline.tidy_once():
            pass
        assert await heard.app.pipeline.route_once()
        assert days_with_messages(heard) == [30]
        await heard.pass_time(DAY)
        assert days_with_messages(heard) == []

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_day_that_somebody_reads_goes_an_hour_later_and_nobody_waits(tmp_path: Path, url: str):
    """A backup of PostgreSQL holds its tables until it is done."""

    async def story(heard: Front) -> None:
        await heard.apply()
        await heard.receive(track("ann", "Visited"))
        await heard.settle()
        day = heard.app.store.read_now(days.kept)[0]
        with heard.app.store._reading.begin() as reading:
            reading.exec_driver_sql(f"SELECT id FROM messages_{day}").fetchall()
            await heard.pass_time(12 * DAY)
            assert reading.exec_driver_sql(f"SELECT count(*) FROM messages_{day}").scalar() == 1
        await heard.pass_time(timedelta(hours=2))
        assert days_with_messages(heard) == []

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_piece_is_short_and_the_next_one_goes_on(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("heard.store.keeping.A_PIECE", 0.0)
    monkeypatch.setattr("heard.store.keeping.ROWS", 10)

    async def story(heard: Front) -> None:
        await heard.apply()
        await heard.receive(*(track(f"user {n}", "Visited") for n in range(95)))
        await heard.settle()
        first = heard.app.clock.now()
        heard.app.clock.move_to(first + 12 * DAY)
        await heard.receive(track("later", "Visited"))
        await heard.app.pipeline.route_once()
        heard.app.pipeline.house.at_once()
        left: list[Any] = []
        count = f"SELECT count(*) FROM messages_{day_of(first)}"
        while await heard.app.pipeline.tidy_once():
            if day_of(first) in heard.app.store.read_now(days.kept):
                left.append(heard.app.store.read_now(lambda found: found.exec_driver_sql(count).scalar()))
        if heard.app.store.has_one_writer:
            assert sorted(set(left), reverse=True) == [*range(95, 0, -10), 0]
        assert gone(heard) == 95
        assert days_with_messages(heard) == [0]

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)
