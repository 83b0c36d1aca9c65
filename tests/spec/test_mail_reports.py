"""What each provider's reports say: bounce, complaint, delivery, automatic answer, or nothing of interest."""

from __future__ import annotations

import hmac
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from heard.channels.email.reports import dsn, mailgun, postmark, sendgrid, ses
from heard.channels.email.reports.providers import BY_NAME
from heard.deliveries.notice import Notice, NoticeKind
from heard.errors import Invalid

OURS = "0f" * 16 + "@acme.example"
TED = "ted@mosby.example"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
HARD, SOFT, COMPLAINT = NoticeKind.HARD, NoticeKind.SOFT, NoticeKind.COMPLAINT
DELIVERED, AUTO = NoticeKind.DELIVERED, NoticeKind.AUTO_REPLY


def kinds(notices: list[Notice]) -> list[NoticeKind]:
    return [each.kind for each in notices]


def json(value: Any) -> bytes:
    return msgspec.json.encode(value)


# ── Amazon SES ──


def of_ses(kind: str, **rest: Any) -> dict[str, Any]:
    mail = {"messageId": "ses-1", "headers": [{"name": "Message-ID", "value": f"<{OURS}>"}]}
    return {"notificationType": kind, "mail": mail, **rest}


def ses_bounce(kind: str = "Permanent") -> dict[str, Any]:
    who = {"emailAddress": TED, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 no such user"}
    return of_ses(
        "Bounce",
        bounce={
            "bounceType": kind,
            "bouncedRecipients": [who],
            "timestamp": "2026-11-22T12:00:00.000Z",
            "feedbackId": "fb-1",
        },
    )


def test_ses_tells_a_bounce_raw_and_in_the_envelope_of_sns_alike():
    raw = ses.read(json(ses_bounce()))
    wrapped = ses.read(json({"Type": "Notification", "Message": json(ses_bounce()).decode()}))

    assert raw == wrapped
    assert raw == [
        Notice(
            kind=HARD,
            id=f"fb-1 {TED}",
            address=TED,
            message_id=OURS,
            at=AT,
            detail="smtp; 550 5.1.1 no such user",
        )
    ]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (ses_bounce("Transient"), [SOFT]),
        (ses_bounce("Undetermined"), [SOFT]),
        (of_ses("Complaint", complaint={"complainedRecipients": [{"emailAddress": TED}]}), [COMPLAINT]),
        (
            of_ses(
                "Complaint",
                complaint={"complainedRecipients": [{"emailAddress": TED}], "complaintFeedbackType": "not-spam"},
            ),
            [],
        ),
        (of_ses("Delivery", delivery={"recipients": [TED, 7]}), [DELIVERED]),
        (of_ses("DeliveryDelay", deliveryDelay={"delayedRecipients": [{"emailAddress": TED}]}), []),
        ({**of_ses("", bounce=ses_bounce()["bounce"]), "eventType": "Bounce"}, [HARD]),
    ],
)
def test_what_ses_tells(event: dict[str, Any], told: list[NoticeKind]):
    assert kinds(ses.read(json(event))) == told


def test_only_an_address_of_sns_is_opened_to_confirm_a_subscription():
    def asked(url: Any) -> bytes:
        return json({"Type": "SubscriptionConfirmation", "TopicArn": "arn:1", "SubscribeURL": url})

    genuine = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37"
    assert ses.confirmation(asked(genuine)) == genuine
    assert ses.read(asked(genuine)) == []
    assert ses.confirmation(json(ses_bounce())) is None
    for url in (
        "http://sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "https://evil.example/sns.eu-west-1.amazonaws.com",
        "https://u@sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com:8443/",
        "https://[",
        None,
    ):
        with pytest.raises(Invalid):
            ses.confirmation(asked(url))


def test_a_topic_that_is_named_is_the_only_one():
    assert ses.proof(json({"TopicArn": "arn:1"}), {}, "arn:1") is None
    assert ses.proof(b"{}", {"x-amz-sns-topic-arn": "arn:1"}, "arn:1") is None
    assert ses.proof(json({"TopicArn": "arn:2"}), {}, "arn:1")
    assert ses.proof(b"{}", {}, "arn:1")


# ── SendGrid ──


