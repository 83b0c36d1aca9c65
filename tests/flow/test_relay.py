"""A real relay between Heard and the world, Debian's OpenSMTPD: what arrives behind it is still signed, and the bounce
it writes for a mailbox that nobody has comes back to Heard and ends the asking there."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dkim
import httpx
import pytest

from tests.contracts.mail_server import MailServer, free_port, in_turn
from tests.contracts.name_server import NameServer, name_server
from tests.flow.running import ACME, RunningHeard, eventually
from tests.web.visitors import Visitor, code_in, owner

__all__ = ["name_server"]  # the fixture

SMTPD = shutil.which("smtpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIG = """\
listen on 127.0.0.1 port {port} hostname relay.acme.example
action "on" relay host smtp://127.0.0.1:{sink}
match from any for any action "on"
"""


@pytest.fixture
def sink() -> Iterator[MailServer]:
    """The world behind the relay."""
    with MailServer() as server:
        yield server


@pytest.fixture
def relay(tmp_path: Path, sink: MailServer) -> Iterator[str]:
    """Its URL. OpenSMTPD keeps its queue in /var/spool/smtpd, and starts as root only."""
    reason = None if SMTPD else "there is no OpenSMTPD: scripts/setup-tests installs it where it can"
    if reason is None and os.getuid() != 0:
        reason = "OpenSMTPD has to be started by root"
    if reason is not None:
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    port, config = free_port(), tmp_path / "smtpd.conf"
    config.write_text(CONFIG.format(port=port, sink=sink.port))
    config.chmod(0o600)
    with (tmp_path / "smtpd.log").open("w") as log:
        running = subprocess.Popen([str(SMTPD), "-d", "-f", str(config)], stdout=log, stderr=log)
        try:
            eventually(lambda: running.poll() is None and listens(port), what="the relay")
            yield f"smtp://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(timeout=10)


def test_what_arrives_behind_a_relay_is_signed_and_its_bounce_stops_the_mailbox(
    tmp_path: Path, relay: str, sink: MailServer, name_server: NameServer
):
    environment = {"HEARD_SMTP_URL": relay, "HEARD_DNS_SERVER": name_server.setting}
    with RunningHeard(tmp_path / "data", workspace=ACME, environment=environment) as heard:
        ted = owner(heard)
        signs(ted, name_server)
        order(heard, "marshall")
        (arrived,) = eventually(lambda: sink.taken, what="a mail behind the relay")
        content = arrived.content or b""
        assert b"by relay.acme.example (OpenSMTPD) with ESMTP" in content
        assert dkim.verify(content, dnsfunc=lambda name, timeout=5: name_server.texts[name.decode().rstrip(".")][0])

        sink.recipient = in_turn("550 5.1.1 nobody here has this name", "250 OK")
        order(heard, "lily")
        bounce = eventually(lambda: sink.taken[1:], what="the bounce")[0]
        assert (bounce.mail_from, bounce.rcpt_tos) == ("<>", ["feedback@acme.example"])
        assert b"Content-Type: message/delivery-status" in (bounce.content or b"")
        assert heard.get("deliveries", user_id="lily")["data"][0]["state"] == "sent"  # the relay had said yes

        address = re.findall(r"http\S+/hooks/email/dsn/mail-[\w-]+", ted.get("/settings/mail"))[0]
        told = httpx.post(address, content=bounce.content or b"", headers={"Content-Type": "message/rfc822"})
        assert told.json() == {"kept": 1, "repeated": 0, "not_ours": 0}
        (failed,) = heard.get("deliveries", user_id="lily")["data"]
        assert failed["state"] == "failed"
        assert heard.get("contacts/lily")["status"] == "bounced"


def signs(ted: Visitor, name_server: NameServer) -> None:
    ted.post("/settings/mail/dkim", {"act": "make"})
    page = ted.get("/settings/mail")
    name_server.texts[code_in(page, "Name of the record")] = [code_in(page, "Text of the record")]
    ted.post("/settings/mail/dkim", {"act": "begin"})


def order(heard: RunningHeard, user: str) -> None:
    heard.send("identify", userId=user, traits={"email": f"{user}@eriksen.example"})
    heard.send("track", userId=user, event="Order Completed", properties={"total": 40})
    heard.settle()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
