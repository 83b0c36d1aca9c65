"""The promise to the people we survey, rule by rule."""

from __future__ import annotations

import pytest

from heard.campaigns.campaign import Status
from heard.contacts.consent import Said
from heard.contacts.contact import Contact
from heard.contacts.standing import IN_PART, Kind
from heard.deliveries import sampling
from heard.deliveries.case import Case, Invited, Membership, Policy
from heard.deliveries.eligibility import (
    RULES,
    RULES_AT_SEND_TIME,
    RULES_FOR_REMINDERS,
    Decline,
    Invite,
    decide,
    objections_to,
)
from heard.deliveries.eligibility import reconsider as at_send_time
from heard.deliveries.in_words import day
from heard.deliveries.ledger import TouchKind, TouchState
from heard.deliveries.reasons import Objection, Reason
from tests.examples import DAY, HOUR, MARSHALL, MINUTE, NOON, a_campaign, a_case, a_touch, a_trigger


def reasons(case: Case) -> list[str]:
    answer = decide(case)
    return [objection.reason.value for objection in answer.objections] if isinstance(answer, Decline) else []


def until(case: Case, reason: Reason) -> object:
    answer = decide(case)
    assert isinstance(answer, Decline)
    return next(objection.until for objection in answer.objections if objection.reason == reason)


def test_whom_nobody_objects_to_is_invited_at_the_due_moment():
    assert decide(a_case(due=NOON + 3 * DAY)) == Invite(NOON + 3 * DAY)


def test_all_objections_are_told_not_only_the_first():
    case = a_case(
        campaign=a_campaign(status=Status.PAUSED, throttle=30 * DAY),
        standing=frozenset({Kind.UNSUBSCRIBED}),
        touches=[a_touch(at=NOON - HOUR)],
    )

    assert reasons(case) == ["campaign_not_running", "unsubscribed", "campaign_throttle", "asked_within_24h"]


@pytest.mark.parametrize("status", [Status.DRAFT, Status.PAUSED, Status.COMPLETE])
def test_a_campaign_that_does_not_run_asks_nobody(status: Status):
    assert reasons(a_case(campaign=a_campaign(status=status))) == ["campaign_not_running"]


def test_before_its_first_day_a_campaign_objects_until_that_day():
    case = a_case(campaign=a_campaign(starts=NOON + DAY))

    assert until(case, Reason.CAMPAIGN_NOT_RUNNING) == NOON + DAY


def test_after_its_last_day_a_campaign_asks_nobody():
    assert reasons(a_case(campaign=a_campaign(ends=NOON))) == ["campaign_not_running"]


def test_conditions_on_the_event_must_be_met():
    assert reasons(a_case(conditions_met=False)) == ["conditions_not_met"]


def test_an_event_of_last_year_never_mails_anybody():
    backfill = a_trigger(at=NOON - 365 * DAY, received_at=NOON)

    assert reasons(a_case(trigger=backfill)) == ["event_too_old"]


def test_an_event_exactly_as_old_as_allowed_counts():
    assert reasons(a_case(trigger=a_trigger(at=NOON - DAY, received_at=NOON))) == []
    assert reasons(a_case(trigger=a_trigger(at=NOON - DAY - MINUTE, received_at=NOON))) == ["event_too_old"]


def test_somebody_never_identified_is_never_asked():
    assert reasons(a_case(contact=None)) == ["not_identified"]


def test_without_an_address_there_is_no_mail():
    nowhere = Contact(id=2, workspace=1, user_id="lily", first_seen=NOON)

    assert reasons(a_case(contact=nowhere)) == ["no_address"]


@pytest.mark.parametrize("kind", sorted(set(Kind) - IN_PART))
def test_what_somebody_told_us_outranks_every_campaign(kind: Kind):
    assert reasons(a_case(standing=frozenset({kind}))) == [kind.value]


def test_where_consent_is_sent_it_must_be_given():
    policy = Policy(consent_categories=("Marketing",))

    assert reasons(a_case(policy=policy, trigger=a_trigger(consent={"Marketing": True}))) == []
    assert reasons(a_case(policy=policy, trigger=a_trigger(consent={"Marketing": False}))) == ["consent_denied"]
    assert reasons(a_case(policy=policy, trigger=a_trigger(consent={}))) == ["consent_denied"]
    assert reasons(a_case(policy=policy, trigger=a_trigger(consent=None))) == []


