"""Whoever was asked and has not answered is reminded once, on both engines."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest

from heard.campaigns.campaign import Status
from heard.deliveries.delivery import Delivery, ImpossibleMove, State
from heard.errors import DeliveryFailed
from heard.operations.campaigns_results import answered, scheduled
from heard.steps import leave, remind, send
from heard.steps.answer import answer
from heard.store import asked, campaign_counts, deliveries, funnel, tables
from heard.store.types import micros
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, HOUR, MINUTE, NOON

AMBIGUOUS = DeliveryFailed("reset after the dot", ambiguous=True)


@pytest.fixture
def ted_was_asked(desk: Desk) -> Desk:
    """At noon; the reminder is due three days later."""
    desk.campaign(throttle="90d", reminder="3d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted", total=25))
    desk.send()
    return desk


def of_kind(desk: Desk, kind: str) -> list[Any]:
    return [row for row in desk.rows(tables.deliveries) if row.kind == kind]


def the(desk: Desk, kind: str) -> Any:
    (found,) = of_kind(desk, kind)
    return found


def touch(desk: Desk, kind: str) -> tuple[str, Any]:
    (found,) = [row for row in desk.rows(tables.touches) if row.kind == kind]
    return found.state, found.at


def set_campaign(desk: Desk, **values: Any) -> None:
    desk.store.write_now(lambda connection: connection.execute(tables.campaigns.update().values(**values)))


def set_reminder(desk: Desk, length: str | None) -> None:
    said = {"reminder": length} if length else {}
    set_campaign(desk, settings={"channel": "email", "event": "Order Completed", **said})


def answers(desk: Desk, value: int = 9) -> None:
    first = the(desk, "first").id
    say = partial(answer, workspace=ACME, delivery_id=first, value=value, comment=None, agent="", client="")
    desk.store.write_now(partial(say, directory=desk.directory, now=desk.now))


def test_a_reminder_is_planned_with_what_came_of_the_first_mail(ted_was_asked: Desk):
    first, reminder = the(ted_was_asked, "first"), the(ted_was_asked, "reminder")

    assert (reminder.state, reminder.due_at, reminder.sent_at) == ("scheduled", NOON + 3 * DAY, None)
    assert reminder.decision_id == first.decision_id
    assert (reminder.address, reminder.properties) == (first.address, first.properties)
    assert touch(ted_was_asked, "reminder") == ("reserved", NOON + 3 * DAY)


def test_it_goes_out_on_its_day_once_and_knows_what_it_reminds_of(ted_was_asked: Desk):
    ted_was_asked.wait(3 * DAY - MINUTE)
    assert ted_was_asked.send() == []
    ted_was_asked.wait(MINUTE)
    due = ted_was_asked.store.read_now(partial(deliveries.due, now=ted_was_asked.now, limit=9))
    claim = partial(send.still_wanted, claimed=due, directory=ted_was_asked.directory, now=ted_was_asked.now)
    (ready,) = ted_was_asked.store.write_now(claim)
    assert ready.reminds_of is not None
    assert ready.reminds_of.id == the(ted_was_asked, "first").id

    ted_was_asked.send()
    assert touch(ted_was_asked, "reminder") == ("made", NOON + 3 * DAY)
    ted_was_asked.wait(20 * DAY)
    assert ted_was_asked.send() == []
    assert ted_was_asked.states() == ["sent", "sent"]


def test_without_the_key_nobody_is_reminded(desk: Desk):
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send()

    assert len(desk.rows(tables.deliveries)) == 1


def test_what_may_have_gone_out_is_reminded_of_and_what_did_not_is_not(desk: Desk):
    desk.campaign(reminder="24h")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send(failing=AMBIGUOUS)
    desk.receive(desk.identify("lily", email="lily@aldrin.example"), desk.track("lily"))
    desk.send(failing=DeliveryFailed("550 never", permanent=True))

    assert [row.user_id for row in of_kind(desk, "reminder")] == ["ted"]
    desk.wait(DAY)
    assert [each.user_id for each in desk.send()] == ["ted"]


def test_a_crash_between_two_mails_plans_one_reminder(desk: Desk):
    desk.campaign(reminder="3d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    (delivery,) = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=1))
    desk.store.write_now(partial(send.begin, delivery=delivery))
    recover = partial(send.recover, directory=desk.directory)
    desk.store.write_now(partial(recover, now=desk.now))
    desk.store.write_now(partial(recover, now=desk.now))

    assert the(desk, "first").state == "unknown"
    assert the(desk, "reminder").due_at == NOON + 3 * DAY


def test_a_first_mail_whose_outcome_is_kept_twice_has_one_reminder(desk: Desk):
    desk.campaign(reminder="3d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    (delivery,) = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=1))
    sending: Delivery = desk.store.write_now(partial(send.begin, delivery=delivery))
    keep = partial(send.sent, delivery=sending, directory=desk.directory)
    desk.store.write_now(partial(keep, now=desk.now))
    desk.store.write_now(partial(keep, now=desk.now + MINUTE))

    assert the(desk, "reminder").due_at == NOON + 3 * DAY


def test_a_first_mail_that_turns_out_to_be_sent_later_is_reminded_of_later_and_once(desk: Desk):
    desk.campaign(reminder="3d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send(failing=AMBIGUOUS)
    unknown = desk.store.read_now(partial(deliveries.in_state, state=State.UNKNOWN))[0]
    desk.wait(DAY)
    desk.store.write_now(partial(send.sent, delivery=unknown, directory=desk.directory, now=desk.now))

    assert the(desk, "reminder").due_at == NOON + 4 * DAY
    assert touch(desk, "reminder") == ("reserved", NOON + 4 * DAY)


def test_an_answer_takes_the_reminder_back_at_once(ted_was_asked: Desk):
    claimed = ted_was_asked.store.read_now(partial(deliveries.in_state, state=State.SCHEDULED))[0]
    ted_was_asked.wait(DAY)
    answers(ted_was_asked)

    reminder = the(ted_was_asked, "reminder")
    assert (reminder.state, reminder.error) == ("cancelled", "Not sent: already_answered.")
    assert touch(ted_was_asked, "reminder")[0] == "released"
    assert ted_was_asked.decisions("ted") == [("invited", [])]
    with pytest.raises(ImpossibleMove):  # even when it was claimed before
        ted_was_asked.store.write_now(partial(send.begin, delivery=claimed))
    ted_was_asked.wait(5 * DAY)
    assert ted_was_asked.send() == []


def test_an_answer_after_the_reminder_is_the_same_answer(ted_was_asked: Desk):
    ted_was_asked.wait(3 * DAY)
    ted_was_asked.send()
    answers(ted_was_asked, 4)
    answers(ted_was_asked, 8)

    assert [row.value for row in ted_was_asked.rows(tables.responses)] == [8]
    assert the(ted_was_asked, "first").state == "answered"
    assert the(ted_was_asked, "reminder").state == "sent"


def test_an_answer_that_outruns_the_mail_servers_yes_leaves_nothing_to_remind_of(desk: Desk):
    desk.campaign(reminder="3d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    (delivery,) = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=1))
    sending = desk.store.write_now(partial(send.begin, delivery=delivery))
    answers(desk)
    desk.store.write_now(partial(send.sent, delivery=sending, directory=desk.directory, now=desk.now))

    assert of_kind(desk, "reminder") == []


def test_whoever_leaves_is_not_reminded_and_was_asked_all_the_same(ted_was_asked: Desk):
    ted_was_asked.store.write_now(
        partial(leave.subscribe, workspace=ACME, contact=1, email_key=None, on=True, cause="test", now=NOON + DAY)
    )

    assert the(ted_was_asked, "reminder").error == "Not sent: unsubscribed."
    assert touch(ted_was_asked, "reminder") == ("released", NOON + DAY)
    assert ted_was_asked.decisions("ted") == [("invited", [])]


def test_a_rule_that_objects_when_it_is_due_takes_it_back_and_not_the_decision(ted_was_asked: Desk):
    ted_was_asked.add(
        tables.suppressions, workspace_id=ACME, id=1, contact_id=1, kind="bounced", on=1, at=NOON, cause=""
    )
    ted_was_asked.wait(3 * DAY)

    assert ted_was_asked.send() == []
    assert the(ted_was_asked, "reminder").error == "Not sent: bounced."
    assert ted_was_asked.decisions("ted") == [("invited", [])]
    assert [(row.n, row.name) for row in ted_was_asked.rows(tables.tallies) if "declined" in row.name] == []


def test_a_paused_campaign_reminds_when_it_goes_on(ted_was_asked: Desk):
    set_campaign(ted_was_asked, status=Status.PAUSED.value)
    ted_was_asked.wait(6 * DAY)
    assert ted_was_asked.send() == []
    assert the(ted_was_asked, "reminder").state == "scheduled"

    set_campaign(ted_was_asked, status=Status.ACTIVE.value)
    assert len(ted_was_asked.send()) == 1


def test_a_campaign_that_was_paused_until_the_survey_closed_reminds_nobody(ted_was_asked: Desk):
    set_campaign(ted_was_asked, status=Status.PAUSED.value)
    ted_was_asked.wait(31 * DAY)
    set_campaign(ted_was_asked, status=Status.ACTIVE.value)

    assert ted_was_asked.send() == []
    assert the(ted_was_asked, "reminder").error == "Not sent: the survey has closed."


def test_a_campaign_that_is_complete_reminds_nobody(ted_was_asked: Desk):
    set_campaign(ted_was_asked, status=Status.COMPLETE.value)
    ted_was_asked.wait(3 * DAY)

    assert ted_was_asked.send() == []
    assert the(ted_was_asked, "reminder").error == "Not sent: campaign_not_running."


def test_the_campaign_may_change_its_mind_about_reminding(ted_was_asked: Desk):
    set_reminder(ted_was_asked, "5d")
    ted_was_asked.wait(3 * DAY)
    assert ted_was_asked.send() == []
    assert the(ted_was_asked, "reminder").due_at == NOON + 5 * DAY

    set_reminder(ted_was_asked, None)
    ted_was_asked.wait(2 * DAY)
    assert ted_was_asked.send() == []
    assert the(ted_was_asked, "reminder").error == "Not sent: the campaign does not remind any more."


def test_it_is_planned_a_day_away_from_what_is_reserved_and_gives_way_to_it(desk: Desk):
    desk.campaign(1, reminder="3d")
    desk.campaign(2, event="Signed Up", delay="3d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted", "Signed Up"))
    desk.wait(HOUR)
    desk.receive(desk.track("ted"))
    desk.send()
    assert the(desk, "reminder").due_at == NOON + 4 * DAY

    desk.wait(3 * DAY)
    assert [each.campaign for each in desk.send()] == [2]  # an hour late: the reminder is only 23 hours away
    desk.wait(23 * HOUR)
    assert desk.send() == []
    assert the(desk, "reminder").due_at == NOON + 4 * DAY + HOUR
    desk.wait(HOUR)
    assert [each.kind.value for each in desk.send()] == ["reminder"]


def test_a_backlog_of_invitation_and_reminder_goes_out_a_day_apart(desk: Desk):
    desk.campaign(1, reminder="3d")
    desk.campaign(2, event="Signed Up")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send()
    desk.wait(5 * DAY)  # the server was away
    desk.receive(desk.track("ted", "Signed Up"))

    assert [(each.campaign, each.kind.value) for each in desk.send()] == [(2, "first")]
    assert the(desk, "reminder").due_at == NOON + 6 * DAY
    desk.wait(DAY)
    assert [(each.campaign, each.kind.value) for each in desk.send()] == [(1, "reminder")]


def test_two_reminders_that_are_late_do_not_wait_for_each_other(desk: Desk):
    desk.campaign(1, reminder="3d")
    desk.campaign(2, event="Signed Up", reminder="3d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send()
    desk.wait(DAY)
    desk.receive(desk.track("ted", "Signed Up"))
    desk.send()
    went: list[int] = []
    for _ in range(6):
        desk.wait(DAY + HOUR)
        went += [each.campaign for each in desk.send()]

    assert went == [1, 2]


def test_two_accounts_with_one_mailbox_get_theirs_a_day_apart(desk: Desk):
    desk.campaign(1, reminder="3d")
    desk.campaign(2, event="Signed Up", reminder="48h")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send()
    desk.wait(DAY)
    desk.receive(desk.identify("teddy", email="TED@mosby.example"), desk.track("teddy", "Signed Up"))
    desk.send()

    due = {row.user_id: row.due_at for row in of_kind(desk, "reminder")}
    assert due == {"ted": NOON + 3 * DAY, "teddy": NOON + 4 * DAY}


def test_it_goes_to_the_address_they_have_by_then(ted_was_asked: Desk):
    ted_was_asked.receive(ted_was_asked.identify("ted", email="new@mosby.example"))
    ted_was_asked.wait(3 * DAY)
    ted_was_asked.send()

    assert the(ted_was_asked, "reminder").address == "new@mosby.example"
    assert the(ted_was_asked, "first").address == "ted@mosby.example"


def test_it_waits_for_the_window_on_the_persons_own_clock(desk: Desk):
    desk.campaign(reminder="24h", window={"from": "09:00", "to": "11:00"})
    desk.receive(
        desk.identify("ted", email="ted@mosby.example", timezone="Asia/Tokyo"),  # noon in UTC is nine in the evening
        desk.track("ted"),
    )
    desk.wait(12 * HOUR)
    desk.send()

    assert the(desk, "reminder").due_at == NOON + 36 * HOUR


def test_no_number_counts_a_reminder_as_an_invitation(ted_was_asked: Desk):
    desk = ted_was_asked
    waits = desk.store.read_now(partial(scheduled, campaign=desk.directory.campaigns[1]))
    desk.wait(3 * DAY)
    desk.send()
    answers(desk)

    found = desk.store.read_now(partial(funnel.read, workspace=ACME, campaigns=[1], first=None, last=None))
    assert (waits, found.invited, found.sent, found.reminded) == (0, 1, 1, 1)
    rate = desk.store.read_now(partial(answered, campaign=desk.directory.campaigns[1], since=None))
    assert (rate.n, rate.of) == (1, 1)
    states = partial(campaign_counts.in_states, workspace=ACME, campaign=1, states=list(State))
    assert desk.store.read_now(states) == {State.ANSWERED: 1}
    everybody = partial(asked.everybody, workspace=ACME, campaigns=[1], begins=0, ends=micros(NOON + 9 * DAY), sent=1)
    assert len(desk.store.read_now(everybody).asked) == 1

    kept = {row.name: row.n for row in desk.rows(tables.tallies) if row.n}
    desk.store.write_now(funnel.rebuild)
    assert kept == {row.name: row.n for row in desk.rows(tables.tallies) if row.n}


def test_a_cap_counts_invitations_alone(desk: Desk):
    desk.campaign(reminder="24h", quota=2, daily_cap=1)
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send()
    desk.wait(DAY)
    desk.send()
    assert touch(desk, "reminder") == ("made", NOON + DAY)

    desk.receive(desk.identify("lily", email="lily@aldrin.example"), desk.track("lily"))
    assert desk.decisions("lily") == [("invited", [])]


def test_a_reminder_that_fails_for_good_leaves_the_invitation_open(ted_was_asked: Desk):
    ted_was_asked.wait(3 * DAY)
    ted_was_asked.send(failing=DeliveryFailed("552 mailbox full", permanent=True))
    assert the(ted_was_asked, "reminder").state == "failed"

    answers(ted_was_asked)
    assert the(ted_was_asked, "first").state == "answered"
    assert the(ted_was_asked, "reminder").state == "failed"


def test_a_reminder_of_unknown_outcome_is_not_sent_again(ted_was_asked: Desk):
    ted_was_asked.wait(3 * DAY)
    ted_was_asked.send(failing=AMBIGUOUS)
    ted_was_asked.wait(timedelta(days=9))

    assert ted_was_asked.send() == []
    assert len(of_kind(ted_was_asked, "reminder")) == 1


def test_what_may_have_been_sent_before_a_backup_was_restored_is_not_planned(desk: Desk):
    desk.campaign(reminder="3d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    (delivery,) = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=1))
    restored = msgspec.structs.replace(delivery, state=State.UNKNOWN, sent_at=NOON)
    plan = partial(remind.plan, first=restored, directory=desk.directory)

    desk.store.write_now(partial(plan, now=NOON + 3 * DAY))
    assert of_kind(desk, "reminder") == []
    desk.store.write_now(partial(plan, now=NOON + 2 * DAY))
    assert the(desk, "reminder").due_at == NOON + 3 * DAY
