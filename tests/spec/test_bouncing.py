"""When a mailbox is left alone, and what a report does to its delivery."""

from __future__ import annotations

import pytest

from heard.accounts.mail_settings import report_key, workspace_of
from heard.contacts.standing import Kind
from heard.deliveries.bouncing import after, consequence, in_a_row
from heard.deliveries.delivery import State
from heard.deliveries.notice import Notice, NoticeKind
from tests.examples import a_delivery

SOFT, DELIVERED = {NoticeKind.SOFT}, {NoticeKind.SOFT, NoticeKind.DELIVERED}


def told(kind: NoticeKind, detail: str = "550 no") -> Notice:
    return Notice(kind=kind, id="1", address="marshall@eriksen.example", detail=detail)


def test_the_policy_read_aloud():
    assert consequence(NoticeKind.HARD, 1) is Kind.BOUNCED
    assert [consequence(NoticeKind.SOFT, times) for times in (1, 2, 3, 4)] == [None, None, Kind.BOUNCED, Kind.BOUNCED]
    assert consequence(NoticeKind.COMPLAINT, 1) is Kind.COMPLAINED
    assert consequence(NoticeKind.DELIVERED, 9) is consequence(NoticeKind.AUTO_REPLY, 9) is None


@pytest.mark.parametrize(
    ("newest_first", "run"),
    [
        ([], 0),
        ([SOFT, SOFT, SOFT], 3),
        ([SOFT, DELIVERED, SOFT], 1),  # it was tried again, and arrived
        ([SOFT, SOFT, set()], 2),  # nothing came back, so it arrived
        ([set(), SOFT, SOFT], 0),
        ([{NoticeKind.HARD}, SOFT, SOFT], 3),
    ],
)
def test_a_run_ends_with_a_mail_that_arrived(newest_first: list[set[NoticeKind]], run: int):
    names = [str(number) for number in range(len(newest_first))]

    assert in_a_row(names, dict(zip(names, newest_first, strict=True))) == run


@pytest.mark.parametrize(
    ("state", "kind", "becomes", "error"),
    [
        (State.SENT, NoticeKind.HARD, State.FAILED, "It bounced: 550 no"),
        (State.SENDING, NoticeKind.HARD, State.FAILED, "It bounced: 550 no"),
        (State.UNKNOWN, NoticeKind.HARD, State.FAILED, "It bounced: 550 no"),
        (State.ANSWERED, NoticeKind.HARD, State.ANSWERED, None),  # somebody answered, so it did arrive
        (State.EXPIRED, NoticeKind.HARD, State.EXPIRED, None),
        (State.SENT, NoticeKind.SOFT, State.SENT, "It came back: 550 no"),
        (State.SENT, NoticeKind.COMPLAINT, State.SENT, "They reported it as spam: 550 no"),
        (State.UNKNOWN, NoticeKind.DELIVERED, State.SENT, None),
        (State.SENT, NoticeKind.AUTO_REPLY, State.SENT, None),
    ],
)
def test_what_a_report_does_to_a_delivery(state: State, kind: NoticeKind, becomes: State, error: str | None):
    found = after(a_delivery(state=state), told(kind))

    assert (found.state, found.error) == (becomes, error)


def test_a_delivery_takes_a_return_back_but_no_complaint():
    came_back = after(a_delivery(state=State.SENT), told(NoticeKind.SOFT))
    complained = after(a_delivery(state=State.SENT), told(NoticeKind.COMPLAINT))

    assert after(came_back, told(NoticeKind.DELIVERED)).error is None
    assert after(complained, told(NoticeKind.DELIVERED)).error == "They reported it as spam: 550 no"


def test_a_key_for_reports_is_one_workspaces_and_one_turns():
    secret, turns = b"s" * 32, {1: 0, 2: 3}
    key = report_key(secret, 2, 3)

    assert workspace_of(secret, key, turns) == 2
    assert report_key(secret, 1, 0).rpartition("-")[2] != report_key(secret, 2, 0).rpartition("-")[2]
    for other in (
        report_key(secret, 2, 2),
        report_key(b"t" * 32, 2, 3),
        report_key(secret, 3, 0),  # no workspace of ours
        key.upper(),
        key + "0",
        key.replace("-2-", "-02-"),
        key.replace("-2-", "-²-"),
        f"mail-{'9' * 5000}-x",
        "mail--",
        "\udcff",
        "",
    ):
        assert workspace_of(secret, other, turns) is None
