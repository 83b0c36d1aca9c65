"""A report that says no more than "failed", and the reason in words alone, as OpenSMTPD's do."""

from __future__ import annotations

import pytest

from heard.channels.email.reports import dsn
from heard.deliveries.notice import NoticeKind

HARD, SOFT = NoticeKind.HARD, NoticeKind.SOFT


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ted.mosby@gmail.example: 550 5.1.1 nobody has this name", HARD),
        ("    <Ted.Mosby@gmail.example>: 550 5.1.1 nobody has this name", HARD),
        ("ted.mosby@gmail.example: 552 5.2.2 the mailbox is full", SOFT),
        ("barney@gmail.example: 550 5.1.1 nobody has this name", SOFT),
    ],
)
def test_where_a_report_says_nothing_finer_its_words_to_people_are_read(line: str, told: NoticeKind):
    whose = "ted.mosby@gmail.example"
    mail = (
        "From: MAILER-DAEMON@relay.example\r\nDate: Sun, 29 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="X"\r\n\r\n'
        f"--X\r\nContent-Type: text/plain\r\n\r\n    Hi!\r\n\r\n{line}\r\n\r\n"
        "--X\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example\r\n\r\n"
        f"Final-Recipient: rfc822; {whose}\r\nAction: failed\r\nStatus: 5.0.0\r\n\r\n--X--\r\n"
    )

    assert [(each.kind, each.address) for each in dsn.read(mail.encode())] == [(told, whose)]
