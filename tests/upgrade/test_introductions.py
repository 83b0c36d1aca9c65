"""From before destinations were introduced to an audience (0015): one that is named after the upgrade is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heard.store import migrate, schema
from heard.store.store import Store
from tests.contracts.desk import Desk
from tests.contracts.test_audiences import RECENT, compute_all, define, hook
from tests.contracts.test_introductions import said_to
from tests.upgrade.undone import back_to_0015, do


@pytest.fixture
def upgraded(url: str) -> Iterator[Desk]:
    """A database of 0015 with an audience and one member, brought to today."""
    desk = Desk(url)
    define(desk, RECENT)
    compute_all(desk)
    desk.receive(desk.identify("ann"), desk.track("ann"), desk.identify("bob"))
    desk.close()
    do(url, back_to_0015)
    do(url, migrate.upgrade)
    later = Desk.__new__(Desk)
    later.store, later.now, later._offset, later._messages = Store(url), desk.now, 10_000, 100
    yield later
    later.close()


def test_a_destination_named_after_the_upgrade_is_told_who_was_in_it_before(upgraded: Desk):
    assert upgraded.store.read_now(schema.version) == schema.CURRENT
    hook(upgraded)
    define(upgraded, {**RECENT, "to": ["Heard", "Hook 2"]})
    compute_all(upgraded)

    assert said_to(upgraded, "Hook 2") == [("ann", True)]
