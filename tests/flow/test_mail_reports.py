"""Reports come in at the public port, under the workspace's own key, and change what the API says."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flow.running import ACME, RunningHeard
from tests.spec.test_mail_reports import BOUNCE, OURS, of_mailgun
from tests.web.visitors import Visitor, code_in, member, owner


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("reports") / "data", workspace=ACME) as running:
        for user in ("marshall", "lily"):
            running.send("identify", userId=user, traits={"email": f"{user}@eriksen.example"})
            running.send("track", userId=user, event="Order Completed", properties={"total": 40})
        running.settle()
        yield running


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


def address(ted: Visitor) -> str:
    return code_in(ted.get("/settings/mail"), "Address for Amazon SES").rpartition("/")[2]


def post(heard: RunningHeard, key: str, provider: str, body: Any, *, status: int = 200) -> dict[str, Any]:
    sent: Any = {"content": body} if isinstance(body, bytes) else {"json": body}
    answer = httpx.post(f"{heard.url}/hooks/email/{provider}/{key}", timeout=20, **sent)
    assert answer.status_code == status, answer.text
    return answer.json()


def sent_to(heard: RunningHeard, user: str) -> dict[str, Any]:
    return heard.get("/deliveries", user_id=user)["data"][0]


def test_a_mail_that_came_back_whole_fails_its_delivery(heard: RunningHeard, ted: Visitor):
    delivery = sent_to(heard, "marshall")
    bounce = BOUNCE.replace(OURS, f"{delivery['id']}@acme.example").encode()

    assert post(heard, address(ted), "smtp", bounce) == {"kept": 1, "repeated": 0, "not_ours": 0}
    assert post(heard, address(ted), "dsn", bounce)["repeated"] == 1

    failed = sent_to(heard, "marshall")
    assert (failed["state"], failed["error"].split(":")[0]) == ("failed", "It bounced")
    assert heard.get("/contacts/marshall")["status"] == "bounced"
    contact = heard.get("/contacts/marshall")["id"]
    page = ted.get(f"/contacts/{contact}")
    assert "The mailbox refused a mail" in page
    assert "It bounced" in page
    assert "last report" in ted.get("/settings/mail")


def test_only_the_workspaces_own_key_opens_the_address(heard: RunningHeard, ted: Visitor):
    key = address(ted)
    for wrong in (key[:-1] + ("0" if key[-1] != "0" else "1"), "wk_acme_website", "mail-1-", "x" * 500):
        refused = post(heard, wrong, "ses", {}, status=401)
        assert "Settings > Mail" in refused["error"]["message"]
    assert "sendgrid" in post(heard, key, "sparkpost", {}, status=404)["error"]["message"]
    assert post(heard, key, "mailgun", b"{", status=400)["error"]["message"] == "Mailgun sends JSON, and this is none."
    assert httpx.get(f"{heard.url}/hooks/email/ses/{key}").status_code == 405
    assert httpx.post(f"{heard.url}/hooks/email/ses/{key}", content=b" " * (3 << 20)).status_code == 413


def test_once_a_secret_is_kept_only_what_is_signed_is_believed(heard: RunningHeard, ted: Visitor):
    key, secret = address(ted), "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"
    event = of_mailgun("complained", recipient="lily@eriksen.example")
    mac = hmac.new(secret.encode(), b"1763812800token", "sha256").hexdigest()
    signature = {"timestamp": "1763812800", "token": "token", "signature": mac}

    ted.post("/settings/mail/secret", {"provider": "mailgun", "secret": secret})
    page = ted.get("/settings/mail")
    assert "Reports that Mailgun did not sign are refused." in page
    assert secret not in page
    assert secret not in ted.get("/settings/audit")
    assert "HTTP webhook signing key" in post(heard, key, "mailgun", event, status=401)["error"]["message"]
    assert sent_to(heard, "lily")["error"] is None
    assert post(heard, key, "mailgun", {**event, "signature": signature})["kept"] == 1
    assert heard.get("/contacts/lily")["status"] == "complained"

    ted.post("/settings/mail/secret", {"provider": "mailgun", "secret": ""})
    assert post(heard, key, "mailgun", event)["repeated"] == 1
    assert "Copy the verification key" in ted.post(
        "/settings/mail/secret", {"provider": "sendgrid", "secret": "none"}, status=422
    )


def test_once_a_topic_is_kept_only_what_amazon_sns_signed_is_believed(heard: RunningHeard, ted: Visitor):
    key, topic = address(ted), "arn:aws:sns:eu-west-1:123456789012:heard"
    bounce = {
        "notificationType": "Bounce",
        "mail": {"commonHeaders": {"messageId": "x"}},
        "bounce": {
            "bounceType": "Permanent",
            "feedbackId": "f1",
            "bouncedRecipients": [{"emailAddress": "lily@eriksen.example"}],
        },
    }
    envelope = {"Type": "Notification", "TopicArn": topic, "Message": json.dumps(bounce)}
    forged = {
        "SignatureVersion": "2",
        "Signature": "AAAA",
        "SigningCertURL": f"{heard.url}/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem",
    }
    ted.post("/settings/mail/secret", {"provider": "ses", "secret": topic})

    assert "did not sign" in post(heard, key, "ses", envelope, status=401)["error"]["message"]
    assert "does not lead to Amazon SNS" in post(heard, key, "ses", envelope | forged, status=401)["error"]["message"]
    other = post(heard, key, "ses", envelope | forged | {"TopicArn": "arn:2"}, status=401)["error"]["message"]
    assert "not from the SNS topic" in other
    raw = httpx.post(
        f"{heard.url}/hooks/email/ses/{key}", json=bounce, headers={"x-amz-sns-topic-arn": topic}, timeout=10
    )
    assert raw.status_code == 401
    assert sent_to(heard, "lily")["error"] is None

    ted.post("/settings/mail/secret", {"provider": "ses", "secret": ""})
    assert post(heard, key, "ses", envelope)["kept"] == 1


def test_a_new_address_ends_the_old_one(heard: RunningHeard, ted: Visitor):
    old = address(ted)
    ted.post("/settings/mail/secret", {"provider": "mailgun", "secret": ""})
    ted.post("/settings/mail/key")

    assert address(ted) != old
    post(heard, old, "mailgun", of_mailgun("opened"), status=401)
    assert post(heard, address(ted), "mailgun", of_mailgun("opened"))["kept"] == 0
    assert "made a new address" in ted.get("/settings/audit")


def test_who_may_not_set_up_does_not_see_the_key(heard: RunningHeard):
    viewer = member(heard, "barney@acme.example", "viewer")

    assert "mail-1-" not in viewer.get("/settings/mail", status=403)


def test_the_key_is_written_nowhere(heard: RunningHeard, ted: Visitor):
    key = address(ted).encode()

    files = [each for each in Path(heard.data).rglob("*") if each.is_file()]
    assert [each.name for each in files if key in each.read_bytes()] == []
