"""What a contact's page draws and tells, without a server: the axis of waits, and the story in its order."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from heard.deliveries.decision import Decision, Outcome, revised
from heard.deliveries.delivery import State
from heard.deliveries.ledger import Postponed, TouchKind, Why
from heard.deliveries.reasons import Objection, Reason
from heard.responses.clicks import Link
from heard.responses.response import Answer, Response, Verdict
from heard.store.directory import Directory
from heard.store.messages import Kept
from heard.store.story import AnswerRevision, Opened, Story
from heard.surveys.survey import Survey
from heard.web.dashboard.contacts import timeline
from heard.web.dashboard.contacts.axis import Span, axis_of, bar, labels
from heard.web.dashboard.contacts.moment import PAGE, Moment, micros, paged
from tests.examples import DAY, HOUR, MINUTE, NOON, a_campaign, a_delivery

SEPTEMBER, DECEMBER = NOON - 70 * DAY, NOON + 20 * DAY
SECOND = MINUTE / 60


def rects(drawn: str) -> dict[str, tuple[float, float]]:
    """By class: where it begins and how wide it is, in percent."""
    found = re.findall(r'<rect class="([\w-]+)" x="([\d.]+)%" width="([\d.]+)%"', drawn)
    return {name: (float(x), float(width)) for name, x, width in found}


def line(drawn: str, name: str) -> tuple[float, float]:
    found = re.search(rf'<line class="{name}" x1="([\d.]+)%" x2="([\d.]+)%"', drawn)
    assert found
    return float(found[1]), float(found[2])


def test_a_wait_is_grey_until_today_and_amber_after_it():
    span = Span(SEPTEMBER, DECEMBER)
    drawn = bar(axis_of([span], NOON), span)
    gone, left = rects(drawn)["l-gone"], rects(drawn)["l-left"]
    (today, _) = line(drawn, "l-now")

    assert round(gone[0] + gone[1], 1) == left[0] == today
    assert round(gone[1] / left[1], 1) == 3.5  # 70 days to 20
    assert left[0] + left[1] < 100


def test_waits_of_one_decision_share_the_axis():
    long, short = Span(SEPTEMBER, DECEMBER), Span(NOON - 20 * DAY, NOON + 10 * DAY)
    axis = axis_of([long, short], NOON)

    assert line(bar(axis, long), "l-now") == line(bar(axis, short), "l-now")
    assert rects(bar(axis, short))["l-gone"][0] > rects(bar(axis, long))["l-gone"][0]


def test_a_wait_that_is_over_is_grey_alone():
    span = Span(SEPTEMBER, NOON - DAY)
    drawn = bar(axis_of([span], NOON), span)

    assert set(rects(drawn)) == {"l-gone"}
    assert sum(rects(drawn)["l-gone"]) < line(drawn, "l-now")[0]


def test_a_wait_without_an_end_is_dashed_to_the_edge_and_today_is_not_the_edge():
    span = Span(SEPTEMBER, None)
    drawn = bar(axis_of([span], NOON), span)

    assert rects(drawn) == {}
    assert line(drawn, "l-never")[1] == 100
    assert line(drawn, "l-now")[0] < 80


def test_a_decision_of_this_very_moment_can_be_drawn():
    span = Span(NOON, None)

    assert line(bar(axis_of([span], NOON), span), "l-now")[0] == 50


def test_the_labels_leave_room_for_today():
    assert re.findall(r">([^<]+)</text>", labels(axis_of([Span(SEPTEMBER, DECEMBER)], NOON))) == [
        "8 Sep",
        "today",
        "17 Dec",
    ]
    assert re.findall(r">([^<]+)</text>", labels(axis_of([Span(NOON, DECEMBER)], NOON))) == ["today", "13 Dec"]
    assert re.findall(r">([^<]+)</text>", labels(axis_of([Span(NOON - HOUR, NOON + HOUR)], NOON))) == [
        "10:52",
        "today",
        "13:07",
    ]


# ---------------------------------------------------------------- the story

DIRECTORY = Directory(
    workspaces={},
    sources={},
    surveys={1: Survey(id=1, workspace=1, name="Relationship NPS", kind="nps")},
    campaigns={1: a_campaign()},
    intakes={},
    triggered={},
)
HELD = Decision(
    id=1,
    workspace=1,
    campaign=1,
    trigger="1:m1",
    message_id="m1",
    event="Order Completed",
    event_at=NOON,
    user_id="marshall",
    contact=1,
    at=NOON,
    outcome=Outcome.HELD,
    objections=(Objection(Reason.NOT_IDENTIFIED),),
)


def a_story(**changes: Any) -> Story:
    smallest = Story(decisions=[], deliveries=[], clicks=[], responses=[], revisions=[], wishes=[])
    return msgspec.structs.replace(smallest, **changes)


def told(story: Story) -> list[Moment]:
    return sorted(timeline.asked(story, DIRECTORY), key=lambda each: each.at)


@pytest.mark.parametrize(
    ("kind", "why", "note"),
    [
        ("first", Why.RULES, "Until 30 Nov, 09:00: its campaign does not send at that hour"),
        (
            "reminder",
            Why.RULES,
            "Until 30 Nov, 09:00: its campaign does not send at that hour, or another mail was too near",
        ),
        ("first", Why.RATE, "Until 30 Nov, 09:00: no more mails were to go out then"),
        (
            "first",
            Why.CAP,
            "Until 30 Nov, 09:00: its campaign had asked as many that day as its daily cap allows",
        ),
        ("first", Why.FAILED, "Until 30 Nov, 09:00: the mail server did not take it"),
        ("first", Why.RESUMED, "Until 30 Nov, 09:00: its campaign went on after a pause"),
        ("reminder", Why.ASKED_AGAIN, "Until 30 Nov, 09:00: what it reminds of had just gone out once more"),
    ],
)
def test_a_mail_that_was_put_off_says_until_when_and_why(kind: str, why: Why, note: str):
    until = datetime(2026, 11, 30, 9, tzinfo=UTC)
    postponed = Postponed(at=NOON, was=NOON - HOUR, until=until, why=why)
    waiting = a_delivery(state=State.SCHEDULED, due_at=until, kind=TouchKind(kind))

    put_off, planned = told(a_story(deliveries=[waiting], postponed={waiting.id: [postponed]}))

    mail = "Mail" if kind == "first" else "Reminder"
    assert (put_off.bold, put_off.at, put_off.note) == (f"{mail} put off", NOON, note)
    assert (planned.bold, planned.at) == (f"{mail} planned", until)


def answered(value: int, at: Any) -> AnswerRevision:
    return AnswerRevision(response=1, at=at, answers=(Answer(question_id="score", value=value),), verdict=Verdict.HUMAN)


RESPONSE = Response(
    id=1,
    workspace=1,
    delivery="0" * 32,
    survey=1,
    campaign=1,
    contact=1,
    user_id="marshall",
    channel="email",
    metric="nps",
    value=10,
    category="promoter",
    comment=None,
    answers=(),
    traits=b"{}",
    properties=b"{}",
    answered_at=NOON + HOUR,
    updated_at=NOON + 2 * HOUR,
    verdict=Verdict.HUMAN,
)


def test_a_track_that_waited_for_its_identify_is_one_line():
    invited = revised(HELD, at=NOON + 40 * SECOND, cause="identified", outcome=Outcome.INVITED, objections=())
    (moment,) = told(a_story(decisions=[invited]))

    assert (moment.bold, moment.at, moment.sign) == ("Invited", NOON + 40 * SECOND, "check")
    assert moment.note == "Held for 40 s, until the identify arrived"


def test_a_track_that_nobody_identified_says_so():
    declined = revised(HELD, at=NOON + 10 * MINUTE, cause="not identified in time", outcome=Outcome.DECLINED)
    (moment,) = told(a_story(decisions=[declined]))

    assert moment.bold == "Declined"
    assert moment.note == "not identified · Held for 10 minutes, then not identified in time"


def test_a_change_of_mind_is_a_line_of_its_own():
    first = msgspec.structs.replace(HELD, outcome=Outcome.INVITED, objections=())
    gone = Objection(Reason.UNSUBSCRIBED)
    changed = revised(first, at=NOON + DAY, cause="at sending", outcome=Outcome.DECLINED, objections=(gone,))

    assert [(each.bold, each.at, each.note) for each in told(a_story(decisions=[changed]))] == [
        ("Invited", NOON, "No objection"),
        ("Declined", NOON + DAY, "unsubscribed · At sending"),
    ]


def test_an_open_link_is_not_an_answer_until_a_form_follows():
    click = Opened(delivery="0" * 32, at=NOON, method="GET", link=Link.SCORE, value=9)
    sent = a_delivery(state=State.SENT, sent_at=NOON - HOUR)

    mail, opened = told(a_story(deliveries=[sent], clicks=[click]))
    assert (mail.bold, opened.bold, opened.rest) == ("Mail sent", "Link opened", ", not counted yet")

    after = a_story(deliveries=[sent], clicks=[click], responses=[RESPONSE], revisions=[answered(10, NOON + HOUR)])
    _, opened, answer = told(after)
    assert opened.rest == ""
    assert opened.note == "Score 9 preselected · 10 was answered · Post-purchase"
    assert answer.score == (10, "promoter", 10)


REMINDER = a_delivery(id="f" * 32, kind=TouchKind.REMINDER, due_at=NOON + 3 * DAY)


def test_a_reminder_is_told_as_one():
    (planned,) = told(a_story(deliveries=[REMINDER]))
    sent = msgspec.structs.replace(REMINDER, state=State.SENT, sent_at=NOON + 3 * DAY)

    assert (planned.bold, planned.at) == ("Reminder planned", NOON + 3 * DAY)
    assert [each.bold for each in told(a_story(deliveries=[sent]))] == ["Reminder sent"]


def test_a_reminder_that_was_taken_back_says_why_at_the_moment_it_was():
    first = a_delivery(state=State.ANSWERED, sent_at=NOON)
    answered_before = msgspec.structs.replace(REMINDER, state=State.CANCELLED, error="Not sent: already_answered.")
    moments = told(a_story(deliveries=[first, answered_before], responses=[RESPONSE]))
    assert [(each.bold, each.at, each.note) for each in moments if each.sign == "no"] == [
        ("No reminder", NOON + HOUR, "Already answered")
    ]

    late = msgspec.structs.replace(answered_before, error="Not sent: the campaign does not remind any more.")
    assert [(each.at, each.note) for each in told(a_story(deliveries=[late]))] == [
        (NOON + 3 * DAY, "The campaign does not remind any more")
    ]


def test_an_answer_that_was_changed_keeps_both_scores():
    first, second = told(
        a_story(responses=[RESPONSE], revisions=[answered(10, NOON + 2 * HOUR), answered(6, NOON + HOUR)])
    )

    assert (first.score, first.rest) == ((6, "detractor", 10), " by e-mail")
    assert (second.score, second.rest) == ((10, "promoter", 10), " changed from 6")


def test_an_identify_says_what_it_changed():
    def identify(number: int, body: bytes) -> Kept:
        at = NOON + number * DAY
        return Kept(
            id=number,
            source=1,
            message_id=f"m{number}",
            type="identify",
            event=None,
            user_id="marshall",
            anonymous_id=None,
            at=at,
            received_at=at,
            verdict="accepted",
            reason=None,
            body=body,
        )

    first, second = timeline.said(
        [identify(2, b'{"traits":{"plan":"Business","seats":12}}'), identify(1, b'{"traits":{"plan":"Team"}}')],
        DIRECTORY,
    )
    assert (first.rest, first.note) == ("", "plan Team")
    assert (second.rest, second.note) == (" changed plan from Team to Business", "seats 12")


def test_a_page_ends_between_two_instants_and_the_next_begins_there():
    moments = [Moment(at=NOON - (number // 2) * HOUR, sign="mail", bold=str(number)) for number in range(2 * PAGE)]
    first = paged(moments, before=None, more=False)
    shown = [each for _, some in first.days for each in some]
    assert first.older is not None
    assert first.older == micros(shown[-1].at)

    rest = paged(moments, before=shown[-1].at, more=False)
    left = [each for _, some in rest.days for each in some]
    assert sorted(int(each.bold) for each in shown + left) == list(range(2 * PAGE))
    assert rest.older is None


def test_a_machine_before_a_person_is_a_line_of_its_own_and_no_change_of_their_answer():
    version = answered(3, NOON - HOUR)
    machine = msgspec.structs.replace(version, verdict=Verdict.BOT)
    provisional = msgspec.structs.replace(machine, at=NOON - 2 * HOUR, verdict=Verdict.PROVISIONAL)
    story = a_story(responses=[RESPONSE], revisions=[answered(10, NOON), machine, provisional])
    lines = [(each.at, each.rest, each.badge and each.badge[0]) for each in told(story)]

    assert lines == [(NOON - HOUR, " by e-mail", "Machine"), (NOON, " by e-mail", None)]


def test_what_a_member_said_names_the_member():
    by_hand = msgspec.structs.replace(answered(10, NOON + HOUR), verdict=Verdict.BOT, by="robin@acme.example")
    (_, line) = told(a_story(responses=[RESPONSE], revisions=[answered(10, NOON), by_hand]))

    assert line.note == "robin@acme.example said that it was a machine"
    assert line.response == RESPONSE.id


def test_links_without_a_score_are_named():
    sent = a_delivery(state=State.SENT, sent_at=NOON - HOUR)
    links = [Opened(delivery="0" * 32, at=NOON, method="GET", link=link) for link in (Link.HIDDEN, Link.LEAVE)]
    _, hidden, leave = told(a_story(deliveries=[sent], clicks=links))

    assert (hidden.rest, hidden.note) == (", by a machine", "The hidden link, which no person sees · Post-purchase")
    assert (leave.rest, leave.note) == ("", "The link to stop surveys · Post-purchase")
