"""A tap is provisional, a machine's is a bot's, and only a person makes an answer of either; on both engines."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from heard.errors import Invalid, NotFound
from heard.responses.clicks import Link
from heard.responses.response import Response, Verdict
from heard.steps import settle
from heard.store import funnel, responses, tables
from heard.store.story import clicks_of
from tests.contracts.desk import ACME, Desk
from tests.contracts.test_funnel import is_what_the_rows_say, of
from tests.examples import DAY, HOUR, MINUTE

SECOND = timedelta(seconds=1)


@pytest.fixture
def asked(desk: Desk) -> str:
    """Ted was mailed an hour ago: the delivery's id."""
    desk.campaign(reminder="3d")
    desk.receive(desk.identify("ted", email="ted@mosby.example", plan="Free"), desk.track("ted"))
    (sent,) = desk.send()
    desk.wait(HOUR)
    return sent.id


def policy(desk: Desk, name: str) -> None:
    change = tables.workspaces.update().values(unconfirmed_clicks=name)
    desk.store.write_now(lambda connection: connection.execute(change))


def response(desk: Desk, delivery: str) -> Response | None:
    return desk.store.read_now(partial(responses.of_delivery, workspace=ACME, delivery=delivery))


def verdict(desk: Desk, delivery: str) -> tuple[str, int | None] | None:
    found = response(desk, delivery)
    return (found.verdict.value, found.value) if found else None


def settled(desk: Desk) -> int:
    return desk.store.write_now(partial(settle.settle, directory=desk.directory, now=desk.now))


def by_hand(desk: Desk, number: int, wanted: Verdict) -> Response | None:
    said = {"by": "robin@acme.example", "directory": desk.directory, "now": desk.now}
    return desk.store.write_now(partial(settle.by_hand, workspace=ACME, response=number, verdict=wanted, **said))


def states(desk: Desk) -> dict[str, str]:
    return {row.kind: row.state for row in desk.rows(tables.deliveries)}


def test_a_tap_is_provisional_and_changes_nothing_else(desk: Desk, asked: str):
    desk.click(asked, 9)

    assert verdict(desk, asked) == ("provisional", 9)
    assert states(desk) == {"first": "sent", "reminder": "scheduled"}
    assert of(desk).clicked == 1


def test_the_form_makes_it_an_answer_of_that_moment_with_the_traits_of_then(desk: Desk, asked: str):
    desk.click(asked, 9)
    desk.receive(desk.identify("ted", plan="Premium"))
    desk.wait(HOUR)
    desk.answer(asked, 7, "Well")

    found = response(desk, asked)
    assert found is not None
    assert (found.verdict, found.value, found.comment, found.confirmed) == (Verdict.HUMAN, 7, "Well", True)
    assert found.answered_at == desk.now
    assert b"Premium" in found.traits
    assert states(desk) == {"first": "answered", "reminder": "cancelled"}


def test_another_number_later_is_the_one_that_is_known(desk: Desk, asked: str):
    desk.click(asked, 9)
    desk.wait(MINUTE)
    desk.click(asked, 3)

    assert verdict(desk, asked) == ("provisional", 3)


def test_what_is_tapped_after_an_answer_is_kept_and_changes_nothing(desk: Desk, asked: str):
    desk.answer(asked, 9)
    for value in range(11):
        desk.click(asked, value, agent="curl/8.0")

    assert verdict(desk, asked) == ("human", 9)
    assert len(desk.rows(tables.clicks)) == 11


def test_a_scanner_becomes_a_bot_and_is_counted_as_no_click(desk: Desk, asked: str):
    for value in range(11):
        desk.click(asked, value)
        desk.wait(SECOND / 4)

    found = response(desk, asked)
    assert found is not None
    assert found.verdict is Verdict.BOT
    assert [each.rule for each in found.evidence] == ["several_scores_at_once"]
    assert of(desk).clicked == 0
    is_what_the_rows_say(desk)


