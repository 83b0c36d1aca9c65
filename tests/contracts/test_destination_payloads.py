"""What each kind says in its receiver's own language."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from heard.destinations import webhook
from heard.destinations.kinds import KINDS, read_settings
from heard.errors import Invalid
from heard.outgoing.exchange import Request
from tests.contracts.handed_over import NOON, a_document, hand_over, made
from tests.contracts.receiver import Receiver, receiver

__all__ = ["receiver"]  # the fixture

URL = "https://hooks.acme.example/in"
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def headers(request: Request) -> dict[str, str]:
    return dict(request.headers)


# ---------------------------------------------------------------- webhook


@pytest.mark.parametrize("secret", ["correct horse", STANDARD_SECRET, "schlüssel", "whsec_not base64!"])
def test_line_19_x_signature_is_the_hmac_sha1_of_the_raw_body_by_the_secret_as_written(secret: str, receiver: Receiver):
    settings = read_settings("webhook", {"url": receiver.url, "secret": secret}, allow_private=True)

    hand_over(made("webhook", [a_document(event="Bücher & <Tee>")], settings))

    (received,) = receiver.received
    signature = hmac.new(secret.encode(), received.body, hashlib.sha1).hexdigest()
    assert received.headers["x-signature"] == signature


def test_the_body_is_the_message_in_compact_json():
    body = made("webhook", [a_document()], {"url": URL}).body

    assert body == json.dumps(a_document(), separators=(",", ":"), ensure_ascii=False).encode()


def test_the_standard_signature_is_that_of_the_libraries_that_check_it():
    """The example of https://docs.svix.com/receiving/verifying-payloads/how-manual."""
    signed = webhook.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    )

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_request_is_signed_with_its_id_and_its_time():
    secret = b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    request = made("webhook", [a_document()], {"url": URL, "secret": STANDARD_SECRET})
    sent = headers(request)

    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + request.body
    mac = hmac.digest(base64.b64decode(secret), signed, "sha256")

    assert sent["webhook-id"] == "msg_m1"
    assert sent["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert sent["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"


@pytest.mark.parametrize("secret", ["correct horse", "whsec_", "whsec_ä", "whsec_no base64!", "MfKQ9r8GKYqrTwjU"])
def test_a_secret_of_another_form_is_the_key_as_written(secret: str):
    request = made("webhook", [a_document()], {"url": URL, "secret": secret})
    sent = headers(request)

    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + request.body
    mac = hmac.digest(secret.encode(), signed, "sha256")

    assert sent["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"


def test_an_attempt_later_has_its_own_time_and_the_same_id():
    kind, settings = KINDS["webhook"], {"url": URL, "secret": STANDARD_SECRET}
    first = kind.request([a_document()], settings, ids=["msg_m1"], now=NOON)
    later = kind.request([a_document()], settings, ids=["msg_m1"], now=NOON + timedelta(hours=1))

    assert headers(first)["webhook-id"] == headers(later)["webhook-id"]
    assert headers(first)["X-Signature"] == headers(later)["X-Signature"]
    assert headers(first)["webhook-signature"] != headers(later)["webhook-signature"]


def test_without_a_secret_nothing_is_signed():
    names = {name.lower() for name in headers(made("webhook", [a_document()], {"url": URL}))}

    assert names == {"content-type", "user-agent", "webhook-id", "webhook-timestamp"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "evil.example"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("X-Signature", "00"),
        ("webhook-id", "1"),
        ("Proxy-Authorization", "x"),
        ("X Name", "a space"),
        ("", "nothing"),
        ("X-Name:", "colon"),
        ("X-Name", "Ann\r\nX-Other: 1"),
        ("X-Name", "x" * 2001),
    ],
)
def test_a_header_that_http_or_heard_cannot_have_is_refused_by_name(name: str, value: str):
    with pytest.raises(Invalid, match=r"\.$") as caught:
        read_settings("webhook", {"url": URL, "headers": {name: value}}, "destinations[1].settings")

    assert caught.value.field == f"destinations[1].settings.headers.{name}"


# ---------------------------------------------------------------- segment


def test_a_batch_goes_to_segment_under_its_write_key(receiver: Receiver):
    settings = read_settings("segment", {"write_key": "wk_there", "host": f"{receiver.url}/"}, allow_private=True)

    hand_over(made("segment", [a_document(1), a_document(2)], settings))

    (received,) = receiver.received
    body = json.loads(received.body)
    assert received.path == "/v1/batch"
    assert base64.b64decode(received.headers["authorization"].removeprefix("Basic ")) == b"wk_there:"
    assert body == {
        "batch": [a_document(1), a_document(2)],
        "sentAt": "2026-11-22T12:00:00.000Z",
        "writeKey": "wk_there",
    }


def test_what_belongs_to_our_own_receipt_stays_here():
    ours = {"sentAt": "2026-11-22T13:00:00Z", "receivedAt": "2026-11-22T12:00:00Z", "writeKey": "wk_here"}

    (item,) = json.loads(made("segment", [a_document() | ours], {"write_key": "wk_there"}).body)["batch"]

    assert item == a_document()


def test_segment_itself_is_where_it_goes_unless_said_otherwise():
    assert made("segment", [a_document()], {"write_key": "wk"}).url == "https://api.segment.io/v1/batch"


def test_a_host_with_a_query_is_refused():
    with pytest.raises(Invalid, match=r"settings\.host: leave out"):
        read_settings("segment", {"write_key": "wk", "host": "https://api.segment.io/?a=b"})


# ---------------------------------------------------------------- slack


def written(text: str | None = None, **changes) -> str:
    settings = {"url": URL} | ({"text": text} if text is not None else {})
    return json.loads(made("slack", [a_document(**changes)], settings).body)["text"]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (None, "*Order Completed* by Ann &amp; &lt;Lee&gt;"),
        ("{{ event }}: {{ properties.total }}", "Order Completed: 49.5"),
        ("{{ traits.email | someone }}", "ann@example.com"),
        ("{{ traits.phone | no phone }}", "no phone"),
        ("{{ properties.nothing.at.all | nothing }}", "nothing"),
        ("{{ event.name | no name }}", "no name"),
        ("{{ context.library.name }}", "x"),
        ("<https://acme.example|{{ userId }}> {{7*7}}", "<https://acme.example|u1> {{7*7}}"),
        ("{{ event | a < b }} {{ groupId | a < b }}", "Order Completed a &lt; b"),
    ],
)
def test_a_message_is_written_as_the_template_says(template: str | None, text: str):
    assert written(template) == text


