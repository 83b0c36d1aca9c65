"""When a campaign has to stop: what a share says, and from how many mails on it says something."""

from __future__ import annotations

import pytest

from heard.deliveries.notice import NoticeKind
from heard.deliveries.protection import LIMITS, why_stop


@pytest.mark.parametrize(
    ("kind", "bad", "sends", "stops"),
    [
        (NoticeKind.COMPLAINT, 1, 499, False),  # too few to say anything
        (NoticeKind.COMPLAINT, 1, 500, True),
        (NoticeKind.COMPLAINT, 1, 999, True),
        (NoticeKind.COMPLAINT, 1, 1000, False),  # exactly 0.1 % is not over it
        (NoticeKind.COMPLAINT, 2, 1999, True),
        (NoticeKind.HARD, 50, 99, False),
        (NoticeKind.HARD, 5, 100, False),
        (NoticeKind.HARD, 6, 100, True),
        (NoticeKind.HARD, 0, 0, False),
    ],
)
def test_a_campaign_stops_over_its_limit(kind: NoticeKind, bad: int, sends: int, stops: bool):
    assert (why_stop(kind, bad=bad, sends=sends) is not None) == stops


@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize("bad", range(1, 60))
def test_counting_stops_where_more_mails_would_change_nothing(kind: NoticeKind, bad: int):
    enough = LIMITS[kind].enough(bad)

    for sends in (enough, enough + 1, enough * 10):
        assert why_stop(kind, bad=bad, sends=sends) == why_stop(kind, bad=bad, sends=enough) is None


def test_why_is_a_sentence():
    said = why_stop(NoticeKind.HARD, bad=9, sends=120)

    assert said == "9 of 120 mails in the last 7 days went to mailboxes that nobody has: more than 5.0%."
