"""Whoever follows a campaign's public link: opening decides nothing, and what is sent is kept with its reasons."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import pytest

from heard.channels.link.who import Named
from heard.contacts.suppression import Suppressed, user_mark
from heard.responses.clicks import Click, Link
from heard.steps import follow, leave
from heard.steps.follow import Became, Followed
from heard.store import links, responses, tables
from heard.store.directory import Directory
from tests.contracts.desk import ACME, PHONE, Desk
from tests.contracts.test_funnel import is_what_the_rows_say, of
from tests.examples import DAY, HOUR, MINUTE

ANN, BEN = Named(user_id="ann"), Named(user_id="ben")


@pytest.fixture
def linked(desk: Desk) -> Desk:
    """Ann and Ben are contacts; a campaign by link is campaign 1."""
    by_link(desk, throttle="90d")
    desk.receive(desk.identify("ann", email="ann@acme.example", plan="Free"), desk.identify("ben"))
    return desk


def by_link(desk: Desk, number: int = 1, *, status: str = "active", **settings: Any) -> None:
    desk.campaign(number, status=status, event=None, **{"channel": "link", **settings})


def send(desk: Desk, named: Named, value: int = 9, comment: str = "", **changed: Any) -> Followed:
    directory: Directory = msgspec.structs.replace(desk.directory, **changed)
    said = {"value": value, "comment": comment, "agent": PHONE, "client": "192.0.2.7"}
    known = {"campaign": directory.campaigns[1], "named": named, "directory": directory, "now": desk.now}
    return desk.store.write_now(partial(follow.follow, **known, **said))


def visit(
    desk: Desk, named: Named, value: int | None = 9, *, link: Link = Link.SCORE, method: str = "GET", **more: Any
):
    click = Click(at=desk.now, method=method, link=link, value=value, **{"agent": PHONE, **more})
    known = {"campaign": desk.directory.campaigns[1], "named": named, "directory": desk.directory}
    desk.store.write_now(partial(follow.opened, click=click, **known))


def followed(desk: Desk) -> links.Followed:
    return desk.store.read_now(partial(links.followed, workspace=ACME, campaign=1, first=None, last=None))


def answer(desk: Desk, delivery: str | None):
    assert delivery is not None
    found = desk.store.read_now(partial(responses.of_delivery, workspace=ACME, delivery=delivery))
    assert found is not None
    return found


def test_one_form_is_one_decision_one_touch_one_delivery_and_one_answer(linked: Desk):
    found = send(linked, ANN, 9, "Well")

    assert found.became is Became.KEPT
    assert linked.decisions("ann") == [("invited", [])]
    (touch,), (delivery,) = linked.rows(tables.touches), linked.rows(tables.deliveries)
    assert (touch.state, touch.channel, touch.at) == ("made", "link", linked.now)
    assert (delivery.state, delivery.channel, delivery.sent_at) == ("answered", "link", linked.now)
    kept = answer(linked, found.delivery)
    assert (kept.value, kept.comment, kept.channel, kept.verdict.value) == (9, "Well", "link", "human")
    assert b"Free" in kept.traits
    assert linked.send() == [], "nothing is mailed"


def test_somebody_without_an_address_can_answer(linked: Desk):
    assert send(linked, BEN).became is Became.KEPT


def test_what_machines_and_people_open_makes_no_answer_and_no_touch(linked: Desk):
    for value in range(11):
        visit(linked, ANN, value)
    visit(linked, ANN, None, link=Link.HIDDEN)
    visit(linked, BEN, 7)
    visit(linked, Named(user_id="nobody"), 7)

    for table in (tables.responses, tables.touches, tables.deliveries, tables.decisions):
        assert linked.rows(table) == []
    assert len(linked.rows(tables.clicks)) == 13, "of nobody's name nothing is kept"
    assert followed(linked).opened == 1, "Ben; of Ann it was a machine"


def test_what_was_opened_is_the_evidence_of_the_answer(linked: Desk):
    visit(linked, ANN, 7)
    linked.wait(MINUTE)
    found = send(linked, ANN, 7)

    assert {row.delivery_id for row in linked.rows(tables.clicks)} == {found.delivery}
    assert of(linked).clicked == 1
    assert of(linked).sent == 0
    is_what_the_rows_say(linked)


def test_a_second_form_changes_the_answer_and_leaves_the_words_that_it_did_not_show(linked: Desk):
    first = send(linked, ANN, 9, "Well")
    linked.wait(29 * DAY)
    second = send(linked, ANN, 6)

    assert (second.became, second.delivery) == (Became.KEPT, first.delivery)
    assert (answer(linked, first.delivery).value, answer(linked, first.delivery).comment) == (6, "Well")
    assert len(linked.rows(tables.decisions)) == 1


def test_after_the_time_to_change_it_the_answer_stands_until_the_throttle_is_over(linked: Desk):
    first = send(linked, ANN, 9)
    linked.wait(31 * DAY)
    assert send(linked, ANN, 1).became is Became.ANSWERED
    assert send(linked, ANN, 1).became is Became.ANSWERED
    assert linked.decisions("ann") == [("invited", []), ("declined", ["campaign_throttle"])], "said once"
    assert answer(linked, first.delivery).value == 9

    linked.wait(60 * DAY)
    again = send(linked, ANN, 4)
    assert again.became is Became.KEPT
    assert again.delivery != first.delivery
    assert linked.decisions("ann") == [("invited", []), ("invited", [])], "what was refused is the one that is allowed"
    is_what_the_rows_say(linked)


def test_a_throttle_shorter_than_the_time_to_change_an_answer_makes_room_for_another(desk: Desk):
    by_link(desk, throttle="7d")
    desk.receive(desk.identify("ann"))
    first = send(desk, ANN, 9)
    desk.wait(8 * DAY)
    assert send(desk, ANN, 3).delivery != first.delivery


def test_one_mailbox_answers_once_whatever_its_accounts_are_called(linked: Desk):
    linked.receive(linked.identify("anna", email="ANN@acme.example"))
    send(linked, ANN)
    linked.wait(2 * DAY)
    assert send(linked, Named(user_id="anna")).became is Became.ANSWERED


def test_neither_unsubscribing_nor_a_quiet_period_loses_an_answer(linked: Desk):
    linked.campaign(2, channel="email", event="Order Completed")
    linked.receive(linked.track("ann"))
    linked.send()
    unsubscribe = partial(leave.subscribe, workspace=ACME, contact=1, email_key="ann@acme.example", on=True)
    linked.store.write_now(partial(unsubscribe, cause="test", now=linked.now))
    linked.wait(HOUR)

    assert send(linked, ANN).became is Became.KEPT


def test_whoever_answered_is_not_asked_again_right_after(linked: Desk):
    linked.campaign(2, channel="email", event="Order Completed")
    send(linked, ANN)
    linked.wait(HOUR)
    linked.receive(linked.track("ann"))
    assert linked.decisions("ann")[-1] == ("declined", ["asked_within_24h"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "draft"}, "campaign_not_running"),
        ({"ends": "2026-01-01"}, "campaign_not_running"),
        ({"quota": 1}, "quota_reached"),
    ],
)
def test_a_campaign_that_takes_no_more_says_so(desk: Desk, change: dict[str, Any], reason: str):
    by_link(desk, **change)
    desk.receive(desk.identify("ann"), desk.identify("ben"))
    if reason == "quota_reached":
        assert send(desk, BEN).became is Became.KEPT
    assert send(desk, ANN).became is Became.CLOSED
    assert desk.decisions("ann") == [("declined", [reason])]


def test_consent_that_was_refused_outranks_the_form(linked: Desk):
    linked.intake(consent_categories=["Surveys"])
    said = linked.identify("ann") | {"context": {"consent": {"categoryPreferences": {"Surveys": False}}}}
    linked.receive(said)
    assert send(linked, ANN).became is Became.REFUSED
    assert linked.decisions("ann") == [("declined", ["consent_denied"])]


def test_an_unsigned_link_makes_no_contact_and_changes_none(linked: Desk):
    before = linked.rows(tables.contacts)
    found = send(linked, Named(user_id="eve", email="eve@acme.example"))
    send(linked, Named(user_id="ann", email="other@acme.example"))

    assert found.became is Became.UNKNOWN
    assert linked.rows(tables.contacts) == before
    assert linked.decisions("eve") == [("declined", ["not_identified"])]
    assert followed(linked).unknown == 1


def test_strangers_are_counted_and_only_so_many_are_written_down(linked: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(follow, "MOST_STRANGERS", 3)
    for number in range(6):
        send(linked, Named(user_id=f"stranger{number}"))
    send(linked, Named(email="stranger@acme.example"))
    assert followed(linked).unknown == 7
    assert len(linked.rows(tables.decisions)) == 3


def test_an_address_is_that_of_its_contact_unless_another_user_id_is_claimed(linked: Desk):
    assert send(linked, Named(email="ANN@acme.example")).became is Became.KEPT
    assert send(linked, Named(user_id="eve", email="ann@acme.example")).became is Became.UNKNOWN


def test_a_signed_link_makes_the_contact_that_is_missing(linked: Desk):
    assert send(linked, Named(user_id="cy", email="cy@acme.example", signed=True)).became is Became.KEPT
    made = next(row for row in linked.rows(tables.contacts) if row.user_id == "cy")
    assert made.email_key == "cy@acme.example"
    assert send(linked, Named(user_id="ann", email="x@acme.example", signed=True)).became is Became.KEPT
    assert "x@acme" not in repr(linked.rows(tables.contacts)), "one that is there is left as it is"


def test_of_whoever_is_suppressed_nothing_is_kept(linked: Desk):
    suppressed = {ACME: Suppressed(b"key", frozenset({user_mark(b"key", "gone")}))}
    for signed in (False, True):
        gone = send(linked, Named(user_id="gone", signed=signed), suppressed=suppressed)
        assert gone.became is Became.REFUSED
    assert linked.rows(tables.decisions) == []
    assert "gone" not in repr(linked.rows(tables.contacts))


def test_a_ready_campaign_turns_active_with_the_first_answer(desk: Desk):
    by_link(desk, status="ready")
    desk.receive(desk.identify("ann"))
    assert send(desk, ANN).asked.changed
    assert [row.status for row in desk.rows(tables.campaigns)] == ["active"]


def test_a_link_is_made_anew_turn_by_turn(linked: Desk):
    assert linked.directory.campaigns[1].link_turn == 0
    for turn in (1, 2):
        made = linked.store.write_now(partial(links.turn, workspace=ACME, campaign=1, now=linked.now))
        assert made == turn == linked.directory.campaigns[1].link_turn
