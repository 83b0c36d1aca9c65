"""Why somebody was not asked, in the words of the page and the terminal."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from heard.campaigns.campaign import Status
from heard.contacts.standing import Kind
from heard.deliveries.case import Case, Invited, Policy
from heard.deliveries.eligibility import RULES, Decline, decide, objections_to
from heard.deliveries.in_words import (
    KEPT,
    WORDS,
    Names,
    Place,
    Words,
    had_no_objection,
    in_words,
    summed_up,
    why_not_sent,
)
from heard.deliveries.reasons import Objection, Reason
from tests.examples import DAY, HOUR, MARSHALL, NOON, a_campaign, a_case, a_touch, a_trigger

NAMES = Names(
    workspace="Acme", campaign="Post-purchase", metric="nps", campaigns={1: "Post-purchase", 2: "Support"}, who="Mara"
)
NOBODY = msgspec.structs.replace(NAMES, who=None)
SEPTEMBER = NOON - 70 * DAY


def said(case: Case, names: Names = NAMES) -> Words:
    """The words of the one objection that this case meets."""
    answer = decide(case)
    assert isinstance(answer, Decline)
    return in_words(answer.objections[0], names, at=NOON)


def test_every_reason_has_words():
    assert set(WORDS) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("names", [NAMES, NOBODY], ids=["named", "unnamed"])
def test_words_are_a_heading_and_no_placeholder_is_left(reason: Reason, names: Names):
    words = in_words(Objection(reason, detail="Evidence."), names, at=NOON)

    assert words.title[0].isupper()
    assert not words.title.endswith(".")
    assert "{" not in words.title + words.text
    assert words.text == "Evidence."


def test_a_throttle_says_the_period_and_the_last_ask():
    words = said(a_case(campaign=a_campaign(throttle=90 * DAY), touches=[a_touch(at=SEPTEMBER)]))

    assert words.title == "This campaign asked Mara 70 days before"
    assert (
        words.text == "Post-purchase waits 90 days between two questions to one person. It last asked on 13 Sep 2026."
    )
    assert words.place == Place.CAMPAIGN


def test_an_ask_that_is_still_to_come_is_said_so():
    words = said(a_case(campaign=a_campaign(throttle=90 * DAY), touches=[a_touch(at=NOON + 3 * DAY)]))

    assert words.title == "This campaign asks Mara 3 days later"
    assert words.text.endswith("It asks next on 25 Nov 2026.")


def test_a_metric_names_the_campaign_that_asked():
    words = said(a_case(metric_quiet_period=90 * DAY, touches=[a_touch(at=SEPTEMBER, campaign=2)]))

    assert words.title == "An NPS question asked Mara 70 days before"
    assert words.text == "NPS questions keep 90 days apart, over all campaigns. Support asked on 13 Sep 2026."


def test_the_workspace_is_named_for_its_quiet_period():
    case = a_case(policy=Policy(quiet_period=30 * DAY), touches=[a_touch(at=NOON - 20 * DAY, campaign=2, metric="ces")])
    words = said(case, NOBODY)

    assert words.title == "A survey asked them 20 days before"
    assert words.text == ("Acme keeps 30 days between any two surveys, over all channels. Support asked on 2 Nov 2026.")
    assert words.place == Place.WORKSPACE


def test_a_period_that_they_asked_for_is_theirs_and_no_setting_of_the_workspace():
    case = a_case(less_often=True, touches=[a_touch(at=NOON - 20 * DAY, campaign=2, metric="ces")])

    assert said(case).title == "Mara asked to be asked less often"
    assert said(case).text == "Mara asked for at most one survey in 180 days. Support asked on 2 Nov 2026."
    assert said(case, NOBODY).title == "They asked to be asked less often"
    assert said(case).place is None


def test_the_floor_cannot_be_turned_off():
    words = said(a_case(touches=[a_touch(at=NOON - 3 * HOUR, campaign=2)]))

    assert words.title == "A survey or reminder asked Mara 3 hours before"
    assert words.mend == "Wait: no setting turns this off."


def test_too_new_says_since_when():
    words = said(a_case(campaign=a_campaign(older_than=120 * DAY)))

    assert words.title == "Known for 100 days only"
    assert words.text == "Post-purchase asks people who are known for 120 days. Mara is known since 14 Aug 2026."


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"campaign": a_campaign(status=Status.PAUSED)}, "Post-purchase was not running"),
        (
            {"campaign": a_campaign(where="properties.total > 20"), "conditions_met": False},
            "The event did not meet the campaign’s condition",
        ),
        ({"trigger": a_trigger(at=NOON - 3 * DAY, received_at=NOON)}, "The event was too old when it was received"),
        ({"contact": None}, "Nobody had said who this is"),
        ({"contact": msgspec.structs.replace(MARSHALL, email=None)}, "Mara has no e-mail address"),
        ({"standing": frozenset({Kind.UNSUBSCRIBED})}, "Mara unsubscribed"),
        ({"standing": frozenset({Kind.BOUNCED})}, "The mailbox does not take mail"),
        ({"standing": frozenset({Kind.COMPLAINED})}, "Mara reported a mail as spam"),
        ({"campaign": a_campaign(sample=0.0)}, "Not in the campaign’s sample"),
        ({"campaign": a_campaign(quota=5), "invited": Invited(total=5)}, "The campaign’s quota is used up"),
        ({"campaign": a_campaign(daily_cap=5), "invited": Invited(by_day={NOON.date(): 5})}, "The day was full"),
        ({"already_invited": True}, "Invited for this event already"),
    ],
)
def test_a_rule_that_objects_says_what_stood_in_the_way(changes: dict[str, Any], title: str):
    assert said(a_case(**changes)).title == title


def test_the_other_rules_are_listed_in_their_order():
    assert len(KEPT) == len(RULES)
    assert had_no_objection([]) == list(KEPT.values())

    objected = objections_to(a_case(campaign=a_campaign(throttle=90 * DAY), touches=[a_touch(at=SEPTEMBER)]), RULES)
    assert len(had_no_objection(objected)) == len(RULES) - 1


def test_of_somebody_unknown_nothing_is_claimed():
    left = had_no_objection([Objection(Reason.NOT_IDENTIFIED)])

    assert "Has an e-mail address" not in left
    assert "The campaign was running" in left


def test_a_summary_counts_and_knows_the_last_lapse():
    throttle = Objection(Reason.CAMPAIGN_THROTTLE, NOON + 20 * DAY)
    quiet = Objection(Reason.WORKSPACE_QUIET_PERIOD, NOON + 8 * DAY)

    summary = summed_up([throttle, quiet])
    assert (summary.said, summary.last, summary.never) == ("Two rules objected.", NOON + 20 * DAY, 0)
    assert summary.has_lapsed(NOON + 21 * DAY)

    never = summed_up([throttle, Objection(Reason.UNSUBSCRIBED)])
    assert (never.last, never.never) == (None, 1)
    assert not never.has_lapsed(NOON + 99 * DAY)


def test_why_a_mail_was_not_sent_reads_as_words():
    assert why_not_sent("Not sent: already_answered, asked_within_24h.") == "Already answered, asked within 24 hours"
    assert why_not_sent("Not sent: the survey has closed.") == "The survey has closed"
