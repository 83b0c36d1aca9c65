"""From before anonymous ids were linked (0003): what was kept is found, and what waits still waits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from heard.store import migrate, schema, story
from heard.store.store import Store
from tests.contracts.desk import ACME, Desk
from tests.examples import MINUTE
from tests.upgrade.undone import back_to_0003, do


@pytest.fixture
def upgraded(url: str) -> Iterator[Desk]:
    """A database of 0003 with messages of two days and a track that waits, brought to today."""
    desk = Desk(url)
    desk.campaign()
    desk.receive(desk.track(None, "Looked Around"))
    desk.wait(24 * 60 * MINUTE)
    desk.receive(desk.track(None, "Came Back"), desk.track("ted"))
    desk.close()
    do(url, back_to_0003)
    do(url, migrate.upgrade)
    later = Desk.__new__(Desk)
    later.store, later.now, later._offset, later._messages = Store(url), desk.now, 10_000, 100
    yield later
    later.close()


def test_what_was_anonymous_before_the_upgrade_is_found(upgraded: Desk):
    upgraded.receive(upgraded.identify("lily") | {"anonymousId": "a1"})

    kept = upgraded.store.read_now(partial(story.messages_of, workspace=ACME, user_id="lily"))
    assert [each.event for each in reversed(kept)] == ["Looked Around", "Came Back", None]


def test_what_waited_before_the_upgrade_waits_on(upgraded: Desk):
    assert upgraded.decisions("ted") == [("held", ["not_identified"])]
    upgraded.receive(upgraded.identify("ted", email="ted@mosby.example"))

    assert upgraded.decisions("ted") == [("invited", [])]


def test_a_day_that_has_the_index_already_is_no_obstacle(url: str):
    desk = Desk(url)
    desk.receive(desk.track(None, "Looked Around"))
    desk.close()
    do(url, partial(back_to_0003, indexes=False))
    do(url, migrate.upgrade)

    store = Store(url)
    assert store.read_now(schema.version) == schema.CURRENT
    store.close()
