"""Audiences and computed traits: what is kept of a person comes to the same as all their events would."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.audiences import aggregates, counting, in_words, order, person, read
from heard.audiences.aggregates import Aggregate
from heard.audiences.audience import Audience, ComputedTrait, Phase, key_of
from heard.audiences.conditions import Performed
from heard.errors import Invalid

DAY = timedelta(days=1) // timedelta(microseconds=1)
EVENT = {"event": "Order Completed"}


def an_audience(name: str, where: dict[str, Any], number: int = 1, **rest: Any) -> Audience:
    condition = read.condition(where, "where")
    made = Audience(id=number, workspace=1, name=name, key=key_of(name), condition=condition, phase=Phase.LIVE)
    return made if not rest else type(made)(**{**{f: getattr(made, f) for f in made.__struct_fields__}, **rest})


def a_trait(name: str, number: int = 1, **line: Any) -> ComputedTrait:
    computed = read.aggregate(line, "computed_traits[0]")
    return ComputedTrait(id=number, workspace=1, name=name, key=name, aggregate=computed, phase=Phase.LIVE)


def test_the_trait_of_an_audience_is_its_name_in_snake_case():
    assert key_of("Order Completed Last 30days") == "order_completed_last_30days"
    assert key_of("  VIP -- (Gold) ") == "vip_gold"


@given(
    events=st.lists(st.integers(0, 60 * DAY), max_size=40),
    now=st.integers(0, 120 * DAY),
    least=st.integers(0, 5),
    more=st.none() | st.integers(0, 3),
    within=st.none() | st.integers(1, 40),
)
def test_what_is_kept_of_a_person_answers_as_all_their_events_would(events, now, least, more, within):
    asked = Performed(
        event="E",
        at_least=least,
        at_most=None if more is None else least + more,
        within=None if within is None else timedelta(days=within),
    )
    known: list[int] = []
    for at in events:
        known = counting.counted(asked, known, at)
    n = sum(within is None or at > now - within * DAY for at in events)

    assert counting.holds(asked, known, now) == (n >= least and (more is None or n <= least + more))
    assert len(known) <= 9


@given(
    events=st.lists(st.integers(0, 60 * DAY), max_size=20),
    now=st.integers(0, 60 * DAY),
    least=st.integers(0, 3),
    more=st.none() | st.integers(0, 3),
)
def test_nothing_changes_before_the_moment_that_is_said(events, now, least, more):
    asked = Performed(
        event="E", at_least=least, at_most=None if more is None else least + more, within=timedelta(days=10)
    )
    known: list[int] = []
    for at in (each for each in events if each <= now):
        known = counting.counted(asked, known, at)
    change = counting.next_change(asked, known, now)
    end = 200 * DAY if change is None else change - 1

    assert counting.holds(asked, known, max(end, now)) == counting.holds(asked, known, now)


@pytest.mark.parametrize("kind", aggregates.KINDS)
@given(
    events=st.lists(st.tuples(st.integers(0, 30 * DAY), st.integers(-5, 5)), max_size=30),
    order_=st.randoms(use_true_random=False),
    within=st.none() | st.integers(1, 20),
)
def test_computed_values_do_not_depend_on_the_order_in_which_events_come(kind, events, order_, within):
    asked = Aggregate(
        kind=kind,
        event="E",
        property=None if kind == "count" else ("total",),
        within=None if within is None else timedelta(days=within),
    )
    now = 30 * DAY

    def computed(stream: list[tuple[int, int]]) -> Any:
        known: aggregates.Buckets = {}
        for at, total in stream:
            known = aggregates.taken(asked, known, aggregates.found(asked, {"total": total}), at, now)
        return aggregates.value_of(asked, known, now)

    shuffled = list(events)
    order_.shuffle(shuffled)
    assert computed(shuffled) == computed(events)


def test_each_kind_of_trait_is_what_its_name_says():
    said = [("blue", 5), ("red", 1), ("blue", 3), ("red", 7), ("green", 2)]
    wanted = {
        "count": 5, "sum": 18, "average": 3.6, "min": 1, "max": 7, "most_frequent": "blue", "first": "blue",
        "last": "green", "unique_list": ["blue", "green", "red"], "unique_count": 3,
    }  # fmt: skip
    for kind, value in wanted.items():
        about = {} if kind == "count" else {"property": "total" if kind in aggregates.NUMERIC else "colour"}
        trait = a_trait("t", 1, **{kind: {**EVENT, **about}})
        entries: person.Entries = {}
        for at, (colour, total) in enumerate(said):
            person.learn(entries, trait, 0, order.counted_by(trait)[0], {"colour": colour, "total": total}, at, 100)
        assert person.values(order.book([trait]), entries, {}, 100) == {1: value}, kind


def test_what_happened_once_is_not_frequent_and_text_is_no_number():
    said = {**EVENT, "property": "x"}
    frequent, total = a_trait("a", 1, most_frequent=said), a_trait("b", 2, sum=said)
    entries: person.Entries = {}
    for each in (frequent, total):
        person.learn(entries, each, 0, order.counted_by(each)[0], {"x": "12"}, 1, 100)
    assert person.values(order.book([frequent, total]), entries, {}, 100) == {1: None, 2: None}


def test_numbers_that_no_json_can_carry_are_no_obstacle():
    total = a_trait("t", sum={**EVENT, "property": "x"})
    entries: person.Entries = {}
    for at in range(5):
        person.learn(entries, total, 0, order.counted_by(total)[0], {"x": (1 << 64) - 1}, at, 100)
    msgspec.json.encode(entries)
    assert person.values(order.book([total]), entries, {}, 100)[1] == pytest.approx(5 * 2.0**64)


def test_only_changes_are_told_and_who_never_was_a_member_has_not_left():
    audience = an_audience("Recent", {**EVENT, "within": "30d"})
    book, entries = order.book([audience]), {}
    assert person.settle(book, entries, {}, 0) == []

    person.learn(entries, audience, 0, order.counted_by(audience)[0], {}, 0, 0)
    assert [(each.value, each.number) for each in person.settle(book, entries, {}, 0)] == [(True, 1)]
    assert person.settle(book, entries, {}, DAY) == []
    assert person.due(book, entries, DAY) == 30 * DAY
    assert [(each.value, each.number) for each in person.settle(book, entries, {}, 30 * DAY)] == [(False, 2)]
    assert person.due(book, entries, 30 * DAY) is None


def test_conditions_combine():
    vip = an_audience("VIP", {"traits": "traits.plan = 'Premium'"}, 1)
    lost = an_audience(
        "Lost", {"all": [{"audience": "VIP"}, {"not": {"any": [{**EVENT, "within": "30d"}, {"event": "Sign In"}]}}]}, 2
    )
    book, entries = order.book([lost, vip]), {}
    premium = {"traits": {"plan": "Premium"}}
    assert person.values(book, entries, premium, 0) == {1: True, 2: True}
    person.learn(entries, lost, 1, order.counted_by(lost)[1], {}, 0, 0)
    assert person.values(book, entries, premium, 0) == {1: True, 2: False}


def test_an_audience_may_ask_for_what_was_computed_before_it():
    orders = a_trait("total_orders", 1, count=EVENT)
    loyal = an_audience("Loyal", {"traits": "traits.total_orders >= 2"}, 2)
    book, entries = order.book([loyal, orders]), {}
    for _ in range(2):
        person.learn(entries, orders, 0, order.counted_by(orders)[0], {}, 0, 0)
    assert person.values(book, entries, {"traits": {}}, 0) == {1: 2, 2: True}


@pytest.mark.parametrize("back", [{"audience": "A"}, {"traits": "traits.a = true"}])
def test_a_circle_is_refused_with_its_names(back: dict[str, Any]):
    circle = [an_audience("A", {"not": {"audience": "B"}}, 1), an_audience("B", back, 2)]
    with pytest.raises(Invalid, match="A -> B -> A"):
        order.book(circle)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, "where: write one of event"),
        ({"event": "A", "traits": "traits.a"}, "where: write one of event"),
        ({"event": "A", "atleast": 1}, "where.atleast: there is no such key"),
        ({"event": "A", "at_least": "1"}, "where.at_least: write a whole number"),
        ({"event": "A", "at_least": 3, "at_most": 2}, "where.at_most: it is less"),
        ({"event": "A", "exactly": 3, "at_most": 3}, "where.exactly: leave"),
        ({"event": "A", "within": 30}, "where.within: Write a length"),
        ({"event": "A", "within": "30d", "at_least": 101}, "where: within a window"),
        ({"all": [{"event": "A", "where": "properties.a ="}]}, r"where.all\[0\].where: "),
        ({"all": []}, "where.all: write a list"),
        ({"not": [{"event": "A"}]}, "where.not: write keys"),
    ],
)
def test_what_cannot_be_obeyed_is_refused_with_its_place(written: dict[str, Any], said: str):
    with pytest.raises(Invalid, match=said):
        read.condition(written, "where")


def test_both_names_of_a_finished_order_are_one_event():
    assert read.condition({"event": "Completed Order"}, "where") == Performed(event="Order Completed")


def test_a_definition_reads_as_a_sentence():
    where = {"all": [{**EVENT, "within": "30d"}, {"not": {"traits": "traits.plan = 'Free'"}}]}
    assert in_words.condition(read.condition(where, "")) == (
        "performed Order Completed at least once within 30 days and not (has traits.plan = 'Free')"
    )
    assert in_words.aggregate(read.aggregate({"sum": {**EVENT, "property": "total"}}, "")) == (
        "The sum of total over Order Completed"
    )
