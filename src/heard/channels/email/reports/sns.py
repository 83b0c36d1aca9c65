"""The signature of Amazon SNS, by which SES sends its reports.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html: an RSA signature over some fields, each
as its name and its value on a line of their own; version 1 with SHA-1, version 2 with SHA-256. The certificate is
fetched, over TLS, from SNS itself and from nowhere else.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from heard.channels.email.reports.said import at, document, text
from heard.outgoing.exchange import Answer, NoAnswer, Request

WHO = "Amazon SNS"
HOST = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-\d\.amazonaws\.com(\.cn)?")
PATH = re.compile(r"/SimpleNotificationService-[0-9a-f]{16,64}\.pem")
OF_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
OF_SUBSCRIPTION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED = {
    "Notification": OF_NOTIFICATION,
    "SubscriptionConfirmation": OF_SUBSCRIPTION,
    "UnsubscribeConfirmation": OF_SUBSCRIPTION,
}
MOST_KEPT = 32  # certificates: SNS has one a region, and a new one now and then
UNSIGNED = (
    "Amazon SNS did not sign this request. Switch raw message delivery off for the subscription: it is not signed."
)
WRONG = "The signature is not that of Amazon SNS."

Certificate = Callable[[str], Awaitable[bytes]]  # URL -> PEM; raises NoAnswer


async def unproven(body: bytes, certificate: Certificate) -> str | None:
    """Why this request is not SNS's; None when it is. `certificate` gives what is at a URL that was found to be SNS's.

    Raises:
        Invalid: it is no JSON.
        NoAnswer: the certificate could not be had, so nobody can say.
    """
    said = document(body, WHO)
    fields = SIGNED.get(text(said, "Type"))
    if fields is None or not text(said, "Signature"):
        return UNSIGNED
    url = text(said, "SigningCertURL")
    if not is_of_sns(url):
        return "The SigningCertURL does not lead to Amazon SNS, so the signature proves nothing."
    signed = "".join(f"{name}\n{text(said, name)}\n" for name in fields if at(said, name) is not None)
    genuine = _is_signed(
        await certificate(url), text(said, "SignatureVersion"), text(said, "Signature"), signed.encode()
    )
    return None if genuine else WRONG


def is_of_sns(url: str) -> bool:
    """Whether SNS itself has its certificate there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = parts.scheme == "https" and not parts.query and not parts.fragment
    return plain and HOST.fullmatch(parts.netloc) is not None and PATH.fullmatch(parts.path) is not None


class Certificates:
    """What was fetched is kept until Heard stops. `carry` is the one way out."""

    def __init__(self, carry: Callable[[Request], Awaitable[Answer]]) -> None:
        self._carry = carry
        self._kept: dict[str, bytes] = {}

    async def of(self, url: str) -> bytes:
        """Raises NoAnswer."""
        if (kept := self._kept.get(url)) is not None:
            return kept
        answer = await self._carry(Request(method="GET", url=url))
        if answer.status != 200:
            why = answer.detail or f"it answered {answer.status}."
            said = (
                f"The certificate of Amazon SNS could not be fetched, so nobody can say whether this is genuine: {why}"
            )
            raise NoAnswer(answer.error or "protocol", said)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[url] = answer.body
        return answer.body


def _is_signed(certificate: bytes, version: str, signature: str, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256
    from cryptography.x509 import load_pem_x509_certificate

    digest = {"1": SHA1, "2": SHA256}.get(version)
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        given = b64decode(signature, validate=True)
        if digest is None or not isinstance(key, RSAPublicKey):
            return False
        key.verify(given, signed, PKCS1v15(), digest())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
