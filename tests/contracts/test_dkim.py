"""What a real mail server received is signed, as dkimpy reads it."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import dkim as dkimpy
import pytest
from msgspec import structs

from heard.accounts.mail_settings import DkimKey
from heard.accounts.workspace import Brand
from heard.campaigns.campaign import Template
from heard.channels.email import dkim
from heard.channels.email.invitation import Reminded
from heard.channels.email.mail import Mail
from heard.channels.email.outbox import opened
from heard.channels.email.render import render
from heard.channels.email.smtp import Smtp
from tests.contracts.mail_server import MailServer, mail_server
from tests.contracts.test_channels import hand_over
from tests.examples import NOON
from tests.spec.test_mail import ACME, an_invitation

__all__ = ["mail_server"]  # the fixture

PRIVATE, PUBLIC = dkim.make_key()
KEY = DkimKey(
    domain="acme.example", selector="heard-1", private_key=PRIVATE, public_key=PUBLIC, made_at=NOON, active_since=NOON
)
LONG = "Ein sehr langer Betreff mit Grüßen, " * 8
MAILS: dict[str, Any] = {
    "plain": {},
    "beyond ASCII": {
        "brand": structs.replace(ACME, name="Äpfel & Öl", from_="Äpfel & Öl <feedback@acme.example>"),
        "template": Template(subject=LONG, intro="Grüße  mit   Leerzeichen \t und\n.\n..Punkten\n\n\n"),
        "to_name": "Ölaf Ünal",
    },
    "long headers": {"to_name": "Marshall " * 30, "unsubscribe": "https://heard.acme.example/u/" + "x" * 800},
    "a reminder": {"reminds_of": Reminded("ab" * 16, "19 November")},
    "no brand of its own": {"brand": Brand(name="A", from_="feedback@acme.example")},
}


def reads(content: bytes, key: DkimKey = KEY) -> bool:
    def record(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"heard-1._domainkey.acme.example."
        return key.record.encode()

    try:
        return dkimpy.DKIM(content, minkey=2048).verify(dnsfunc=record)
    except dkimpy.ValidationError:  # what it calls a body that is not the signed one
        return False


def a_mail(**changes: Any) -> Mail:
    return dkim.signed(render(an_invitation(**changes), at=NOON), KEY)


@pytest.mark.parametrize("kind", MAILS)
def test_what_arrived_is_signed(mail_server: MailServer, kind: str):
    mail = a_mail(**MAILS[kind])
    hand_over(Smtp(mail_server.url), mail)

    (envelope,) = mail_server.taken
    assert envelope.original_content == mail.content
    assert reads(mail.content)
    assert max(len(line) for line in mail.content.split(b"\r\n")) <= 998


def test_an_address_beyond_ascii_is_signed_too():
    with MailServer(utf8=True) as server:
        mail = a_mail(to_address="ünal@beispiel.example")
        hand_over(Smtp(server.url), mail)

        assert reads(server.taken[0].original_content or b"")


def test_the_signature_covers_what_a_reader_and_a_provider_rely_on():
    signature = str(opened(a_mail().content)["DKIM-Signature"])
    covered = signature.split("h=")[1].split(";")[0].replace(" ", "").split(":")

    assert {"from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"} <= set(covered)
    assert [covered.count(name) for name in ("from", "to", "subject")] == [2, 2, 2]
    assert "d=acme.example;" in signature
    assert "l=" not in signature.replace("sel=", "")  # a body of which only a part is signed can be added to


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Subject: ", b"Subject: You won. "),
        (b"From: ", b"From: boss@acme.example\r\nFrom: "),
        (b"Subject: ", b"Subject: Another\r\nSubject: "),
        (b"List-Unsubscribe: <https://heard", b"List-Unsubscribe: <https://evil"),
        (b"marshall", b"lily"),
        (b"/s/", b"/t/"),
    ],
)
def test_whoever_changes_something_breaks_it(before: bytes, after: bytes):
    content = a_mail().content
    assert before in content
    assert not reads(content.replace(before, after, 1))


def test_a_server_on_the_way_may_fold_anew_and_trim():
    content = a_mail(**MAILS["beyond ASCII"]).content
    folded = content.replace(b"Subject: =?", b"subject:\r\n   =?", 1).replace(
        b"\r\n\r\n", b"\r\nX-Seen: yes\r\n\r\n", 1
    )

    assert folded != content
    assert reads(folded + b"\r\n\r\n")


def test_a_key_is_what_its_record_says_and_another_one_is_not():
    other = structs.replace(KEY, public_key=dkim.make_key()[1])

    assert reads(a_mail().content)
    assert not reads(a_mail().content, other)
    assert len(b64decode(KEY.public_key)) > 2048 // 8
    assert "PRIVATE" not in KEY.record