def of_sendgrid(event: str, **rest: Any) -> dict[str, Any]:
    common = {"email": TED, "timestamp": int(AT.timestamp()), "sg_event_id": "e1", "smtp-id": f"<{OURS}>"}
    return {**common, "event": event, **rest}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (of_sendgrid("bounce", type="bounce"), [HARD]),
        (of_sendgrid("bounce", type="blocked"), [SOFT]),
        (of_sendgrid("dropped", reason="Bounced Address"), [HARD]),
        (of_sendgrid("dropped", reason="Spam Reporting Address"), [COMPLAINT]),
        (of_sendgrid("dropped", reason="Recipient List over Package Quota"), []),
        (of_sendgrid("spamreport"), [COMPLAINT]),
        (of_sendgrid("delivered", response="250 OK"), [DELIVERED]),
        (of_sendgrid("deferred", response="450 later"), []),
        (of_sendgrid("open"), []),
    ],
)
def test_what_sendgrid_tells(event: dict[str, Any], told: list[NoticeKind]):
    assert kinds(sendgrid.read(json([event]))) == told


def test_sendgrid_tells_many_at_once_and_what_is_none_of_them_costs_the_others_nothing():
    found = sendgrid.read(json([of_sendgrid("bounce", reason="550 5.1.1\n  no such user"), None, 7, {"event": []}]))

    assert found == [Notice(kind=HARD, id="e1", address=TED, message_id=OURS, at=AT, detail="550 5.1.1 no such user")]


def test_what_sendgrid_signs_is_proved_by_its_key_and_by_no_other():
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    public = b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    body = json([of_sendgrid("bounce")])

    def signed(by: ec.EllipticCurvePrivateKey, what: bytes) -> dict[str, str]:
        signature = b64encode(by.sign(b"1763812800" + what, ec.ECDSA(SHA256()))).decode()
        return {sendgrid.SIGNATURE: signature, sendgrid.SIGNED_AT: "1763812800"}

    assert sendgrid.proof(body, signed(key, body), public) is None
    assert sendgrid.proof(body, signed(other, body), public)
    assert sendgrid.proof(body + b" ", signed(key, body), public)
    assert sendgrid.proof(body, {**signed(key, body), sendgrid.SIGNED_AT: "1763812801"}, public)
    assert sendgrid.proof(body, {sendgrid.SIGNATURE: "?"}, public)
    assert sendgrid.proof(body, {}, public)


# ── Postmark ──


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"RecordType": "Bounce", "Type": "HardBounce", "Email": TED, "ID": 42}, [HARD]),
        ({"RecordType": "Bounce", "Type": "SoftBounce", "Email": TED, "ID": 42}, [SOFT]),
        ({"RecordType": "Bounce", "Type": "SpamNotification", "Email": TED, "ID": 42}, [SOFT]),
        ({"RecordType": "Bounce", "Type": "AutoResponder", "Email": TED, "ID": 42}, [AUTO]),
        ({"RecordType": "Bounce", "Type": "Unsubscribe", "Email": TED, "ID": 42}, []),
        ({"RecordType": "SpamComplaint", "Email": TED, "ID": 42}, [COMPLAINT]),
        ({"RecordType": "Delivery", "Recipient": TED, "MessageID": "uuid"}, [DELIVERED]),
        ({"RecordType": "Open", "Recipient": TED}, []),
    ],
)
def test_what_postmark_tells(event: dict[str, Any], told: list[NoticeKind]):
    found = postmark.read(json(event))

    assert kinds(found) == told
    assert {each.address for each in found} <= {TED}


# ── Mailgun ──


def of_mailgun(event: str, **rest: Any) -> dict[str, Any]:
    common = {"id": "e1", "timestamp": AT.timestamp(), "recipient": TED, "message": {"headers": {"message-id": OURS}}}
    return {"event-data": {**common, "event": event, **rest}}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (of_mailgun("failed", severity="permanent", reason="bounce"), [HARD]),
        (of_mailgun("failed", severity="permanent", reason="suppress-bounce"), [HARD]),
        (of_mailgun("failed", severity="permanent", reason="espblock"), [SOFT]),
        (of_mailgun("failed", severity="permanent", reason="suppress-complaint"), [COMPLAINT]),
        (of_mailgun("failed", severity="permanent", reason="suppress-unsubscribe"), []),
        (of_mailgun("failed", severity="temporary", reason="generic"), []),
        (of_mailgun("complained"), [COMPLAINT]),
        (of_mailgun("delivered"), [DELIVERED]),
        (of_mailgun("opened"), []),
    ],
)
def test_what_mailgun_tells(event: dict[str, Any], told: list[NoticeKind]):
    found = mailgun.read(json(event))

    assert kinds(found) == told
    assert [(each.message_id, each.at) for each in found] == [(OURS, AT)] * len(told)


def test_what_mailgun_signs_is_proved_by_its_key():
    def signed(key: bytes) -> bytes:
        mac = hmac.new(key, b"1763812800" + b"token", "sha256").hexdigest()
        return json({"signature": {"timestamp": "1763812800", "token": "token", "signature": mac}})

    assert mailgun.proof(signed(b"ours"), {}, "ours") is None
    assert mailgun.proof(signed(b"theirs"), {}, "ours")
    assert mailgun.proof(json(of_mailgun("failed")), {}, "ours")