def test_a_refusal_on_record_counts_where_the_event_says_nothing_and_where_it_carries_an_older_yes():
    policy = Policy(consent_categories=("Marketing", "Research", "Sale"))
    record = {"Marketing": Said(yes=False, since=NOON - DAY), "Research": Said(yes=True, since=NOON)}
    said = {"Marketing": True, "Research": True, "Sale": False}
    denied = Objection(Reason.CONSENT_DENIED, detail=f"No consent to Marketing since {day(NOON - DAY)}.")

    assert decide(a_case(policy=policy, consent=record)) == Decline((denied,))
    assert at_send_time(a_case(policy=policy, consent=record, trigger=None)) == Decline((denied,))
    assert objections_to(a_case(policy=policy, consent=record, trigger=None), RULES_FOR_REMINDERS) == (denied,)
    (also,) = objections_to(a_case(policy=policy, consent=record, trigger=a_trigger(consent=said)), RULES)
    assert also.detail == f"No consent to Marketing since {day(NOON - DAY)}, Sale."


def test_what_was_never_spoken_of_is_not_enforced_and_a_yes_on_record_is_none_to_an_event_that_says_no():
    policy = Policy(consent_categories=("Marketing",))
    yes = {"Marketing": Said(yes=True, since=NOON)}

    assert reasons(a_case(policy=policy, consent={"Sale": Said(yes=False, since=NOON)})) == []
    assert reasons(a_case(policy=policy, consent=yes)) == []
    assert reasons(a_case(policy=policy, consent=yes, trigger=a_trigger(consent={}))) == ["consent_denied"]
    assert reasons(a_case(consent={"Marketing": Said(yes=False, since=NOON)})) == []  # surveys need none


def test_a_new_customer_is_asked_when_they_are_old_enough():
    case = a_case(campaign=a_campaign(older_than=101 * DAY))

    assert until(case, Reason.TOO_NEW) == NOON + DAY


def test_a_sample_is_sticky_and_fair():
    inside = [number for number in range(4000) if sampling.position(1, number) < 0.25]

    assert 900 < len(inside) < 1100
    assert inside == [number for number in range(4000) if sampling.position(1, number) < 0.25]
    assert inside != [number for number in range(4000) if sampling.position(2, number) < 0.25]


def test_who_is_not_in_the_sample_is_told_so():
    out = next(number for number in range(100) if sampling.position(1, number) >= 0.25)
    contact = Contact(id=out, workspace=1, user_id="x", email="x@y.example", first_seen=NOON)

    assert reasons(a_case(contact=contact, campaign=a_campaign(sample=0.25))) == ["sampled_out"]


def test_a_contact_asked_29_days_ago_is_left_alone_for_one_more_day():
    case = a_case(campaign=a_campaign(throttle=30 * DAY), touches=[a_touch(at=NOON - 29 * DAY)])

    assert reasons(case) == ["campaign_throttle"]
    assert until(case, Reason.CAMPAIGN_THROTTLE) == NOON + DAY


def test_a_contact_asked_exactly_30_days_ago_may_be_asked():
    assert reasons(a_case(campaign=a_campaign(throttle=30 * DAY), touches=[a_touch(at=NOON - 30 * DAY)])) == []


def test_a_survey_that_is_due_later_is_looked_at_as_well():
    soon = a_touch(at=NOON + 7 * DAY, state=TouchState.RESERVED)

    assert reasons(a_case(campaign=a_campaign(throttle=30 * DAY), touches=[soon])) == ["campaign_throttle"]


def test_a_released_touch_counts_for_nothing():
    cancelled = a_touch(at=NOON, state=TouchState.RELEASED)

    assert reasons(a_case(campaign=a_campaign(throttle=30 * DAY), touches=[cancelled])) == []


def test_another_campaign_does_not_throttle_this_one():
    other = a_touch(at=NOON - 2 * DAY, campaign=2)

    assert reasons(a_case(campaign=a_campaign(throttle=30 * DAY), touches=[other])) == []


def test_a_quiet_metric_is_quiet_over_all_campaigns():
    other = a_touch(at=NOON - 2 * DAY, campaign=2)

    assert reasons(a_case(metric_quiet_period=90 * DAY, touches=[other])) == ["metric_quiet_period"]


def test_another_metric_does_not_break_the_quiet_of_this_one():
    other = a_touch(at=NOON - 2 * DAY, campaign=2, metric="csat")

    assert reasons(a_case(metric_quiet_period=90 * DAY, touches=[other])) == []


def test_the_workspace_is_quiet_over_everything():
    other = a_touch(at=NOON - 2 * DAY, campaign=2, metric="csat", channel="widget")

    assert reasons(a_case(policy=Policy(quiet_period=30 * DAY), touches=[other])) == ["workspace_quiet_period"]


