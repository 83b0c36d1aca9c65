"""What was kept long enough is removed, of either database, while nobody needs it: the test clock walks over it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from heard.errors import Invalid
from heard.installation import Installation
from heard.retention import Kind
from heard.steps import answer
from heard.store import audit, days, deliveries, messages, removals, replays, responses, tables, tail
from heard.store.days import day_of
from heard.store.tail import Wanted
from tests.contracts.front import Front, front, hook, identify, track
from tests.contracts.receiver import Receiver

DAY = timedelta(days=1)
KEEP = {"HEARD_KEEP_MESSAGES": "10d"}
CAMPAIGN = {
    "surveys": [{"name": "Relationship NPS", "kind": "nps"}],
    "campaigns": [
        {
            "name": "Post-purchase",
            "survey": "Relationship NPS",
            "channel": "email",
            "event": "Order Completed",
            "status": "ready",
        }
    ],
}


def days_with_messages(heard: Front) -> list[int]:
    """Days ago, the latest first."""
    today = heard.app.clock.now().date()
    return [
        (today - (days.end_of(day) - DAY).date()).days
        for day in heard.app.store.read_now(days.kept)
        if heard.app.store.read_now(
            lambda found, day=day: found.exec_driver_sql(f"SELECT 1 FROM messages_{day}").first()
        )
    ]


def rows(heard: Front, table: Any) -> list[Any]:
    return heard.app.store.read_now(lambda found: list(found.execute(select(table))))


def gone(heard: Front, kind: Kind = Kind.MESSAGES) -> int:
    """How many were removed the last time."""
    return heard.app.store.read_now(removals.all_)[kind].n


async def receive_daily(heard: Front, count: int) -> None:
    for number in range(count):
        await heard.receive(track(f"user {number}", "Visited"))
        await heard.settle()
        await heard.pass_time(DAY)


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
        assert heard.app.store.read_now(removals.all_) == {}

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


# ── what is still needed ──


def test_a_day_with_a_held_track_stays_until_it_is_decided(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        patient = {"name": "Heard", "type": "surveys", "settings": {"late_identify": "20d"}}
        await heard.apply(patient, **CAMPAIGN)
        await heard.receive(track("ann"))
        await heard.settle()
        await heard.pass_time(15 * DAY)
        assert days_with_messages(heard) == [15]
        (held,) = heard.app.pipeline.house.held_back
        assert (held.need.why, held.until) == ("held", None)

        await heard.receive(identify("ann", email="ann@example.com"))
        await heard.settle()
        assert len(rows(heard, tables.deliveries)) == 1
        await heard.pass_time(DAY)
        assert days_with_messages(heard) == [1]
        assert heard.app.pipeline.house.held_back == ()

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_day_with_messages_over_the_daily_limit_stays_until_they_are_taken(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply({"name": "Heard", "type": "surveys", "settings": {"daily_limit": 1}})
        await heard.receive(*(identify(f"user {n}") for n in range(14)))
        await heard.settle()
        await heard.pass_time(12 * DAY)
        assert days_with_messages(heard) == [12]
        assert heard.app.pipeline.house.held_back[0].need.why == "intake"

        await heard.pass_time(3 * DAY)
        assert days_with_messages(heard) == []
        assert len(rows(heard, tables.contacts)) == 14

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_destination_that_is_down_holds_the_past_back_for_a_week_and_no_longer(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        await heard.receive(track("ann", "First"), track("bob", "Last"))
        receiver.script[:] = [500] * 10_000
        await heard.settle()
        await heard.apply(hook(receiver.url, enabled=False))  # somebody switches it off while it is down
        await heard.receive(track("ann", "To nobody"))
        await heard.settle()
        assert [each[0] for each in heard.forwards("Hook")] == ["retrying"] * 2
        await heard.pass_time(16 * DAY)

        assert days_with_messages(heard) == [16]
        (held,) = heard.app.pipeline.house.held_back
        assert held.need.destination == heard.destination("Hook")
        assert held.until is not None
        assert timedelta(0) < held.until - heard.app.clock.now() <= 3 * DAY

        await heard.pass_time(2 * DAY)
        assert days_with_messages(heard) == []
        assert heard.forwards("Hook") == []
        assert heard.counts("Hook")["discarded"] == 2
        noted = heard.app.store.read_now(lambda found: audit.newest(found, 1))
        (dropped,) = [each for each in noted if each.what == "messages.dropped"]
        assert (dropped.by, dropped.subject, dropped.detail["messages"]) == ("Heard", "Hook", 2)

    with Receiver() as receiver:
        front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_what_a_courier_has_not_come_to_is_counted_when_it_goes_and_the_courier_goes_on(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply(hook(receiver.url))
        courier = heard.app.couriers.by_destination[heard.destination("Hook")]
        async with courier.at_rest():  # as if it hung
            for number in range(3):
                await heard.receive(track("ann", f"Event {number}"))
                await heard.app.pipeline.route_once()
            heard.app.clock.move_to(heard.app.clock.now() + 12 * DAY)
            heard.app.pipeline.house.at_once()
            while await heard.app.pipeline.tidy_once():
                pass
            assert days_with_messages(heard) == [12]

            heard.app.clock.move_to(heard.app.clock.now() + 6 * DAY)
            while await heard.app.pipeline.tidy_once():
                pass
            assert days_with_messages(heard) == []
        assert heard.counts("Hook") == {"discarded": 3}
        await heard.receive(track("ann", "Event 3"))
        await heard.settle()
        assert [b"Event 3" in body for body in receiver.bodies] == [True]

    with Receiver() as receiver:
        front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_destination_that_is_switched_off_and_is_given_nothing_holds_nothing_back(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply(hook("https://hooks.example.com/in", enabled=False))
        await receive_daily(heard, 13)

        assert days_with_messages(heard) == list(range(1, 11))

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_replay_that_runs_has_its_messages_until_it_is_done(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply()
        await receive_daily(heard, 10)
        await heard.apply(hook(receiver.url))
        courier = heard.app.couriers.by_destination[heard.destination("Hook")]
        now, number = heard.app.clock.now(), heard.destination("Hook")

        def begin(connection: Any) -> None:
            position, last = messages.received_within(connection, now - 11 * DAY, now)
            window = {"since": now - 10 * DAY, "until": now, "position": position, "last": last}
            replays.begin(connection, 1, destination=number, by="ted", at=now, **window)

        async with courier.at_rest():
            heard.app.store.write_now(begin)
            courier.look()
            heard.app.clock.move_to(heard.app.clock.now() + 2 * DAY)
            heard.app.pipeline.house.at_once()
            while await heard.app.pipeline.tidy_once():
                pass
            assert days_with_messages(heard)[-1] == 12
        await heard.pass_time(timedelta(hours=2))
        assert len(receiver.bodies) == 10
        assert days_with_messages(heard)[-1] == 10

    with Receiver() as receiver:
        front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_a_new_audience_counts_all_that_is_there_before_any_of_it_goes(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply()
        await heard.receive(identify("ann"), track("ann"))
        await heard.settle()
        buyers = {"name": "Buyers", "where": {"event": "Order Completed", "at_least": 1}}
        heard.app.clock.move_to(heard.app.clock.now() + 12 * DAY)
        await heard.apply(audiences=[buyers])
        heard.app.pipeline.house.at_once()
        while await heard.app.pipeline.tidy_once():
            pass
        assert heard.app.pipeline.house.held_back[0].need.why == "audience"
        await heard.pass_time(DAY)
        assert days_with_messages(heard) == []
        assert [row.members for row in rows(heard, tables.audiences)] == [1]

    front(tmp_path, story, HEARD_DATABASE_URL=url, **KEEP)


def test_an_audience_that_looks_back_too_far_is_refused_by_the_file_and_at_the_start(tmp_path: Path, url: str):
    buyers = {"name": "Buyers", "where": {"event": "Order Completed", "at_least": 1, "within": "30d"}}

    async def refused(heard: Front) -> None:
        with pytest.raises(Invalid, match=r"Buyers looks back 30 days, and messages are kept 10 days"):
            await heard.apply(audiences=[buyers])
        assert rows(heard, tables.audiences) == []

    async def made(heard: Front) -> None:
        await heard.apply(audiences=[buyers])

    front(tmp_path, refused, HEARD_DATABASE_URL=url, **KEEP)
    front(tmp_path, made, HEARD_DATABASE_URL=url)
    with pytest.raises(Invalid, match="set HEARD_KEEP_MESSAGES to 30d or more"):
        front(tmp_path, made, HEARD_DATABASE_URL=url, **KEEP)
    front(tmp_path, made, HEARD_DATABASE_URL=url, HEARD_KEEP_MESSAGES="30d")


# ── the rest ──


async def asked_and_answered(heard: Front) -> None:
    await heard.apply(**CAMPAIGN)
    await heard.receive(identify("ann", email="ann@example.com"), track("ann"))
    await heard.settle()
    (sent,) = heard.app.store.read_now(lambda found: deliveries.newest(found, 1))
    now = heard.app.clock.now()

    def work(connection: Any) -> None:
        responses.clicked(
            connection, 1, sent.id, at=now, method="GET", value=9, agent="Mozilla/5.0", client="192.0.2.1"
        )
        answer.answer(
            connection,
            1,
            sent.id,
            value=9,
            comment="Good",
            agent="Mozilla/5.0",
            client="192.0.2.1",
            directory=heard.app.directory,
            now=now,
        )

    await heard.app.store.write(work)


def test_answers_go_with_all_their_versions_and_scores_count_them_no_longer(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await asked_and_answered(heard)
        assert len((await heard.app.answers()).matching(1).ids) == 1
        await heard.pass_time(30 * DAY)
        assert len((await heard.app.answers()).matching(1).ids) == 1
        await heard.pass_time(2 * DAY)

        assert rows(heard, tables.responses) == rows(heard, tables.response_revisions) == []
        assert (await heard.app.answers()).matching(1).ids == []
        assert gone(heard, Kind.ANSWERS) == 1
        (touch,) = rows(heard, tables.touches)  # the promise stays: nobody is asked twice for what they did
        assert touch.state == "made"
        assert [row.trigger for row in rows(heard, tables.decisions)] == ["1:m2"]

    front(tmp_path, story, HEARD_DATABASE_URL=url, HEARD_KEEP_ANSWERS="31d")


def test_network_addresses_and_browsers_go_and_that_it_was_opened_stays(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await asked_and_answered(heard)
        await heard.pass_time(89 * DAY)
        assert [row.client for row in rows(heard, tables.clicks)] == ["192.0.2.1"]
        await heard.pass_time(2 * DAY)

        for table in (tables.clicks, tables.response_revisions):
            assert [(row.agent, row.client) for row in rows(heard, table)] == [("", "")]
        assert gone(heard, Kind.CLICKS) == 2
        assert [row.value for row in rows(heard, tables.responses)] == [9]

    front(tmp_path, story, HEARD_DATABASE_URL=url)


def test_mails_of_the_outbox_go(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await asked_and_answered(heard)
        assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1
        await heard.pass_time(6 * DAY)
        assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1
        await heard.pass_time(2 * DAY)

        assert list((tmp_path / "outbox").iterdir()) == []
        assert gone(heard, Kind.MAILS) == 1
        assert heard.app.outbox is not None
        assert heard.app.outbox.newest() == []

    front(tmp_path, story, HEARD_DATABASE_URL=url, HEARD_KEEP_MAILS="7d")


OLD_ROWS = {
    Kind.COUNTS: (tables.forward_counts, {"destination_id": 1, "hour": 2020010100, "name": "delivered", "n": 1}),
    Kind.AUDIT: (tables.audit, {"id": 100, "by": "ted", "what": "a", "subject": "b", "detail": {}}),
    Kind.SET_ASIDE: (tables.set_aside, {"offset": 1, "reason": "odd", "data": b"\xff"}),
    Kind.REPLAYS: (
        tables.replays,
        {"id": 1, "destination_id": 1, "position": 0, "last": 0, "looked_at": 0, "sent": 0, "state": "done", "by": ""},
    ),
    Kind.REQUESTS: (
        tables.regulations,
        {
            "id": 1,
            "type": "DELETE_ONLY",
            "subject_type": "USER_ID",
            "marks": ("a",),
            "count": 1,
            "state": "FINISHED",
            "erased": 1,
            "told": (),
            "removed": {},
            "by": "ted",
        },
    ),
    Kind.SIGN_INS: (
        tables.invites,
        {"id": 1, "fingerprint": "f", "role": "admin", "note": "Lily", "invited_by": "ted"},
    ),
}


@pytest.mark.parametrize("kind", OLD_ROWS)
def test_old_rows_of_every_other_kind_go_and_new_ones_stay(tmp_path: Path, url: str, kind: Kind):
    table, row = OLD_ROWS[kind]
    key = next(name for name in ("hour", "offset", "id") if name in row)

    async def story(heard: Front) -> None:
        await heard.apply()
        now = heard.app.clock.now()
        moments = [
            name for name in ("at", "created_at", "finished_at", "expires_at", "since", "until") if name in table.c
        ]

        def put(connection: Any) -> None:
            workspace = {"workspace_id": 1} if "workspace_id" in table.c else {}
            for number, at in enumerate((now - 40 * DAY, now - 39 * DAY, now)):
                value = row[key] + number
                if key == "hour":
                    value = day_of(at) * 100 + number
                connection.execute(table.insert(), [{**workspace, **row, **dict.fromkeys(moments, at), key: value}])

        before = len(rows(heard, table))
        heard.app.store.write_now(put)
        await heard.pass_time(timedelta(minutes=1))

        assert len(rows(heard, table)) == before + 1
        assert gone(heard, kind) == 2

    front(tmp_path, story, HEARD_DATABASE_URL=url, **{f"HEARD_KEEP_{kind.value.upper()}": "30d"})


def test_a_session_that_is_over_goes_without_anybody_signing_in(tmp_path: Path, url: str):
    async def story(heard: Front) -> None:
        await heard.apply()
        old = heard.app.clock.now() - 31 * DAY

        def put(connection: Any) -> None:
            row = {"email_key": "ted", "workspace_id": 1, "created_at": old, "last_seen": old, "agent": "Mozilla"}
            connection.execute(tables.sessions.insert(), [{"fingerprint": "f", **row}])

        heard.app.store.write_now(put)
        await heard.pass_time(timedelta(minutes=1))
        assert rows(heard, tables.sessions) == []

    front(tmp_path, story, HEARD_DATABASE_URL=url)


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
