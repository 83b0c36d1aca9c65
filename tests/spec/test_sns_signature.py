"""The signature of Amazon SNS, made with a certificate of our own: what is signed, by whom, and from where."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from heard.channels.email.reports.sns import UNSIGNED, WRONG, Certificates, is_of_sns, unproven
from heard.outgoing.exchange import Answer, NoAnswer, Request

URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOTIFICATION = {
    "Type": "Notification",
    "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
    "TopicArn": "arn:aws:sns:eu-west-1:123456789012:heard",
    "Subject": "Amazon SES Email Event Notification",
    "Message": '{"eventType":"Bounce","mail":{}}',
    "Timestamp": "2026-11-28T10:00:00.000Z",
    "SigningCertURL": URL,
    "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
}
WITHOUT_SUBJECT = {name: value for name, value in NOTIFICATION.items() if name != "Subject"}
CONFIRMATION = {
    "Type": "SubscriptionConfirmation",
    "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
    "Token": "2336412f37",
    "TopicArn": "arn:aws:sns:eu-west-1:123456789012:heard",
    "Message": "You have chosen to subscribe to the topic.",
    "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
    "Timestamp": "2026-11-28T10:00:00.000Z",
    "SigningCertURL": URL,
}
# As Amazon's page writes them, so that a mistake in ours is none here.
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, KEY.public_key(), 7, now - timedelta(days=1), now + timedelta(days=1))
    return made.sign(KEY, SHA256()).public_bytes(Encoding.PEM)


PEM = certificate()


def signed(said: dict[str, str], version: str = "2") -> dict[str, str]:
    text = "".join(f"{name}\n{said[name]}\n" for name in SIGNED[said["Type"]] if name in said)
    made = KEY.sign(text.encode(), padding.PKCS1v15(), SHA1() if version == "1" else SHA256())
    return said | {"SignatureVersion": version, "Signature": b64encode(made).decode()}


def judged(said: Any) -> str | None:
    async def ours(url: str) -> bytes:
        assert url == URL
        return PEM

    return asyncio.run(unproven(msgspec.json.encode(said), ours))


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    "said", [NOTIFICATION, CONFIRMATION, {k: v for k, v in NOTIFICATION.items() if k != "Subject"}]
)
def test_what_sns_signed_is_genuine(said: dict[str, str], version: str):
    assert judged(signed(said, version)) is None


@pytest.mark.parametrize("name", SIGNED["Notification"][:-1])
def test_whatever_of_it_is_changed_it_is_not(name: str):
    assert judged(signed(NOTIFICATION) | {name: "something else"}) == WRONG


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"Signature": ""}, UNSIGNED),
        ({"Signature": "not base64"}, WRONG),
        ({"Signature": b64encode(b"x" * 256).decode()}, WRONG),
        ({"SignatureVersion": "1"}, WRONG),  # another digest than it was made with
        ({"SignatureVersion": "3"}, WRONG),
        ({"Type": "Something"}, UNSIGNED),
        (
            {"SigningCertURL": URL.replace("amazonaws.com", "evil.example")},
            None,
        ),
    ],
)
def test_what_is_not_signed_proves_nothing(changed: dict[str, str], why: str | None):
    found = judged(signed(NOTIFICATION) | changed)
    assert found == why if why else found is not None and "does not lead to Amazon SNS" in found


def test_raw_delivery_is_not_signed():
    assert judged({"eventType": "Bounce", "mail": {}}) == UNSIGNED


@pytest.mark.parametrize(
    ("url", "is_theirs"),
    [
        (URL, True),
        (URL.replace("eu-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn"), True),
        (URL.replace("eu-west-1", "us-gov-west-1"), True),
        (URL.replace("https", "http"), False),
        (URL.replace(".com/", ".com.evil.example/"), False),
        (URL.replace("https://", "https://u@"), False),
        (URL.replace(".com/", ".com:8443/"), False),
        (URL.replace("sns.eu", "s3.eu"), False),
        (f"{URL}?x=1", False),
        ("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_a_certificate_is_sns_own_only_at_sns(url: str, is_theirs: bool):
    assert is_of_sns(url) is is_theirs


def test_a_certificate_is_fetched_once_and_a_failure_is_not_kept():
    answers = [Answer(error="dns", detail="sns.eu-west-1.amazonaws.com is not known."), Answer(status=200, body=PEM)]
    asked: list[Request] = []

    async def carry(request: Request) -> Answer:
        asked.append(request)
        return answers[len(asked) - 1]

    kept = Certificates(carry)
    with pytest.raises(NoAnswer, match=r"could not be fetched.*is not known"):
        asyncio.run(kept.of(URL))
    assert [asyncio.run(kept.of(URL)) for _ in range(3)] == [PEM] * 3
    assert [each.url for each in asked] == [URL, URL]
