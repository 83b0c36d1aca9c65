"""From before reminders (0010): invitations of then are counted as they were, and those after are reminded of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from heard.deliveries.delivery import State
from heard.store import campaign_counts, migrate, schema, tables
from heard.store.store import Store
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY
from tests.upgrade.undone import back_to_0010, do


@pytest.fixture
def upgraded(url: str) -> Iterator[Desk]:
    desk = Desk(url)
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send()
    desk.close()
    do(url, back_to_0010)
    do(url, migrate.upgrade)
    later = Desk.__new__(Desk)
    later.store, later.now, later._offset, later._messages = Store(url), desk.now, 10_000, 100
    yield later
    later.close()


def test_who_is_asked_after_the_upgrade_is_reminded(upgraded: Desk):
    assert upgraded.store.read_now(schema.version) == schema.CURRENT
    settings = {"channel": "email", "event": "Order Completed", "reminder": "3d"}
    upgraded.store.write_now(lambda each: each.execute(tables.campaigns.update().values(settings=settings)))
    upgraded.receive(upgraded.identify("lily", email="lily@aldrin.example"), upgraded.track("lily"))
    upgraded.send()
    upgraded.wait(3 * DAY)

    assert [(each.user_id, each.kind.value) for each in upgraded.send()] == [("lily", "reminder")]
    states = partial(campaign_counts.in_states, workspace=ACME, campaign=1, states=list(State))
    assert upgraded.store.read_now(states) == {State.SENT: 2}
