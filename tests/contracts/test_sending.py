"""What becomes of an invitation when it is due, on both engines."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from heard.contacts.standing import Kind, Suppression
from heard.deliveries.delivery import HandedTo, ImpossibleMove
from heard.errors import DeliveryFailed
from heard.steps import leave, send
from heard.store import contacts, deliveries, tables
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, HOUR, MINUTE, NOON


def an_invitation(desk: Desk) -> None:
    desk.campaign(throttle="90d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))


def test_what_is_sent_is_a_touch_made(desk: Desk):
    an_invitation(desk)
    desk.wait(MINUTE)
    desk.send()

    assert desk.states() == ["sent"]
    assert [(row.state, row.at) for row in desk.rows(tables.touches)] == [("made", NOON + MINUTE)]
    assert desk.send() == []


def test_whoever_unsubscribed_meanwhile_is_left_alone_and_the_decision_says_so(desk: Desk):
    an_invitation(desk)
    gone = Suppression(kind=Kind.UNSUBSCRIBED, on=True, at=NOON, email_key="ted@mosby.example")
    desk.store.write_now(lambda connection: contacts.suppress(connection, ACME, gone, "test"))
    desk.send()

    assert desk.states() == ["cancelled"]
    assert desk.decisions("ted") == [("declined", ["unsubscribed"])]
    assert [row.state for row in desk.rows(tables.touches)] == ["released"]


def test_a_passing_failure_is_tried_again_later(desk: Desk):
    an_invitation(desk)
    desk.send(failing=DeliveryFailed("450 later"))
    assert desk.states() == ["scheduled"]
    assert desk.send() == []

    desk.wait(MINUTE)
    desk.send()
    assert desk.states() == ["sent"]


def test_a_final_refusal_frees_the_person(desk: Desk):
    an_invitation(desk)
    desk.send(failing=DeliveryFailed("550 no such user", permanent=True))

    assert desk.states() == ["failed"]
    assert [row.state for row in desk.rows(tables.touches)] == ["released"]


def test_what_may_have_gone_out_is_unknown_and_never_sent_again(desk: Desk):
    an_invitation(desk)
    desk.send(failing=DeliveryFailed("reset after the dot", ambiguous=True))
    desk.wait(2 * DAY)

    assert desk.states() == ["unknown"]
    assert desk.send() == []
    assert [row.state for row in desk.rows(tables.touches)] == ["made"]


@pytest.mark.parametrize(("over", "state"), [(HandedTo.SERVER, "unknown"), (HandedTo.OUTBOX, "scheduled")])
def test_after_a_crash_what_was_handed_over_is_unknown_unless_it_was_to_the_outbox(
    desk: Desk, over: HandedTo, state: str
):
    an_invitation(desk)
    (delivery,) = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=1))
    desk.store.write_now(partial(send.begin, delivery=delivery, over=over))
    desk.store.write_now(partial(send.recover, directory=desk.directory, now=desk.now))

    assert desk.states() == [state]


def test_two_senders_never_begin_the_same_mail(desk: Desk):
    an_invitation(desk)
    (delivery,) = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=1))
    desk.store.write_now(partial(send.begin, delivery=delivery))
    with pytest.raises(ImpossibleMove):
        desk.store.write_now(partial(send.begin, delivery=delivery))


def test_a_paused_campaign_waits_and_declines_nobody(desk: Desk):
    an_invitation(desk)
    desk.store.write_now(lambda connection: connection.execute(tables.campaigns.update().values(status="paused")))
    assert desk.send() == []
    assert desk.states() == ["scheduled"]

    desk.store.write_now(lambda connection: connection.execute(tables.campaigns.update().values(status="active")))
    desk.send()
    assert desk.states() == ["sent"]


def test_a_backlog_does_not_go_out_at_night(desk: Desk):
    desk.campaign(window={"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "to": "17:00"})
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.wait(timedelta(hours=8))
    desk.send()

    (delivery,) = desk.rows(tables.deliveries)
    assert (delivery.state, delivery.due_at) == ("scheduled", NOON + 21 * HOUR)


def test_an_address_that_changed_before_sending_is_the_mailbox_that_was_asked(desk: Desk):
    desk.campaign(throttle="90d", delay="2d")
    desk.receive(desk.identify("ted", email="old@mosby.example"), desk.track("ted"))
    desk.receive(desk.identify("ted", email="shared@mosby.example"))
    desk.wait(2 * DAY)
    desk.send()
    desk.receive(desk.identify("robin", email="shared@mosby.example"), desk.track("robin"))

    assert [row.address for row in desk.rows(tables.deliveries)] == ["shared@mosby.example"]
    assert desk.decisions("robin") == [("declined", ["campaign_throttle"])]


def test_leaving_cancels_what_is_scheduled_for_the_mailbox_at_once(desk: Desk):
    an_invitation(desk)
    (delivery,) = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=1))
    desk.store.write_now(
        lambda connection: leave.subscribe(
            connection, ACME, 999, "ted@mosby.example", on=True, cause="test", now=desk.now
        )
    )

    assert desk.states() == ["cancelled"]
    assert desk.decisions("ted") == [("declined", ["unsubscribed"])]
    with pytest.raises(ImpossibleMove):  # even when it was claimed before
        desk.store.write_now(partial(send.begin, delivery=delivery))


def test_a_mail_server_that_never_comes_back_is_given_up_after_three_days(desk: Desk):
    an_invitation(desk)
    for _ in range(80):
        desk.send(failing=DeliveryFailed("nobody there", unreachable=True))
        desk.wait(HOUR)

    assert desk.states() == ["failed"]
    assert desk.rows(tables.deliveries)[0].attempts == 78
    assert [row.state for row in desk.rows(tables.touches)] == ["released"]


def test_a_date_beyond_all_reason_stops_nobodys_mail(desk: Desk):
    desk.campaign(older_than="30d", delay="1d")
    desk.receive(
        desk.identify("ted", email="ted@mosby.example", createdAt="2020-01-01"),
        desk.identify("lily", email="lily@aldrin.example", createdAt="2020-01-01"),
        desk.track("ted"),
        desk.track("lily"),
    )
    desk.receive(desk.identify("ted", createdAt="9999-12-31T00:00:00Z"))
    desk.wait(DAY)
    desk.send()

    assert desk.states() == ["sent", "sent"]


def test_a_backlog_that_is_overdue_together_asks_a_person_once(desk: Desk):
    desk.campaign(1, delay="1d")
    desk.campaign(2, event="Signed Up", delay="5d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"), desk.track("ted", "Signed Up"))
    assert [outcome for outcome, _ in desk.decisions("ted")] == ["invited", "invited"]

    desk.wait(20 * DAY)  # the server was away
    desk.send()

    assert desk.states() == ["cancelled", "sent"]
    assert ("declined", ["asked_within_24h"]) in desk.decisions("ted")


def test_what_is_on_its_way_counts_for_whoever_is_claimed_next(desk: Desk):
    desk.campaign(1, delay="1d")
    desk.campaign(2, event="Signed Up", delay="5d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"), desk.track("ted", "Signed Up"))
    desk.wait(20 * DAY)
    first, second = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=10))
    claim = partial(send.still_wanted, directory=desk.directory, now=desk.now)

    assert len(desk.store.write_now(partial(claim, claimed=[first]))) == 1  # handed over, its outcome not kept yet
    assert desk.store.write_now(partial(claim, claimed=[second])) == []
