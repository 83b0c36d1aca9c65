"""What is kept row by row goes when it is old enough: answers, clicks, mails, logs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from heard.responses.clicks import Click, Link
from heard.retention import Kind
from heard.steps import answer, click
from heard.store import deliveries, tables
from heard.store.days import day_of
from tests.contracts.front import Front, front, identify, track
from tests.contracts.kept import CAMPAIGN, DAY, gone, rows


async def asked_and_answered(heard: Front) -> None:
    await heard.apply(**CAMPAIGN)
    await heard.receive(identify("ann", email="ann@example.com"), track("ann"))
    await heard.settle()
    (sent,) = heard.app.store.read_now(lambda found: deliveries.newest(found, 1))
    now = heard.app.clock.now()

    def work(connection: Any) -> None:
        tapped = Click(at=now, method="GET", link=Link.SCORE, value=9, agent="Mozilla/5.0", client="192.0.2.1")
        click.clicked(connection, 1, sent.id, tapped, directory=heard.app.directory)
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