def test_a_person_who_comes_after_a_scanner_is_a_person(desk: Desk, asked: str):
    for value in range(11):
        desk.click(asked, value)
    desk.wait(HOUR)
    desk.click(asked, 8)
    assert verdict(desk, asked) == ("bot", 0)
    desk.answer(asked, 8)

    assert verdict(desk, asked) == ("human", 8)
    assert of(desk).clicked == 1
    is_what_the_rows_say(desk)


def test_the_hidden_link_opened_later_makes_a_bot_of_a_tap(desk: Desk, asked: str):
    desk.click(asked, 9)
    desk.wait(MINUTE)
    desk.click(asked, link=Link.HIDDEN)

    assert verdict(desk, asked) == ("bot", 9)
    is_what_the_rows_say(desk)


def test_a_page_that_was_opened_before_a_machine_came_is_counted_no_more(desk: Desk, asked: str):
    desk.click(asked, link=Link.SURVEY)
    assert of(desk).clicked == 1
    desk.wait(MINUTE)
    desk.click(asked, 3, agent="curl/8.0")

    assert verdict(desk, asked) == ("bot", 3)
    assert of(desk).clicked == 0
    is_what_the_rows_say(desk)


def test_a_machine_from_the_first_link_on_is_never_counted(desk: Desk, asked: str):
    desk.click(asked, 3, agent="curl/8.0")

    assert of(desk).clicked == 0
    is_what_the_rows_say(desk)
    desk.answer(asked, 3)
    assert of(desk).clicked == 1
    is_what_the_rows_say(desk)


def test_links_without_a_score_and_looks_leave_no_answer(desk: Desk, asked: str):
    for link in (Link.HIDDEN, Link.LEAVE, Link.SURVEY):
        desk.click(asked, link=link)
    desk.click(asked, 9, method="HEAD")

    assert response(desk, asked) is None
    kept = desk.store.read_now(partial(clicks_of, workspace=ACME, ids=[asked]))
    assert [(each.link.value, each.method, each.value) for each in reversed(kept)] == [
        ("hidden", "GET", None),
        ("leave", "GET", None),
        ("survey", "GET", None),
        ("score", "HEAD", 9),
    ]
    is_what_the_rows_say(desk)


def test_a_scanner_of_the_reminder_is_told_by_when_that_was_handed_over(desk: Desk, asked: str):
    desk.wait(4 * DAY)
    desk.send()
    desk.wait(2 * SECOND)
    desk.click(asked, 9)

    assert verdict(desk, asked) == ("bot", 9)


def test_a_flood_of_clicks_is_kept_up_to_a_limit(desk: Desk, asked: str):
    for _ in range(205):
        desk.click(asked, 9)

    assert len(desk.rows(tables.clicks)) == 200


# ── what was never sent ──


def test_strict_never_counts_it(desk: Desk, asked: str):
    desk.click(asked, 9)
    desk.wait(29 * DAY)

    assert desk.store.read_now(responses.next_to_settle) is None
    assert settled(desk) == 0
    assert verdict(desk, asked) == ("provisional", 9)


@pytest.mark.parametrize(("name", "wait"), [("balanced", DAY), ("lenient", HOUR)])
def test_a_clean_tap_counts_after_a_while(desk: Desk, asked: str, name: str, wait: timedelta):
    policy(desk, name)
    desk.click(asked, 9)
    assert desk.store.read_now(responses.next_to_settle) == desk.now + wait
    desk.wait(wait - SECOND)
    assert settled(desk) == 0
    desk.wait(SECOND)
    assert settled(desk) == 1

    found = response(desk, asked)
    assert found is not None
    assert (found.verdict, found.value, found.confirmed) == (Verdict.HUMAN, 9, False)
    assert found.answered_at == desk.now - wait
    assert "Nobody sent the form" in found.evidence[0].said
    assert states(desk) == {"first": "answered", "reminder": "cancelled"}
    assert desk.store.read_now(responses.next_to_settle) is None


