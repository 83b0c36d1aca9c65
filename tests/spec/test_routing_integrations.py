"""The `integrations` object, by the table of the facts and by what else senders write into it."""

from __future__ import annotations

from typing import Any

import pytest

from heard.routing.answer import Refusal
from heard.routing.integrations import permits
from heard.routing.plan import Plan
from tests.spec.routed import a_destination, a_message, a_surveys, reason, refusal

BOTH, HOOK, SURVEYS, NOBODY = (1, 2), (1,), (2,), ()


@pytest.mark.parametrize(
    ("said", "to"),
    [
        (None, BOTH),
        ({}, BOTH),
        ({"All": True}, BOTH),
        ({"All": False}, NOBODY),
        ({"All": False, "Promoter.io": True}, SURVEYS),
        ({"All": False, "Promoter.io": {"list": "x"}}, SURVEYS),
        ({"promoter.io": True}, BOTH),
        ({"All": False, "promoter.io": True}, NOBODY),
        ({"promoter.io": False}, BOTH),
        ({"SatisMeter": {"k": 1}}, BOTH),
        ({"All": False, "SatisMeter": {"k": 1}}, SURVEYS),
        ({"Segment.io": True}, BOTH),
        ({"Segment.io": False}, BOTH),
        ({"Segment.io": True, "All": False}, NOBODY),
        ({"Segment.io": True, "All": False, "Promoter.io": True, "SatisMeter": {"k": 1}}, SURVEYS),
        ({"Warehouse hook": False}, SURVEYS),
        ({"Warehouse hook": False, "All": True}, SURVEYS),
        ({"All": False, "Warehouse hook": True}, HOOK),
        ({"Our surveys": False}, HOOK),
        ({"Our surveys": True, "Promoter": False}, HOOK),
        ({"All": False, "Our surveys": True, "Promoter": False}, NOBODY),
    ],
)
def test_line_14_the_integrations_object_says_who_may_have_a_message(said: dict[str, Any] | None, to: tuple[int, ...]):
    assert Plan([a_destination(), a_surveys()]).route(a_message(integrations=said)).to == to


@pytest.mark.parametrize("name", ["Our surveys", "Heard", "Promoter.io", "Promoter", "SatisMeter"])
def test_line_14_each_name_of_the_surveys_destination_blocks_and_allows_by_itself(name: str):
    assert refusal(a_surveys(), integrations={name: False}) == Refusal(
        "integrations_object",
        f'The message\'s `integrations` object says "{name}": false; send true, or leave the name out.',
    )
    assert reason(a_surveys(), integrations={"All": False, name: True}) is None


def test_who_is_not_named_under_all_false_is_told_which_name_to_add():
    assert refusal(a_destination(), integrations={"All": False}) == Refusal(
        "integrations_object",
        'The message\'s `integrations` object says "All": false and does not name Warehouse hook; '
        'add "Warehouse hook": true.',
    )


@pytest.mark.parametrize(
    ("value", "alone", "under_all_false"),
    [
        (True, True, True),
        ({}, True, True),
        ({"a": 1}, True, True),
        ([], True, True),
        (1, True, True),
        (0.5, True, True),
        ("true", True, True),
        ("yes", True, True),
        (False, False, False),
        ("false", False, False),
        ("False", False, False),
        (None, True, False),
        (0, True, False),
        ("", True, False),
    ],
)
def test_values_that_are_no_booleans_are_read_on_purpose(value: Any, alone: bool, under_all_false: bool):
    assert (reason(a_destination(), integrations={"Warehouse hook": value}) is None) is alone
    assert (reason(a_destination(), integrations={"All": False, "Warehouse hook": value}) is None) is under_all_false


@pytest.mark.parametrize(("value", "goes"), [("false", False), (None, True), (0, True), ("", True), ({}, True)])
def test_all_is_read_by_the_same_rules(value: Any, goes: bool):
    assert (reason(a_destination(), integrations={"All": value}) is None) is goes


def test_a_destination_of_that_name_is_still_not_meant_by_segment_io():
    destination = a_destination(name="Segment.io")

    assert reason(destination, integrations={"Segment.io": False}) is None
    assert reason(destination, integrations={"Segment.io": True, "All": False}) == "integrations_object"


def test_a_name_means_every_destination_that_bears_it():
    plan = Plan([a_destination(id=1), a_destination(id=2), a_destination(id=3, name="Other")])

    assert plan.route(a_message(integrations={"Warehouse hook": False})).to == (3,)


def test_an_object_is_remembered_whatever_its_length():
    long = {"All": False, "Warehouse hook": {"options": "x" * 5000}}
    plan = Plan([a_destination(), a_surveys()])

    assert plan.route(a_message(integrations=long)).to == plan.route(a_message(integrations=long)).to == (1,)


def test_one_destination_can_be_asked_about_by_itself():
    assert permits(b"{}", ["A"])
    assert permits(b'{"All":false,"A":{}}', ["A"])
    assert not permits(b'{"All":false}', ["A"])
