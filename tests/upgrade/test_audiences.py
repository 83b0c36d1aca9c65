"""From before audiences (0004): what was kept is counted when an audience is made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heard.store import migrate, schema
from heard.store.store import Store
from tests.contracts.desk import Desk
from tests.contracts.test_audiences import KEY, RECENT, compute_all, define, traits_of
from tests.upgrade.undone import back_to_0005, do


@pytest.fixture
def upgraded(url: str) -> Iterator[Desk]:
    """A database of 0004 in which somebody ordered, brought to today."""
    desk = Desk(url)
    desk.receive(desk.identify("ann"), desk.track("ann"), desk.identify("bob"))
    desk.close()
    do(url, back_to_0005)
    do(url, migrate.upgrade)
    later = Desk.__new__(Desk)
    later.store, later.now, later._offset, later._messages = Store(url), desk.now, 10_000, 100
    yield later
    later.close()


def test_an_audience_made_after_the_upgrade_knows_what_was_there(upgraded: Desk):
    assert upgraded.store.read_now(schema.version) == schema.CURRENT
    define(upgraded, RECENT)
    compute_all(upgraded)

    assert traits_of(upgraded, "ann")[KEY] is True
    assert KEY not in traits_of(upgraded, "bob")
