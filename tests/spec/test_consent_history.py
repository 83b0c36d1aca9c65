"""What a person said of consent, from when: a history that any order of the same words comes to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.contacts.consent import Change, History, Said, Word, changes, consent_at, contradicts, differ, word_of
from heard.routing import consent
from tests.examples import DAY, NOON
from tests.spec.routed import a_message

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (NOON + n * DAY for n in range(4))


def a_word(at: Any = MONDAY, message_id: str = "m1", **preferences: bool) -> Word:
    return Word(at=at, preferences=preferences or {"ads": True}, source=1, message_id=message_id)


def after(*words: Word) -> History:
    """The history that remains of these, in the order in which they came."""
    history, said = History(), list[Word]()
    for word in words:
        history.learn([word], said)
        said.append(word)
    return history


def told(history: History) -> list[tuple[Any, str, bool]]:
    return [(each.at, each.category, each.yes) for each in reversed(changes(history))]


# ── what a message says ──


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({}, {}),
        ({"consent": None}, {}),
        ({"consent": {}}, {}),
        ({"consent": "granted"}, {}),
        ({"consent": {"categoryPreferences": ["ads"]}}, {}),
        ({"consent": {"categoryPreferences": {}}}, {}),
        ({"consent": {"categoryPreferences": {"ads": True, "research": False}}}, {"ads": True, "research": False}),
        ({"consent": {"categoryPreferences": {"ads": "true", "sale": 1}}}, {"ads": False, "sale": False}),
        ({"consent": {"categoryPreferences": {"ads": None}}}, {"ads": False}),
        ({"traits": {"consent": {"categoryPreferences": {"ads": True}}}}, {}),
    ],
)
def test_only_an_exact_true_is_a_yes_and_what_is_not_named_is_not_spoken_of(context: Any, said: Any):
    assert consent.said(msgspec.json.encode(context)) == said


def test_a_long_object_is_read_like_a_short_one():
    many = {f"category {n}": n % 2 == 0 for n in range(200)}

    assert consent.said(msgspec.json.encode({"consent": {"categoryPreferences": many}})) == many


def test_a_word_is_of_when_it_was_said_and_nothing_is_said_after_it_was_received():
    context = {"consent": {"categoryPreferences": {"ads": False}}}
    early = word_of(a_message(context=context, timestamp=(NOON - DAY).isoformat()))
    ahead = word_of(a_message(context=context, timestamp=(NOON + DAY).isoformat()))

    assert early is not None
    assert ahead is not None
    assert (early.at, ahead.at) == (NOON - DAY, NOON)
    assert word_of(a_message(context={})) is None


# ── the history ──


def test_a_word_that_says_the_same_again_is_not_kept():
    history = after(
        a_word(MONDAY), a_word(TUESDAY, "m2"), a_word(WEDNESDAY, "m3", ads=False), a_word(THURSDAY, "m4", ads=False)
    )

    assert [word.message_id for word in history.words] == ["m1", "m3"]
    assert history.now == {"ads": Said(yes=False, since=WEDNESDAY)}


def test_a_category_that_a_word_does_not_name_keeps_what_was_said_of_it():
    history = after(a_word(ads=False), a_word(TUESDAY, research=True))

    assert history.now == {"ads": Said(yes=False, since=MONDAY), "research": Said(yes=True, since=TUESDAY)}


def test_an_older_word_that_comes_late_stands_at_its_place_and_changes_nothing_of_now():
    history = after(a_word(WEDNESDAY, ads=False), a_word(MONDAY, ads=True))

    assert told(history) == [(MONDAY, "ads", True), (WEDNESDAY, "ads", False)]
    assert history.now["ads"] == Said(yes=False, since=WEDNESDAY)


def test_a_late_word_does_not_outweigh_what_was_only_said_again_after_it():
    """The no of Wednesday changed nothing when it came, and is not kept until the yes of Tuesday turns up."""
    history = after(a_word(MONDAY, ads=False), a_word(WEDNESDAY, "m2", ads=False), a_word(THURSDAY, "m3", ads=False))
    assert len(history.words) == 1
    kept = history.learn([a_word(TUESDAY, "late")], [a_word(WEDNESDAY, "m2", ads=False), a_word(THURSDAY, ads=False)])

    assert [word.message_id for word in kept] == ["late", "m2"]
    assert told(history) == [(MONDAY, "ads", False), (TUESDAY, "ads", True), (WEDNESDAY, "ads", False)]


def test_of_two_words_of_one_moment_the_no_counts_whichever_comes_first():
    yes, no = a_word(ads=True), a_word(ads=False)

    assert after(yes, no).now == after(no, yes).now == {"ads": Said(yes=False, since=MONDAY)}


def test_several_words_at_once_are_judged_together():
    """The no of Thursday says the same as Monday's, and not after the yes that comes with it."""
    history = after(a_word(MONDAY, ads=False))
    history.learn([a_word(THURSDAY, ads=False), a_word(WEDNESDAY, ads=True)])

    assert told(history) == [(MONDAY, "ads", False), (WEDNESDAY, "ads", True), (THURSDAY, "ads", False)]