def test_an_identify_has_a_line_too():
    assert written(type="identify", event=None, context={}, traits={"email": "a@b.example"}) == (
        "*Identify* by a@b.example"
    )
    assert written(type="identify", event=None, context={}) == "*Identify* by u1"
    assert written(context="odd", userId=None) == "*Order Completed* by somebody"


@pytest.mark.parametrize("value", ["<!channel>", "<@U123>", "<https://evil.example|click>", "&lt;!here&gt;"])
def test_no_customer_can_call_a_channel(value: str):
    text = written("{{ properties.note }}", properties={"note": value})

    assert "<" not in text
    assert text.count("&") == text.count("&lt;") + text.count("&gt;") + text.count("&amp;")


def test_a_line_is_not_longer_than_slack_likes():
    assert len(written("{{ properties.a }}" * 100, properties={"a": "x" * 600})) == 4000


def test_nothing_to_say_is_not_sent():
    with pytest.raises(Invalid, match="text is empty"):
        written("{{ properties.nothing }}")


def test_channel_and_name_are_sent_where_they_are_set():
    settings = read_settings("slack", {"url": URL, "channel": "#feedback", "username": "Heard"})

    said = json.loads(made("slack", [a_document()], settings).body)

    assert (said["channel"], said["username"]) == ("#feedback", "Heard")
