"""The lives of deliveries and campaigns, as their tables say."""

from __future__ import annotations

import pytest

from heard.campaigns.campaign import Status, is_running
from heard.deliveries.decision import Decision, Outcome, revised
from heard.deliveries.delivery import NEXT, ImpossibleMove, State, move, retry_at
from heard.deliveries.reasons import Objection, Reason
from heard.messages.events import canonical
from tests.examples import DAY, HOUR, MINUTE, NOON, a_campaign, a_delivery


def test_a_mail_is_intended_before_it_is_sent():
    sending = move(a_delivery(), State.SENDING)

    assert move(sending, State.SENT, sent_at=NOON).sent_at == NOON
    with pytest.raises(ImpossibleMove):
        move(a_delivery(), State.SENT)


def test_what_is_cancelled_or_expired_stays_so():
    assert NEXT[State.CANCELLED] == NEXT[State.EXPIRED] == frozenset()


def test_nothing_that_may_have_gone_out_becomes_scheduled_by_itself_except_by_a_definite_refusal():
    assert State.SCHEDULED not in NEXT[State.SENT]
    assert {state for state, to in NEXT.items() if State.SCHEDULED in to} == {State.SENDING, State.UNKNOWN}


def test_an_answer_settles_what_was_unknown():
    assert State.ANSWERED in NEXT[State.UNKNOWN]


def test_retries_double_and_end():
    delivery = a_delivery(attempts=1)

    assert retry_at(delivery, now=NOON) == NOON + MINUTE / 2
    assert retry_at(a_delivery(attempts=3), now=NOON) == NOON + 2 * MINUTE
    assert retry_at(a_delivery(attempts=30), now=NOON) == NOON + HOUR
    assert retry_at(a_delivery(attempts=77), now=NOON) == NOON + HOUR
    assert retry_at(a_delivery(attempts=78), now=NOON) is None


def test_an_invitation_is_open_for_thirty_days_from_the_mail():
    assert a_delivery(sent_at=NOON + DAY).closes_at == NOON + 31 * DAY


def test_a_changed_mind_keeps_what_it_thought_before():
    held = Decision(
        id=1,
        workspace=1,
        campaign=1,
        trigger="1:m",
        message_id="m",
        event="Order Completed",
        event_at=NOON,
        user_id="marshall",
        contact=None,
        at=NOON,
        outcome=Outcome.HELD,
        objections=(Objection(Reason.NOT_IDENTIFIED),),
    )

    told = revised(held, at=NOON + MINUTE, cause="identified", outcome=Outcome.INVITED, objections=())

    assert told.outcome == Outcome.INVITED
    assert told.at == NOON
    assert [(before.outcome, before.cause) for before in told.revisions] == [(Outcome.HELD, "identified")]


def test_ready_and_active_run_and_nothing_else():
    assert [status for status in Status if is_running(a_campaign(status=status), NOON)] == [
        Status.READY,
        Status.ACTIVE,
    ]


def test_both_names_of_a_finished_order_are_one_event():
    assert canonical("Completed Order") == canonical("Order Completed")
    assert canonical("order completed") == "order completed"
