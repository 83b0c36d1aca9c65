"""From before verdicts (0011): clicks and answers of then are what they were, and those after are judged."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from heard.store import directory, funnel, migrate, responses, schema, story, tables
from heard.store.store import Store
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, HOUR
from tests.upgrade.undone import back_to_0011, do


@pytest.fixture
def upgraded(url: str) -> Iterator[Desk]:
    """Ted answered before the upgrade, and Lily was mailed."""
    desk = Desk(url)
    desk.campaign()
    for who in ("ted", "lily"):
        desk.receive(desk.identify(who, email=f"{who}@mosby.example"), desk.track(who))
    ted, _ = desk.send()
    desk.wait(HOUR)
    desk.click(ted.id, 9)
    desk.answer(ted.id, 9)
    desk.close()
    do(url, back_to_0011)
    do(url, migrate.upgrade)
    later = Desk.__new__(Desk)
    later.store, later.now, later._offset, later._messages = Store(url), desk.now + DAY, 10_000, 100
    yield later
    later.close()


def delivery_of(desk: Desk, user: str) -> str:
    return next(row.id for row in desk.rows(tables.deliveries) if row.user_id == user)


def test_what_was_answered_stays_an_answer(upgraded: Desk):
    assert upgraded.store.read_now(schema.version) == schema.CURRENT
    ted = delivery_of(upgraded, "ted")
    (click,) = upgraded.store.read_now(partial(story.clicks_of, workspace=ACME, ids=[ted]))
    assert (click.link.value, click.value) == ("score", 9)
    found = upgraded.store.read_now(partial(responses.of_delivery, workspace=ACME, delivery=ted))
    assert found is not None
    assert (found.verdict.value, found.confirmed, found.evidence) == ("human", True, ())
    assert upgraded.store.read_now(directory.load).workspaces[ACME].unconfirmed_clicks.value == "strict"


def test_what_is_opened_from_now_on_is_judged(upgraded: Desk):
    lily = delivery_of(upgraded, "lily")
    upgraded.click(lily, 3)
    upgraded.click(lily, 4)
    found = upgraded.store.read_now(partial(responses.of_delivery, workspace=ACME, delivery=lily))

    assert found is not None
    assert found.verdict.value == "bot"
    upgraded.store.write_now(funnel.rebuild)
    assert upgraded.store.read_now(lambda each: funnel.read(each, ACME, [1], None, None)).clicked == 1
