"""A suppression outlives what is known about somebody, without saying who it is; and how a privacy request lives."""

from __future__ import annotations

import itertools

import pytest

from heard.contacts.regulation import NEXT, ImpossibleStep, Regulation, State, SubjectType, Type, moved
from heard.contacts.suppression import Suppressed, key_of, mailbox_mark, user_mark
from tests.examples import NOON

SECRET = b"the quick brown fox jumps over it"


def test_a_mark_says_nothing_of_whom_it_stands_for():
    mark = user_mark(key_of(SECRET, 1), "ann-1842")

    assert len(mark) == 32
    assert "ann" not in mark


def test_a_person_has_another_mark_in_every_workspace_and_under_every_secret():
    marks = {user_mark(key_of(secret, number), "ann") for secret in (SECRET, SECRET[::-1]) for number in (1, 2)}

    assert len(marks) == 4


def test_a_user_id_that_looks_like_an_address_is_not_that_address():
    key = key_of(SECRET, 1)

    assert user_mark(key, "ann@acme.example") != mailbox_mark(key, "ann@acme.example")


def test_one_mailbox_has_one_mark_however_it_is_written():
    key = key_of(SECRET, 1)

    assert mailbox_mark(key, " Ann@ACME.example") == mailbox_mark(key, "ann@acme.example")
    assert user_mark(key, "Ann") != user_mark(key, "ann")


def test_nobody_is_suppressed_by_an_empty_id():
    key = key_of(SECRET, 1)
    suppressed = Suppressed(key, frozenset({user_mark(key, ""), user_mark(key, "ann")}))

    assert not suppressed.holds(["", None], [None, ""])
    assert suppressed.holds([None, "ann"])
    assert not suppressed.holds(["bob"], ["ann"])


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_a_regulation_goes_only_where_its_table_says(before: State, after: State):
    regulation = a_regulation(state=before)
    if after in NEXT[before]:
        assert moved(regulation, after, NOON).state is after
    else:
        with pytest.raises(ImpossibleStep):
            moved(regulation, after, NOON)


def test_each_type_says_what_it_does():
    assert [each.value for each in Type if each.suppresses and not each.deletes] == ["SUPPRESS_ONLY"]
    assert [each.value for each in Type if each.deletes and not each.suppresses] == ["DELETE_ONLY", "DELETE_INTERNAL"]
    assert [each.value for each in Type if each.is_told] == ["SUPPRESS_WITH_DELETE", "DELETE_ONLY"]


def a_regulation(state: State) -> Regulation:
    return Regulation(
        id=1,
        workspace=1,
        type=Type.DELETE_ONLY,
        subject_type=SubjectType.USER_ID,
        subjects=("ann",),
        marks=("00",),
        count=1,
        state=state,
        erased=0,
        tell=None,
        told=(),
        removed={},
        by="key test",
        created_at=NOON,
        finished_at=None,
    )