def test_whoever_asked_for_it_gets_at_most_one_survey_in_180_days():
    other = a_touch(at=NOON - 179 * DAY, campaign=2, metric="csat", channel="widget")
    (objection,) = objections_to(a_case(less_often=True, touches=[other]), RULES)

    assert (objection.reason, objection.until) == (Reason.WORKSPACE_QUIET_PERIOD, NOON + DAY)
    assert objection.detail.startswith("They asked to be asked less often. Asked by any survey on")
    assert objection.by_wish
    assert reasons(a_case(less_often=True, touches=[a_touch(at=NOON - 180 * DAY, campaign=2)])) == []
    assert reasons(a_case(less_often=True)) == []


@pytest.mark.parametrize(("quiet", "period", "by_wish"), [(30, 180, True), (200, 200, False), (None, 180, True)])
def test_of_their_wish_and_the_workspaces_rule_the_longer_holds(quiet: int | None, period: int, by_wish: bool):
    policy = Policy(quiet_period=None if quiet is None else quiet * DAY)
    other = a_touch(at=NOON - 20 * DAY, campaign=2)
    (objection,) = objections_to(a_case(less_often=True, policy=policy, touches=[other]), RULES)

    assert (objection.period, objection.by_wish) == (period * DAY, by_wish)


def test_a_survey_that_they_want_no_more_is_not_sent_and_named():
    (objection,) = objections_to(a_case(unwanted_survey="Relationship NPS"), RULES)

    assert objection == Objection(Reason.UNSUBSCRIBED, detail="They asked not to get Relationship NPS again.")
    assert reasons(a_case(unwanted_survey="NPS", standing=frozenset({Kind.UNSUBSCRIBED}))) == ["unsubscribed"]


def test_24_hours_lie_between_any_two_touches_reminders_included():
    reminder = a_touch(at=NOON - 23 * HOUR, campaign=2, metric="csat", kind=TouchKind.REMINDER)

    assert reasons(a_case(touches=[reminder])) == ["asked_within_24h"]
    assert until(a_case(touches=[reminder]), Reason.ASKED_WITHIN_24H) == NOON + HOUR


def test_a_reminder_counts_for_nothing_but_the_24_hours():
    reminder = a_touch(at=NOON - 2 * DAY, kind=TouchKind.REMINDER)
    campaign = a_campaign(throttle=90 * DAY)

    assert reasons(a_case(campaign=campaign, metric_quiet_period=90 * DAY, touches=[reminder])) == []


def test_one_trigger_leads_to_one_invitation():
    assert reasons(a_case(already_invited=True)) == ["already_invited"]


def test_a_full_day_objects_until_the_first_day_with_room():
    invited = Invited(total=20, by_day={NOON.date(): 10, (NOON + DAY).date(): 10})
    case = a_case(campaign=a_campaign(daily_cap=10), invited=invited)

    assert until(case, Reason.CAMPAIGN_DAILY_CAP) == NOON.replace(hour=0) + 2 * DAY


def test_a_used_quota_is_used():
    assert reasons(a_case(campaign=a_campaign(quota=20), invited=Invited(total=20))) == ["quota_reached"]
    assert reasons(a_case(campaign=a_campaign(quota=20), invited=Invited(total=19))) == []


def test_when_sending_the_event_is_not_judged_again():
    assert at_send_time(a_case(trigger=None, due=NOON + 7 * DAY)) == Invite(NOON + 7 * DAY)


def test_when_sending_whoever_unsubscribed_meanwhile_is_left_alone():
    answer = at_send_time(a_case(standing=frozenset({Kind.UNSUBSCRIBED})))

    assert isinstance(answer, Decline)


def test_what_would_be_decided_now_needs_no_event():
    assert decide(a_case(trigger=None)) == Invite(NOON)


def test_every_rule_is_one_sentence_and_gives_its_evidence():
    for rule in {*RULES, *RULES_AT_SEND_TIME, *RULES_FOR_REMINDERS}:
        assert rule.__doc__, rule
    everything_wrong = a_case(
        campaign=a_campaign(
            status=Status.DRAFT, throttle=DAY, older_than=900 * DAY, sample=0.0001, quota=1, daily_cap=1
        ),
        policy=Policy(quiet_period=DAY, consent_categories=("Any",)),
        standing=frozenset(Kind),
        conditions_met=False,
        trigger=a_trigger(at=NOON - 9 * DAY, received_at=NOON, consent={}),
        touches=[a_touch(at=NOON)],
        metric_quiet_period=DAY,
        membership=Membership.OUT,
        already_invited=True,
        invited=Invited(total=1, by_day={NOON.date(): 1}),
    )
    answer = decide(everything_wrong)
    assert isinstance(answer, Decline)
    assert len(answer.objections) == len(RULES) - 2  # all but: not identified, no address
    assert all(objection.detail for objection in answer.objections)


def test_the_cast_is_who_it_says():
    assert MARSHALL.email_key == "marshall@eriksen.example"
