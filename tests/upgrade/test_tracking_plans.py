"""From before schema and tracking plans (0007): what comes after the upgrade is counted and judged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heard.store import migrate, schema, tables
from heard.store.store import Store
from tests.contracts.desk import Desk
from tests.contracts.test_schema import broken, events, plan
from tests.upgrade.undone import back_to_0007, do


@pytest.fixture
def upgraded(url: str) -> Iterator[Desk]:
    desk = Desk(url)
    desk.receive(desk.track("ann", total=1))
    desk.close()
    do(url, back_to_0007)
    do(url, migrate.upgrade)
    later = Desk.__new__(Desk)
    later.store, later.now, later._offset, later._messages = Store(url), desk.now, 10_000, 100
    yield later
    later.close()


def test_what_comes_after_the_upgrade_is_counted_and_judged(upgraded: Desk):
    assert upgraded.store.read_now(schema.version) == schema.CURRENT
    plan(upgraded)
    upgraded.receive(upgraded.track("ann"))

    assert [each.n for each in events(upgraded)] == [1]
    assert [each.field for each in broken(upgraded)] == ["properties.total"]
    assert len(upgraded.rows(tables.tracking_plans)) == 1