def test_what_held_at_a_moment_of_the_past():
    history = after(a_word(MONDAY), a_word(WEDNESDAY, ads=False))

    assert consent_at(history, MONDAY - timedelta(microseconds=1)) == {}
    assert consent_at(history, MONDAY) == consent_at(history, TUESDAY) == {"ads": Said(yes=True, since=MONDAY)}
    assert consent_at(history, WEDNESDAY) == consent_at(history) == history.now


def test_changes_say_where_they_come_from_the_latest_first():
    history = after(a_word(MONDAY, "m1", ads=True, sale=False), a_word(TUESDAY, "m2", ads=False, sale=False))

    assert changes(history) == [
        Change(at=TUESDAY, category="ads", yes=False, source=1, message_id="m2"),
        Change(at=MONDAY, category="sale", yes=False, source=1, message_id="m1"),
        Change(at=MONDAY, category="ads", yes=True, source=1, message_id="m1"),
    ]


def test_a_word_contradicts_what_it_finds_said_otherwise_and_not_what_was_never_spoken_of():
    history = after(a_word(MONDAY), a_word(WEDNESDAY, ads=False))

    assert contradicts(history, a_word(TUESDAY, ads=False))
    assert not contradicts(history, a_word(TUESDAY, ads=True))
    assert not contradicts(history, a_word(TUESDAY, sale=False))
    assert not contradicts(history, a_word(MONDAY - DAY, ads=False))
    assert contradicts(history, a_word(THURSDAY, ads=True))


def test_people_differ_where_more_than_one_spoke_of_something_and_not_always_alike():
    yes, no, other = [a_word()], [a_word(ads=False)], [a_word(sale=False)]

    assert differ([yes, no])
    assert differ([other, yes, no])
    assert not differ([yes, yes, other, []])
    assert not differ([[*yes, *no], other])


words = st.lists(
    st.builds(
        lambda hour, preferences: a_word(NOON + timedelta(hours=hour), **preferences),
        st.integers(0, 8),
        st.dictionaries(st.sampled_from(["ads", "sale"]), st.booleans(), min_size=1),
    ),
    max_size=12,
)


@given(words.flatmap(lambda said: st.tuples(st.just(said), st.permutations(said))))
def test_any_order_of_the_same_words_comes_to_the_same_history(both: tuple[list[Word], list[Word]]):
    said, shuffled = both
    every_word = History(said)

    assert told(after(*shuffled)) == told(every_word)
    assert after(*shuffled).now == consent_at(every_word)


@given(words)
def test_no_word_is_ever_lost_that_a_history_has_taken_up(said: list[Word]):
    history, earlier = History(), list[Word]()
    for place, word in enumerate(said):
        before = list(history.words)
        kept = history.learn([word], said[:place])
        assert [each for each in history.words if each in before] == before
        assert len(history.words) == len(before) + len(kept)
        earlier.append(word)
        moment = consent_at(history, word.at)
        assert moment == consent_at(History(earlier), word.at)
