"""How long things are kept: what can be set, and what is refused because somebody would miss it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from heard import config, retention
from heard.audiences.aggregates import Aggregate
from heard.audiences.audience import Audience, ComputedTrait, Phase
from heard.audiences.conditions import Every, Performed, Traits
from heard.audiences.looks_back import must_be_kept
from heard.errors import Invalid
from heard.retention import DAY, RULES, Keep, Kind
from tests.examples import NOON


def test_without_a_setting_what_members_look_at_stays_for_ever():
    keep = retention.read({})

    assert {kind: length for kind in Kind if (length := keep.of(kind))} == {
        Kind.COUNTS: 400 * DAY,
        Kind.VIOLATIONS: 90 * DAY,
        Kind.CLICKS: 90 * DAY,
        Kind.MAIL_EVENTS: 400 * DAY,
        Kind.SIGN_INS: 30 * DAY,
    }


def test_each_kind_has_its_setting_and_forever_takes_a_default_away():
    keep = retention.read({"HEARD_KEEP_MESSAGES": "400d", "HEARD_KEEP_CLICKS": "Forever", "HEARD_KEEP_ANSWERS": "104w"})

    assert keep.of(Kind.MESSAGES) == 400 * DAY
    assert keep.of(Kind.CLICKS) is None
    assert keep.of(Kind.ANSWERS) == 728 * DAY
    assert [rule.kind for rule in RULES] == list(Kind)


def test_what_was_part_of_a_message_goes_with_it_unless_it_goes_before():
    assert retention.read({"HEARD_KEEP_MESSAGES": "90d"}).of(Kind.DEAD_LETTERS) == 90 * DAY
    assert retention.read({"HEARD_KEEP_MESSAGES": "90d"}).of(Kind.SET_ASIDE) == 90 * DAY
    both = retention.read({"HEARD_KEEP_MESSAGES": "90d", "HEARD_KEEP_DEAD_LETTERS": "14d"})
    assert both.of(Kind.DEAD_LETTERS) == 14 * DAY
    for longer in ("91d", "forever"):
        with pytest.raises(Invalid, match=r"goes with its message.*Write 90d or less") as problem:
            retention.read({"HEARD_KEEP_MESSAGES": "90d", "HEARD_KEEP_DEAD_LETTERS": longer})
        assert problem.value.field == "HEARD_KEEP_DEAD_LETTERS"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_too_short_is_refused_with_the_reason_and_the_fix(rule: retention.Rule):
    short = f"{rule.least // timedelta(hours=1) - 1}h"
    with pytest.raises(Invalid) as problem:
        config.read({rule.setting: short})

    assert problem.value.field == rule.setting
    assert rule.because in str(problem.value)
    whole = {"HEARD_KEEP_MESSAGES": "60d"}
    least = {rule.setting: f"{rule.least.days}d"}
    assert config.read({**whole, **least} if rule.like else least).keep.of(rule.kind) == rule.least


@pytest.mark.parametrize("text", ["90", "18mo", "-3d", "9999d", "never"])
def test_what_is_no_length_of_time_is_refused_by_name(text: str):
    with pytest.raises(Invalid, match="HEARD_KEEP_AUDIT") as problem:
        retention.read({"HEARD_KEEP_AUDIT": text})
    assert problem.value.field == "HEARD_KEEP_AUDIT"


def test_what_is_older_than_its_time_may_go():
    keep = Keep({Kind.AUDIT: 30 * DAY})

    assert keep.before(Kind.AUDIT, NOON) == NOON - 30 * DAY
    assert keep.before(Kind.ANSWERS, NOON) is None


def an_audience(within: timedelta | None) -> Audience:
    asked = Every(of=(Traits(where="traits.plan = 'Premium'"), Performed(event="Order Completed", within=within)))
    return Audience(id=1, workspace=1, name="Buyers", key="buyers", phase=Phase.LIVE, condition=asked)


def test_an_audience_must_not_look_back_further_than_messages_are_kept():
    keep = Keep({Kind.MESSAGES: 30 * DAY})

    must_be_kept([an_audience(None), an_audience(30 * DAY)], keep)
    must_be_kept([an_audience(366 * DAY)], Keep())
    with pytest.raises(Invalid, match="Buyers looks back 31 days, and messages are kept 30 days") as problem:
        must_be_kept([an_audience(31 * DAY)], keep)
    assert problem.value.field == "audiences[Buyers]"


def test_nor_may_a_computed_trait():
    total = Aggregate(kind="count", event="Order Completed", within=60 * DAY)
    trait = ComputedTrait(id=1, workspace=1, name="total", key="total", aggregate=total)

    with pytest.raises(Invalid, match="computed trait total looks back 60 days"):
        must_be_kept([trait], Keep({Kind.MESSAGES: 30 * DAY}))