# ── mails that come back ──

BOUNCE = f"""\
From: MAILER-DAEMON@mx.mosby.example
To: feedback@acme.example
Subject: Undelivered Mail Returned to Sender
Date: Sun, 22 Nov 2026 12:00:00 +0000
Message-ID: <b1@mx.mosby.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.mosby.example

Final-Recipient: rfc822; ted.mosby@gmail.example
Original-Recipient: rfc822;{TED}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <ted.mosby@gmail.example>:
    no such user

--b
Content-Type: text/rfc822-headers

From: Acme <feedback@acme.example>
To: {TED}
Message-ID: <{OURS}>

--b--
"""
COMPLAINED = f"""\
From: fbl@isp.example
Date: Sun, 22 Nov 2026 12:00:00 +0000
Message-ID: <c1@isp.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1

--b
Content-Type: message/rfc822

From: Acme <feedback@acme.example>
To: redacted@isp.example
Message-ID: <{OURS}>

What a survey.

--b--
"""
ANSWERED = """\
From: Ted <ted@mosby.example>
Message-ID: <r1@mosby.example>
Subject: Re: one question

I like it.
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_mail_that_came_back_quotes_ours(ends: str):
    (told,) = dsn.read(BOUNCE.replace("\n", ends).encode())

    assert told == Notice(
        kind=HARD,
        id="b1@mx.mosby.example 1",
        address=TED,
        message_id=OURS,
        at=AT,
        detail="550 5.1.1 <ted.mosby@gmail.example>: no such user",
    )


@pytest.mark.parametrize(
    ("status", "action", "told"),
    [
        ("5.1.1", "failed", [HARD]),
        ("5.2.1", "failed", [HARD]),
        ("5.2.2", "failed", [SOFT]),
        ("5.7.1", "failed", [SOFT]),
        ("4.4.7", "failed", [SOFT]),
        ("4.1.1", "failed", [SOFT]),
        ("", "failed", [HARD]),  # the answer that is quoted says 5.1.1
        ("4.4.1", "delayed", []),
        ("2.0.0", "delivered", [DELIVERED]),
        ("2.0.0", "relayed", []),
    ],
)
def test_what_a_status_means(status: str, action: str, told: list[NoticeKind]):
    mail = BOUNCE.replace("Status: 5.1.1", f"Status: {status}").replace("Action: failed", f"Action: {action}")

    assert kinds(dsn.read(mail.encode())) == told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("550 5.1.1 no such user here", HARD),
        ("550-5.1.1 The account does not exist", HARD),
        ("550 5.7.1 looks like spam", SOFT),
        ("550 no such user here", SOFT),  # it may as well be refused for what it says
        ("host 5.1.1", SOFT),
    ],
)
def test_where_a_status_says_no_more_than_failed_the_answer_itself_is_read(said: str, told: NoticeKind):
    mail = BOUNCE.replace("Status: 5.1.1", "Status: 5.0.0").replace(
        "smtp; 550 5.1.1 <ted.mosby@gmail.example>:\n    no such user", f"smtp; {said}"
    )

    assert [(each.kind, each.detail) for each in dsn.read(mail.encode())] == [(told, said)]


def test_a_complaint_is_told_by_what_it_quotes():
    (told,) = dsn.read(COMPLAINED.encode())
    assert (told.kind, told.address, told.message_id) == (COMPLAINT, "", OURS)
    assert dsn.read(COMPLAINED.replace("abuse", "not-spam").encode()) == []


@pytest.mark.parametrize(
    "header",
    ["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "Precedence: bulk", "X-Autoreply: yes"],
)
def test_an_automatic_answer_is_told_from_a_persons(header: str):
    assert dsn.read(ANSWERED.encode()) == []
    assert dsn.read(("Auto-Submitted: no\n" + ANSWERED).encode()) == []

    (told,) = dsn.read((header + "\n" + ANSWERED).encode())
    assert (told.kind, told.address, told.detail) == (AUTO, TED, "")


@pytest.mark.parametrize("provider", sorted(BY_NAME))
@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b"{}", b'"x"', b"\xff\xfe", b"[" * 10_000, b'{"Type":"Notification"}', b"\x00"]
)
def test_nonsense_is_refused_in_a_sentence_or_tells_nothing(provider: str, body: bytes):
    try:
        told = BY_NAME[provider].read(body)
    except Invalid as problem:
        told, said = [], str(problem)
    else:
        said = "."

    assert (told, said[-1]) == ([], ".")