def test_what_the_rules_object_to_does_not_count(desk: Desk, asked: str):
    policy(desk, "lenient")
    desk.click(asked, 9)
    desk.wait(MINUTE)
    desk.click(asked, link=Link.HIDDEN)
    desk.wait(DAY)

    assert settled(desk) == 0
    assert verdict(desk, asked) == ("bot", 9)
    assert states(desk) == {"first": "sent", "reminder": "scheduled"}


def test_who_turns_strict_meanwhile_counts_nothing(desk: Desk, asked: str):
    policy(desk, "lenient")
    desk.click(asked, 9)
    policy(desk, "strict")
    desk.wait(DAY)

    assert settled(desk) == 1
    assert verdict(desk, asked) == ("provisional", 9)
    assert desk.store.read_now(responses.next_to_settle) is None


def test_the_form_changes_what_had_come_to_count(desk: Desk, asked: str):
    policy(desk, "lenient")
    desk.click(asked, 9)
    tapped_at = desk.now
    desk.wait(HOUR)
    settled(desk)
    desk.wait(HOUR)
    desk.answer(asked, 4, "Late")

    found = response(desk, asked)
    assert found is not None
    assert (found.verdict, found.value, found.confirmed, found.evidence) == (Verdict.HUMAN, 4, True, ())
    assert found.answered_at == tapped_at


# ── by hand ──


def test_a_member_may_say_who_it_was_and_take_it_back(desk: Desk, asked: str):
    desk.click(asked, 9)
    found = response(desk, asked)
    assert found is not None
    desk.wait(MINUTE)

    assert by_hand(desk, found.id, Verdict.HUMAN) is not None
    assert verdict(desk, asked) == ("human", 9)
    assert states(desk)["first"] == "answered"
    assert by_hand(desk, found.id, Verdict.HUMAN) is None
    desk.wait(MINUTE)
    by_hand(desk, found.id, Verdict.BOT)

    assert verdict(desk, asked) == ("bot", 9)
    by = [(row.verdict, row.by) for row in sorted(desk.rows(tables.response_revisions), key=lambda row: row.at)]
    assert by == [("provisional", None), ("human", "robin@acme.example"), ("bot", "robin@acme.example")]


def test_scores_are_worked_out_anew(desk: Desk, asked: str):
    desk.answer(asked, 9)
    before = desk.rows(tables.responses)[0].revision
    desk.wait(MINUTE)
    by_hand(desk, desk.rows(tables.responses)[0].id, Verdict.BOT)

    assert desk.rows(tables.responses)[0].revision > before
    assert of(desk).clicked == 0
    is_what_the_rows_say(desk)


def test_what_a_member_said_is_not_overruled_by_more_clicks(desk: Desk, asked: str):
    desk.click(asked, 9)
    found = response(desk, asked)
    assert found is not None
    desk.wait(MINUTE)
    by_hand(desk, found.id, Verdict.HUMAN)
    desk.click(asked, link=Link.HIDDEN)
    desk.click(asked, 1, agent="curl/8.0")

    assert verdict(desk, asked) == ("human", 9)


def test_only_human_and_bot_are_given_by_hand_and_only_at_home(desk: Desk, asked: str):
    desk.click(asked, 9)
    found = response(desk, asked)
    assert found is not None
    with pytest.raises(Invalid) as refused:
        by_hand(desk, found.id, Verdict.TEST)
    assert refused.value.field == "verdict"
    with pytest.raises(NotFound):
        by_hand(desk, found.id + 1, Verdict.BOT)


def test_the_funnel_counts_nobody_twice(desk: Desk, asked: str):
    desk.click(asked, 9)
    desk.wait(MINUTE)
    desk.click(asked, link=Link.HIDDEN)
    desk.answer(asked, 9)
    desk.wait(MINUTE)
    desk.click(asked, 2)

    assert of(desk).clicked == 1
    desk.store.write_now(funnel.rebuild)
    assert of(desk).clicked == 1
