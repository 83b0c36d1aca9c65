"""From before consent was kept (0006): it is from now on, and words of before count where they are said again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heard.store import migrate, schema, tables
from heard.store.store import Store
from tests.contracts.desk import Desk
from tests.contracts.test_consents import on_record, said
from tests.examples import DAY, NOON
from tests.upgrade.undone import back_to_0006, back_to_0017, do


@pytest.fixture
def upgraded(url: str) -> Iterator[Desk]:
    """A database of 0006 to which somebody said no, brought to today."""
    desk = Desk(url)
    desk.receive(said(desk, "ted", Marketing=False))
    desk.close()
    do(url, back_to_0006)
    do(url, migrate.upgrade)
    later = Desk.__new__(Desk)
    later.store, later.now, later._offset, later._messages = Store(url), desk.now + DAY, 10_000, 100
    yield later
    later.close()


def test_nothing_is_on_record_until_it_is_said_again(upgraded: Desk):
    assert upgraded.store.read_now(schema.version) == schema.CURRENT
    assert upgraded.rows(tables.consents) == []
    upgraded.receive(said(upgraded, "ted", Marketing=False))

    assert on_record(upgraded) == {"Marketing": False}


def test_a_word_that_comes_late_finds_what_was_said_before_the_upgrade(upgraded: Desk):
    upgraded.receive(said(upgraded, "ted", NOON - 2 * DAY, Marketing=False))
    upgraded.receive(said(upgraded, "ted", NOON - DAY, Marketing=True))

    assert on_record(upgraded) == {"Marketing": False}


def test_words_of_before_their_arrival_was_kept_hold_from_when_they_were_said(url: str):
    desk = Desk(url)
    desk.receive(said(desk, "ted", Marketing=False))
    desk.close()
    do(url, back_to_0017)
    do(url, migrate.upgrade)
    later = Desk.__new__(Desk)
    later.store, later.now, later._offset, later._messages = Store(url), desk.now + DAY, 10_000, 100
    try:
        assert on_record(later) == {"Marketing": False}
        later.receive(said(later, "ted", Marketing=True))
        assert [row.heard_at for row in later.rows(tables.consents)] == [None, later.now]
    finally:
        later.close()
