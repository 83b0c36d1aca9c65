"""Filters as chips: read from FQL, written back as FQL."""

from __future__ import annotations

import pytest

from heard.errors import Invalid
from heard.fql import parse
from heard.fql.write import text_of
from heard.web.dashboard.chips import Chip, Draft, applied, chips, drafted, narrowed, value_is, without


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("traits.plan = 'Premium'", "plan is Premium"),
        ("traits.country != 'DE'", "country is not DE"),
        ("contains(comment, 'price')", "comment contains price"),
        ("value >= 9", "value is at least 9"),
        ("properties.total <= 20", "properties.total is at most 20"),
        ("traits.company != null", "company is set"),
        ("traits.company = null", "company is not set"),
        ("traits.seats = '5'", "seats is 5"),
        ("traits.a = 1 or traits.b = 2", "FQL traits.a = 1 or traits.b = 2"),
        ("traits.plan in ['Free', 'Team']", "FQL traits.plan in ['Free', 'Team']"),
        ("value > 3", "value is more than 3"),
        ("value < 3.5", "value is less than 3.5"),
        ("what is this", "FQL what is this"),
    ],
)
def test_a_part_of_a_filter_reads_as_words(where: str, words: str):
    assert [chip.words for chip in chips(where)] == [words]


def test_each_part_of_a_conjunction_is_a_chip_and_can_be_removed():
    where = "traits.plan = 'Premium' and (value > 3 or value < 1) and contains(comment, 'price')"

    assert [chip.field for chip in chips(where)] == ["traits.plan", "FQL", "comment"]
    assert without(where, 1) == "traits.plan = 'Premium' and contains(comment, 'price')"
    assert without("value = 9", 0) is None
    assert chips(None) == []


@pytest.mark.parametrize(
    ("draft", "where"),
    [
        (Draft(field="plan", operator="is", value="Premium"), "traits.plan = 'Premium'"),
        (Draft(field="traits.plan", operator="is_not", value="O'Neill"), "traits.plan != 'O\\'Neill'"),
        (Draft(field="seats", operator="is", value="5"), "traits.seats = 5"),
        (Draft(field="seats", operator="is", value="'5'"), "traits.seats = '5'"),
        (Draft(field="vip", operator="is", value="true"), "traits.vip = true"),
        (Draft(field="value", operator="at_least", value="9"), "value >= 9"),
        (Draft(field="comment", operator="contains", value="5"), "contains(comment, '5')"),
        (Draft(field="address.city", operator="is_set"), "traits.address.city != null"),
        (Draft(field="properties.total", operator="at_most", value="20.5"), "properties.total <= 20.5"),
        (Draft(field="properties.total", operator="more_than", value="20"), "properties.total > 20"),
        (Draft(field="plan", operator="is", value="A and B"), "traits.plan = 'A and B'"),
    ],
)
def test_what_is_written_in_the_editor_becomes_fql_and_reads_back_the_same(draft: Draft, where: str):
    assert applied(None, draft) == where
    (chip,) = chips(where)
    assert applied(None, drafted(chip, 0)) == where
    assert applied(where, drafted(chip, 0)) == where


def test_a_filter_is_added_beside_the_others_and_only_once():
    assert applied("value = 9 or value = 10", Draft(field="plan", value="Free")) == (
        "(value = 9 or value = 10) and traits.plan = 'Free'"
    )
    assert narrowed("value = 9", parse("value = 9")) == "value = 9"


def test_a_chip_that_is_changed_keeps_its_place():
    where = "traits.plan = 'Free' and value = 9"

    assert applied(where, Draft(field="plan", value="Team", replaces=0)) == "traits.plan = 'Team' and value = 9"


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(field="", value="x"), "field"),
        (Draft(field="1 + 1", value="x"), "field"),
        (Draft(field="'plan'", value="x"), "field"),
        (Draft(field="plan", operator="near", value="x"), "operator"),
        (Draft(field="plan", value="  "), "value"),
        (Draft(field="seats", operator="at_least", value="many"), "value"),
        (Draft(field="seats", operator="at_most", value="true"), "value"),
    ],
)
def test_what_cannot_be_used_is_said_by_its_field(draft: Draft, field: str):
    with pytest.raises(Invalid) as refused:
        applied(None, draft)

    assert refused.value.field == field


def test_a_value_of_any_kind_can_be_narrowed_to():
    assert text_of(value_is("traits.plan", None)) == "traits.plan = null"
    assert text_of(value_is("plan", True)) == "traits.plan = true"


def test_a_text_that_looks_like_a_number_keeps_its_quotes_in_the_editor():
    assert chips("traits.seats = '5'") == [Chip(field="traits.seats", operator="is", value="'5'")]
