"""From event to answer, tallied as it happens: the same as counting the rows."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from heard.errors import DeliveryFailed
from heard.store import funnel, tables, tallies
from heard.store.days import day_of
from heard.store.funnel import Funnel
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, HOUR, NOON


def of(desk: Desk, *campaigns: int, first: int | None = None, last: int | None = None) -> Funnel:
    return desk.store.read_now(
        partial(funnel.read, workspace=ACME, campaigns=campaigns or (1,), first=first, last=last)
    )


def is_what_the_rows_say(desk: Desk) -> None:
    kept = {(row.day, row.name): row.n for row in desk.rows(tables.tallies) if row.n and "campaign:" in row.name}
    desk.store.write_now(funnel.rebuild)
    anew = {(row.day, row.name): row.n for row in desk.rows(tables.tallies) if row.n and "campaign:" in row.name}
    assert kept == anew


def test_what_matched_is_held_back_by_the_first_rule_that_objected_or_invited(desk: Desk):
    desk.campaign(where="properties.total > 20", throttle="30d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.identify("robin"))
    desk.receive(
        desk.track("ted", total=25),
        desk.track("ted", total=30),
        desk.track("robin", total=25),
        desk.track("barney", total=99),
        desk.track("ted", total=1),
    )

    found = of(desk)

    assert (found.matched, found.waiting, found.invited, found.sent) == (5, 1, 1, 0)
    assert found.held == {"campaign_throttle": 1, "no_address": 1, "conditions_not_met": 1}
    is_what_the_rows_say(desk)


def test_a_decision_that_is_settled_later_moves_on_its_own_day(desk: Desk):
    desk.campaign()
    desk.receive(desk.track("ted"), desk.track("barney"))
    desk.wait(timedelta(minutes=1))
    desk.receive(desk.identify("ted", email="ted@mosby.example"))
    desk.wait(2 * DAY)
    desk.lapse()

    found = of(desk, first=day_of(NOON), last=day_of(NOON))

    assert (found.matched, found.waiting, found.invited) == (2, 0, 1)
    assert found.held == {"not_identified": 1}
    assert of(desk, first=day_of(NOON + DAY)).matched == 0
    is_what_the_rows_say(desk)


def test_who_unsubscribes_before_the_mail_is_held_back_then(desk: Desk):
    desk.campaign(delay="1h")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    assert of(desk).invited == 1

    desk.add(tables.suppressions, workspace_id=ACME, id=1, contact_id=1, kind="unsubscribed", on=1, at=NOON, cause="")
    desk.wait(2 * HOUR)
    desk.send()

    found = of(desk)
    assert (found.matched, found.invited, found.sent) == (1, 0, 0)
    assert found.held == {"unsubscribed": 1}
    is_what_the_rows_say(desk)


def test_mails_are_counted_when_they_are_handed_over_and_once(desk: Desk):
    desk.campaign()
    people = [desk.identify(user, email=f"{user}@mosby.example") for user in ("ted", "marshall", "lily")]
    desk.receive(*people, desk.track("ted"))
    desk.send()
    desk.receive(desk.track("marshall"))
    desk.send(failing=DeliveryFailed("450 later"))
    desk.wait(DAY)
    desk.send()
    desk.receive(desk.track("lily"))
    desk.send(failing=DeliveryFailed("550 never", permanent=True))

    assert of(desk).sent == 2
    assert of(desk, last=day_of(NOON)).sent == 1
    is_what_the_rows_say(desk)


def test_a_mail_whose_outcome_nobody_knows_may_have_arrived_and_counts(desk: Desk):
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send(failing=DeliveryFailed("reset after the dot", ambiguous=True))

    assert of(desk).sent == 1
    is_what_the_rows_say(desk)


def test_an_invitation_is_clicked_once_however_many_links_a_scanner_follows(desk: Desk):
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    (delivery,) = desk.send()
    for method, value in (("HEAD", 0), ("GET", 0), ("GET", 10)):
        desk.wait(timedelta(minutes=10))
        desk.click(delivery.id, value, method=method)

    assert of(desk).clicked == 1
    is_what_the_rows_say(desk)


def test_campaigns_are_counted_apart_and_together(desk: Desk):
    desk.campaign(1)
    desk.campaign(2)
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))

    assert of(desk, 1).matched == of(desk, 2).matched == 1
    assert of(desk, 1, 2).matched == 2
    assert of(desk, 3).matched == 0


def test_what_became_of_messages_is_told_without_the_campaigns(desk: Desk):
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))

    assert desk.store.read_now(partial(tallies.totals, workspace=ACME)) == {"accepted": 2}
