"""What an answer of a destination means, and when it is tried again."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.destinations import retries
from heard.destinations.destination import Answer, Outcome
from heard.destinations.outcome import outcome_of
from heard.destinations.retries import next_try

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer(
        status=status, body=body, headers=tuple((name.replace("_", "-"), value) for name, value in headers.items())
    )


# ---------------------------------------------------------------- outcomes


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_status_of_the_two_hundreds_is_delivered(status: int):
    assert outcome_of(an_answer(status), now=NOON).kind == "delivered"


@pytest.mark.parametrize("status", [408, 409, 423, 425, 429, 500, *range(502, 512), 520, 524, 530, 598, 599])
def test_what_may_pass_is_tried_again(status: int):
    assert outcome_of(an_answer(status), now=NOON) == Outcome(
        kind="retry", reason=f"http_{status}", detail=f"Answered {status}."
    )


@pytest.mark.parametrize("status", [101, 400, 401, 403, 404, 405, 410, 413, 422, 451, 499, 501, 512, 597, 700])
def test_line_19_what_will_not_pass_is_discarded_at_once(status: int):
    assert outcome_of(an_answer(status), now=NOON) == Outcome(
        kind="discard", reason=f"http_{status}", detail=f"Answered {status}."
    )


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_fault_53_a_redirect_is_discarded_and_says_what_to_do(status: int):
    outcome = outcome_of(an_answer(status, Location="http://169.254.169.254/"), now=NOON)

    assert (outcome.kind, outcome.reason) == ("discard", "redirect")
    assert "not followed" in outcome.detail


@pytest.mark.parametrize("error", ["timeout", "refused", "unreachable", "reset", "dns", "tls", "protocol"])
def test_where_no_answer_came_it_is_tried_again(error: str):
    assert outcome_of(Answer(error=error, detail="Why."), now=NOON) == Outcome(
        kind="retry", reason=error, detail="Why."
    )


@pytest.mark.parametrize("error", ["forbidden_address", "bad_url", "bad_request"])
def test_what_must_not_be_sent_is_discarded(error: str):
    assert outcome_of(Answer(error=error, detail="Why."), now=NOON).kind == "discard"


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("0", 0.0),
        ("90", 90.0),
        (" 90 ", 90.0),
        ("999999", 3600.0),
        ("9" * 5000, 3600.0),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Sun, 06 Nov 2044 08:49:37 GMT", 3600.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_fault_55_who_asks_for_a_pause_gets_it_up_to_an_hour(said: str, after: float | None):
    assert outcome_of(an_answer(429, Retry_After=said), now=NOON).after == after
    assert outcome_of(an_answer(503, RETRY_AFTER=said), now=NOON).after == after
    assert outcome_of(an_answer(400, Retry_After=said), now=NOON).after is None


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_that_is_refused_as_a_whole_is_divided_so_that_one_costs_the_others_nothing(status: int):
    assert outcome_of(an_answer(status), now=NOON, messages=100).kind == "divide"
    assert outcome_of(an_answer(status), now=NOON, messages=1).kind == "discard"
    assert outcome_of(an_answer(401), now=NOON, messages=100).kind == "discard"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"no_service", "Answered 404: no_service"),
        (b"\xff\x00 two\n lines \x1b[31m", "Answered 404: \N{REPLACEMENT CHARACTER} two lines [31m"),
        (b"x" * 1000, f"Answered 404: {'x' * 200}…"),
        (b" ", "Answered 404."),
    ],
)
def test_a_receivers_own_words_are_kept_in_one_short_line(body: bytes, detail: str):
    assert outcome_of(an_answer(404, body), now=NOON).detail == detail


# ---------------------------------------------------------------- when it is tried again


def test_the_worked_example_is_true():
    results = doctest.testmod(retries)

    assert results.attempted
    assert not results.failed


def test_line_19_retries_end_after_four_hours():
    now, tries = NOON, 0
    for attempt in count(1):
        following = next_try(attempt, NOON, now, draw=1.0)
        if following is None:
            break
        now, tries = following, tries + 1

    assert NOON + 3.8 * HOUR < now <= NOON + 4 * HOUR
    assert tries == 32


@given(
    attempt=st.integers(1, 1000),
    passed=st.floats(0, 5 * 3600),
    draw=st.floats(0, 1),
    after=st.none() | st.floats(0, 3600),
)
def test_a_next_try_lies_ahead_within_its_bounds_and_after_what_was_asked_for(
    attempt: int, passed: float, draw: float, after: float | None
):
    now = NOON + timedelta(seconds=passed)
    following = next_try(attempt, NOON, now, draw=draw, after=after)

    if following is None:
        assert now + timedelta(seconds=max(600.0, after or 0.0)) > NOON + 4 * HOUR
    else:
        assert now + timedelta(seconds=after or 0.0) <= following <= NOON + 4 * HOUR
        assert following - now <= timedelta(seconds=max(600.0, after or 0.0))


def test_those_who_failed_together_do_not_come_back_together():
    moments = {next_try(5, NOON, NOON, draw=number / 100) for number in range(100)}

    assert len(moments) == 100
