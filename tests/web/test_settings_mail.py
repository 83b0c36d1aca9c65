"""Settings > Mail: a key that is published, then signs what goes out; and what `heard doctor` says, on a page and in a
terminal."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dkim
import pytest

from tests.contracts.name_server import NameServer, name_server
from tests.flow.running import ACME, HEARD, RunningHeard
from tests.web.visitors import Visitor, code_in, owner

__all__ = ["name_server"]  # the fixture

DOMAIN = "acme.example"


@pytest.fixture
def heard(tmp_path: Path, name_server: NameServer) -> Iterator[RunningHeard]:
    environment = {"HEARD_DNS_SERVER": name_server.setting}
    with RunningHeard(tmp_path / "data", workspace=ACME, environment=environment) as running:
        yield running


@pytest.fixture
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


def test_a_key_is_made_published_and_signs_what_goes_out(heard: RunningHeard, ted: Visitor, name_server: NameServer):
    assert "need none of Heard" in ted.get("/settings/mail")
    ted.post("/settings/mail/dkim", {"act": "make"})
    page = ted.get("/settings/mail")
    name, record = code_in(page, "Name of the record"), code_in(page, "Text of the record")
    assert name.endswith(f"._domainkey.{DOMAIN}")
    assert "Nothing is published there." in ted.post("/settings/mail/dkim", {"act": "begin"}, status=422)
    assert b"DKIM-Signature" not in mail_to(heard, "marshall")

    name_server.texts[name] = [record]
    ted.post("/settings/mail/dkim", {"act": "begin"})

    assert "are signed since" in ted.get("/settings/mail")
    content = mail_to(heard, "lily")
    assert dkim.verify(content, dnsfunc=lambda asked, timeout=5: name_server.texts[asked.decode().rstrip(".")][0])
    for shown in (ted.get("/settings/mail"), ted.get("/settings/audit"), str(heard.cli("export", "--json"))):
        assert "PRIVATE KEY" not in shown
    assert f"began to sign mails of {DOMAIN}" in ted.get("/settings/audit")

    ted.post("/settings/mail/dkim", {"act": "stop"})
    assert b"DKIM-Signature" not in mail_to(heard, "robin")
    assert "Choose what to do" in ted.post("/settings/mail/dkim", {"act": "sell"}, status=422)


def test_the_page_and_the_command_say_the_same_and_wrong_ends_with_1(
    heard: RunningHeard, ted: Visitor, name_server: NameServer
):
    name_server.texts[DOMAIN] = ["v=spf1 include:_spf.mail.example ~all"]
    page = ted.get("/settings/mail/check")
    done = subprocess.run([HEARD, "doctor", "--json"], env=heard.environment, capture_output=True, check=False)
    told = json.loads(done.stdout)

    assert (done.returncode, told["verdict"]) == (1, "wrong")
    assert {each["check"]: each["verdict"] for each in told["checks"]} == {
        "Address": "wrong",
        "Mail server": "wrong",
        "Secret": "good",
        "Disk": told["checks"][3]["verdict"],
        "SPF": "good",
        "DKIM": "warning",
        "DMARC": "wrong",
        "Alignment": "warning",
    }
    for each in told["checks"][4:]:
        assert each["workspace"] == "Acme"
        assert each["said"] in page
        assert each["fix"] in page
    words = heard.cli("doctor", code=1)
    assert "✗ DMARC: acme.example publishes no policy" in words
    assert "✓ SPF" in words


def mail_to(heard: RunningHeard, user: str) -> bytes:
    heard.send("identify", userId=user, traits={"email": f"{user}@eriksen.example"})
    heard.send("track", userId=user, event="Order Completed", properties={"total": 40})
    heard.settle()
    newest = heard.get("deliveries", user_id=user)["data"][0]["id"]
    return next((heard.data / "outbox").glob(f"*-{newest}.eml")).read_bytes()


def test_rates_are_set_shown_with_what_went_out_and_hold(heard: RunningHeard, ted: Visitor):
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    heard.post("test-clock", {"to": f"{tomorrow}T10:00:00Z"})  # no hour ends while this is tried
    mail_to(heard, "marshall")
    limits = {"hour": "2", "day": "1,000", "domain": "", "warm_up": "2020-01-31"}
    for field, wrong in (("hour", "0"), ("day", "many"), ("domain", "1.5"), ("warm_up", "tomorrow")):
        page = ted.post("/settings/mail/rates", limits | {field: wrong}, status=422)
        assert f'id="{field}-error"' in page
        assert f'value="{wrong}"' in page
    ted.post("/settings/mail/rates", limits)
    mail_to(heard, "lily")
    for user in ("robin", "barney"):
        heard.send("identify", userId=user, traits={"email": f"{user}@eriksen.example"})
        heard.send("track", userId=user, event="Order Completed", properties={"total": 40})
    heard.settle()

    page = ted.get("/settings/mail")
    assert "<dt>This hour</dt><dd>2 of 2</dd>" in page
    assert "<dt>Today</dt><dd>2 of 1,000</dd>" in page  # the warm-up has long reached it
    assert "<dt>Waiting for room</dt><dd>2</dd>" in page
    assert "set how fast mails go out" in ted.get("/settings/audit")
    assert [heard.get("deliveries", user_id=user)["data"][0]["state"] for user in ("robin", "barney")] == [
        "scheduled",
        "scheduled",
    ]
    heard.advance("1h")
    assert [heard.get("deliveries", user_id=user)["data"][0]["state"] for user in ("robin", "barney")] == [
        "sent",
        "sent",
    ]
