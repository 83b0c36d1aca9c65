"""From before campaigns that ask many (0011): what was decided then stays, and a list can be asked after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heard.campaigns.campaign import Status
from heard.store import migrate, schema, tables
from heard.store.store import Store
from tests.contracts.desk import Desk
from tests.contracts.test_waves import ask, ask_list, put_on_list, save
from tests.upgrade.undone import back_to_0011, do


@pytest.fixture
def upgraded(url: str) -> Iterator[Desk]:
    desk = Desk(url)
    save(desk, 1, Status.READY, {"channel": "email", "event": "Order Completed"})
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send()
    desk.close()
    do(url, back_to_0011)
    do(url, migrate.upgrade)
    later = Desk.__new__(Desk)
    later.store, later.now, later._offset, later._messages = Store(url), desk.now, 10_000, 100
    yield later
    later.close()


def test_a_list_is_asked_after_the_upgrade_and_what_was_sent_before_stays(upgraded: Desk):
    assert upgraded.store.read_now(schema.version) == schema.CURRENT
    (before,) = upgraded.rows(tables.deliveries)
    assert (before.state, before.campaign_version) == ("sent", None)
    put_on_list(upgraded, 2, first=10)
    ask_list(upgraded, number=2)

    ask(upgraded)

    (_, *asked) = sorted(upgraded.rows(tables.deliveries), key=lambda row: row.contact_id)
    assert [(row.contact_id, row.campaign_version, row.survey_version) for row in asked] == [(10, 1, 1), (11, 1, 1)]
