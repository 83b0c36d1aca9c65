"""In whatever order, batches and repeats words of consent arrive, the history is that of all, in order of time."""

from __future__ import annotations

import itertools
import tempfile
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heard.contacts.consent import History, Word, changes
from heard.store import consents, tables
from tests.contracts.desk import ACME, Desk
from tests.examples import NOON

HOURS = 7  # between two moments, so that they lie on several days
RECEIVED = 12 * HOURS
EVERYBODY = ("ted", "lily")
BROWSERS = ("phone", "laptop")

preferences = st.dictionaries(st.sampled_from(["ads", "sale"]), st.booleans(), min_size=1)
word = st.tuples(st.sampled_from([*EVERYBODY, *BROWSERS]), st.integers(0, 9), preferences)
link = st.tuples(st.sampled_from(EVERYBODY), st.sampled_from(BROWSERS))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    said=st.lists(word, min_size=2, max_size=10),
    owners=st.tuples(*(st.sampled_from(EVERYBODY) for _ in BROWSERS)),
    chance=st.randoms(use_true_random=False),
    cuts=st.sets(st.integers(1, 11), max_size=6),
)
def test_whatever_comes_first_the_history_of_a_person_is_the_same(
    said: list[Any], owners: tuple[str, ...], chance: Any, cuts: set[int]
):
    """Whose the browsers are is said once, anywhere in the stream."""
    stream = [*said, *zip(owners, BROWSERS, strict=True)]
    chance.shuffle(stream)
    kept = _after(stream, cuts)

    whose = dict(zip(BROWSERS, owners, strict=True))
    for user in EVERYBODY:
        words = [_word(hour, preferred) for who, hour, preferred in said if whose.get(who, who) == user]
        assert kept[user] == _told(History(words))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stream=st.lists(st.one_of(word, link), min_size=2, max_size=10), cuts=st.sets(st.integers(1, 9)))
def test_nobody_is_said_to_have_said_what_another_said(stream: list[Any], cuts: set[int]):
    """Browsers go from one to another here: what one says is its first user's, and later whose it is by then."""
    kept = _after(stream, cuts, again=True)
    whose: dict[Any, Any] = {}
    said: dict[str, list[Word]] = {each: [] for each in (*EVERYBODY, *BROWSERS)}
    for each in stream:
        if len(each) == 3:
            said[whose.get(each[0], each[0])].append(_word(*each[1:]))
        elif each[1] not in whose:
            said[each[0]] += said[each[1]]
        if len(each) == 2:
            whose[each[1]] = each[0]

    for user in EVERYBODY:
        theirs = {(word.at, *item) for word in said[user] for item in word.preferences.items()}
        assert set(kept[user]) <= theirs
        assert {category for _, category, _ in kept[user]} == {category for _, category, _ in theirs}


def _after(stream: list[Any], cuts: set[int], *, again: bool = False) -> dict[str, Any]:
    """The histories when the stream is routed in batches; `again`: each of them twice. Nothing is ever taken away."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(f"sqlite:///{Path(folder) / 'heard.db'}")
        try:
            messages = [_message(desk, each) for each in stream]
            edges = [0, *sorted(cut for cut in cuts if cut < len(messages)), len(messages)]
            rows: set[Any] = set()
            for start, end in itertools.pairwise(edges):
                records = []
                for place in range(start, end):
                    desk.now = NOON + timedelta(hours=RECEIVED, minutes=place)
                    records.append(desk.record({"batch": [messages[place]]}))
                for _ in range(2 if again else 1):
                    desk.route(records)
                before, rows = rows, {tuple(map(str, row)) for row in desk.rows(tables.consents)}
                assert before <= rows
            look = {user: partial(consents.of_user, workspace=ACME, user_id=user) for user in EVERYBODY}
            return {user: _told(desk.store.read_now(theirs)) for user, theirs in look.items()}
        finally:
            desk.close()


def _message(desk: Desk, what: Any) -> dict[str, Any]:
    if len(what) == 2:
        user, browser = what
        return desk.identify(user) | {"anonymousId": browser}
    who, hour, preferred = what
    message = desk.track(who if who in EVERYBODY else None, "Looked Around", at=_moment(hour))
    named = {"anonymousId": who} if who in BROWSERS else {}
    return message | named | {"context": {"consent": {"categoryPreferences": preferred}}}


def _word(hour: int, preferred: dict[str, bool]) -> Word:
    return Word(at=_moment(hour), preferences=preferred, source=1, message_id="")


def _moment(hour: int) -> Any:
    return NOON + timedelta(hours=hour * HOURS)


def _told(history: History) -> list[Any]:
    return [(each.at, each.category, each.yes) for each in changes(history)]
