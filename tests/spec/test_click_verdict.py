"""What was opened of one mail: a machine's or not, and why, in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from heard.responses.clicks import Click, Link
from heard.responses.scanners import KNOWN, known_as
from heard.responses.verdict import RULES, Visits, findings
from tests.examples import NOON

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
HOUR = timedelta(hours=1)


def click(seconds: float = 0, value: int | None = 9, **changes) -> Click:
    """Somebody taps a number an hour after the mail came."""
    said = {"method": "GET", "link": Link.SCORE, "agent": PHONE, "client": "192.0.2.7", **changes}
    return Click(at=NOON + HOUR + timedelta(seconds=seconds), value=value, **said)


def against(*clicks: Click, handed_over=(NOON,)) -> dict[str, str]:
    return {each.rule: each.said for each in findings(Visits(clicks=clicks, handed_over=handed_over))}


def test_nothing_speaks_against_one_tap_an_hour_later():
    assert against(click()) == {}


def test_nothing_speaks_against_a_second_thought_or_a_second_look():
    assert against(click(0, 9), click(12, 7)) == {}
    assert against(click(0, 9), click(1, 9)) == {}
    assert against(click(0, 9), click(3, None, link=Link.LEAVE), click(5, None, link=Link.SURVEY)) == {}


def test_the_hidden_link():
    assert against(click(), click(60, None, link=Link.HIDDEN)) == {
        "hidden_link_was_opened": "The link that no person can see was opened."
    }
    assert against(click(60, None, link=Link.HIDDEN, method="HEAD")) == {}


@pytest.mark.parametrize(("apart", "is_one"), [(0.2, True), (9.9, True), (10, False)])
def test_two_scores_within_ten_seconds(apart: float, is_one: bool):
    assert ("several_scores_at_once" in against(click(0, 3), click(apart, 4))) is is_one


def test_a_burst_is_told_with_its_numbers():
    burst = [click(number * 0.3, number) for number in range(11)]

    assert against(click(-500, 9), *burst)["several_scores_at_once"] == (
        "11 different scores were opened within 3 seconds."
    )


@pytest.mark.parametrize(("apart", "is_one"), [(-30, True), (0, True), (59, True), (60, False)])
def test_one_link_looked_up_and_opened(apart: float, is_one: bool):
    found = against(click(0, method="HEAD"), click(apart))

    assert ("link_was_looked_up_and_opened" in found) is is_one


def test_another_link_looked_up_is_nothing():
    assert against(click(0, 3, method="HEAD"), click(1, 4)) == {}


def test_a_program_that_says_so():
    assert against(click(agent="Mozilla/5.0 (compatible; Barracuda Sentinel)")) == {
        "agent_is_a_known_scanner": "What opened a link calls itself a program: Barracuda."
    }
    assert against(click(method="HEAD", agent="curl/8.0")) == {}
    assert against(click(agent="")) == {}


@pytest.mark.parametrize(
    ("agent", "who"),
    [("python-requests/2.32", "a Python program"), ("Slackbot-LinkExpanding 1.0", "Slack"), (PHONE, None), ("", None)],
)
def test_who_a_program_is(agent: str, who: str | None):
    assert known_as(agent) == who


def test_no_browser_of_people_is_on_the_list():
    for agent in (
        PHONE,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
        "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
    ):
        assert known_as(agent) is None
    assert all(piece == piece.lower() and len(piece) > 3 for piece in KNOWN)


@pytest.mark.parametrize(("after", "is_one"), [(-4, True), (0, True), (4.9, True), (5, False), (-6, False)])
def test_seconds_after_the_mail_server_took_it(after: float, is_one: bool):
    found = against(click(after), handed_over=(NOON, NOON + HOUR))

    assert ("link_was_opened_too_soon" in found) is is_one


def test_before_it_was_taken_is_said_so():
    assert against(click(-2), handed_over=(NOON + HOUR,)) == {
        "link_was_opened_too_soon": "A link was opened before the mail server had taken the mail."
    }


def test_every_rule_has_its_reason_and_no_evidence_names_an_address_or_a_browser():
    found = against(
        *(click(number, number, agent="curl/8.0") for number in range(3)),
        click(2, 1, method="HEAD"),
        click(3, None, link=Link.HIDDEN),
        handed_over=(NOON + HOUR,),
    )

    assert set(found) == {rule.__name__ for rule in RULES}
    assert "192.0.2.7" not in "".join(found.values())
    assert all(rule.__doc__ for rule in RULES)
