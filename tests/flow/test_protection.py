"""A server that refuses every mailbox stops a campaign by itself; the page says why, and activating it goes on."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from tests.contracts.mail_server import MailServer
from tests.flow.running import ACME, RunningHeard, eventually
from tests.web.visitors import owner

PEOPLE = 140


def test_a_campaign_to_mailboxes_that_nobody_has_stops_by_itself(tmp_path: Path):
    with MailServer() as server:
        server.recipient = "550 5.1.1 no such user"
        with RunningHeard(tmp_path / "data", workspace=ACME, environment={"HEARD_SMTP_URL": server.url}) as heard:
            invite(heard, "user")
            eventually(lambda: campaign(heard)["status"] == "paused", seconds=60, what="paused")
            heard.settle()

            failed = heard.get("deliveries", state="failed", limit=200)["data"]
            waiting = heard.get("deliveries", state="scheduled", limit=200)["data"]
            assert 100 <= len(failed) < PEOPLE
            assert len(failed) + len(waiting) == PEOPLE
            ted = owner(heard)
            page = ted.get("/campaigns/1")
            assert "Heard paused this campaign" in page
            assert "mailboxes that nobody has: more than 5.0%." in page
            assert re.search(r"paused the campaign Post-purchase: (\d+) of \1 mails", ted.get("/settings/audit"))

            server.recipient = "250 OK"
            heard.post("campaigns/Post-purchase/activate")
            heard.advance("1h")  # what fell due meanwhile goes out one a minute, not all at once
            heard.settle()
            assert heard.get("deliveries", state="scheduled")["data"] == []
            assert "Heard paused this campaign" not in ted.get("/campaigns/1")


def invite(heard: RunningHeard, name: str) -> None:
    people = [f"{name}{number}" for number in range(PEOPLE)]
    batch = [{"type": "identify", "userId": who, "traits": {"email": f"{who}@mosby.example"}} for who in people]
    batch += [
        {"type": "track", "userId": who, "event": "Order Completed", "properties": {"total": 40}} for who in people
    ]
    sent = httpx.post(f"{heard.url}/v1/batch", json={"batch": batch}, auth=("wk_acme_website", ""), timeout=30)
    assert sent.status_code == 200


def campaign(heard: RunningHeard) -> dict[str, str]:
    return next(each for each in heard.cli("export", "--json")["campaigns"])
