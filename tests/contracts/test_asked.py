"""Whom a campaign asked: everybody while they are few, a fair sample beyond."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from heard.fql import parse
from heard.operations.overview_rates import Rate, rates
from heard.steps.answer import answer
from heard.store import asked
from heard.store.asked import Everybody
from heard.store.types import micros
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, NOON

PLANS = {"ted": "Premium", "lily": "Premium", "marshall": "Free", "robin": "Free", "barney": "Free"}


@pytest.fixture
def bar(desk: Desk) -> Desk:
    """Five were asked; Ted and Robin answered, and Ted has another plan since."""
    desk.campaign()
    desk.receive(*(desk.identify(user, email=f"{user}@mosby.example", plan=plan) for user, plan in PLANS.items()))
    desk.receive(*(desk.track(user) for user in PLANS))
    for delivery in desk.send():
        if delivery.user_id in ("ted", "robin"):
            said = partial(answer, workspace=ACME, delivery_id=delivery.id, value=9, comment=None, agent="", client="")
            desk.store.write_now(partial(said, directory=desk.directory, now=desk.now))
    desk.receive(desk.identify("ted", plan="Free"))
    return desk


def everybody(desk: Desk, *, sent: int = 5, campaigns: tuple[int, ...] = (1,), shift: timedelta = DAY) -> Everybody:
    begins, ends = micros(NOON + shift - 2 * DAY), micros(NOON + shift)
    look = partial(asked.everybody, workspace=ACME, campaigns=campaigns, begins=begins, ends=ends, sent=sent)
    return desk.store.read_now(look)


def by_plan(desk: Desk, found: Everybody, by: str = "traits.plan", where: str | None = None) -> dict[str, Rate]:
    counted = rates(found, desk.directory, by=parse(by), where=parse(where) if where else None)
    assert counted is not None
    return dict(counted.by_value)


def test_who_answered_is_counted_as_they_were_and_the_others_as_they_are(bar: Desk):
    found = everybody(bar)

    assert not found.about
    assert by_plan(bar, found) == {'"Premium"': Rate(2, 1), '"Free"': Rate(3, 1)}
    assert by_plan(bar, found, "now.traits.plan") == {'"Premium"': Rate(1, 0), '"Free"': Rate(4, 2)}


def test_a_filter_narrows_those_who_were_asked(bar: Desk):
    assert by_plan(bar, everybody(bar), where="traits.plan != 'Free'") == {'"Premium"': Rate(2, 1)}
    assert by_plan(bar, everybody(bar), "campaign", where="survey = 'NPS'") == {'"Campaign 1"': Rate(5, 2)}


@pytest.mark.parametrize("what", ["value", "category", "comment"])
def test_nobody_can_say_what_those_who_did_not_answer_would_have_said(bar: Desk, what: str):
    found = everybody(bar)

    assert rates(found, bar.directory, by=parse(what), where=None) is None
    assert rates(found, bar.directory, by=parse("traits.plan"), where=parse(f"{what} != null")) is None


def test_only_the_window_and_the_campaigns_meant_are_counted(bar: Desk):
    assert everybody(bar, shift=3 * DAY).asked == []
    assert everybody(bar, campaigns=(2,)).asked == []


def test_beyond_what_can_be_read_at_once_a_share_of_the_ids_stands_for_all(bar: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asked, "MOST", 3)
    monkeypatch.setattr(asked, "SAMPLE", 4)
    few = everybody(bar, sent=1_000_000)
    most = everybody(bar, sent=5)

    assert few.about
    assert most.about
    assert few.asked == []
    assert 0 < len(most.asked) <= 5
    assert {each.user_id for each in most.asked} <= set(PLANS)
