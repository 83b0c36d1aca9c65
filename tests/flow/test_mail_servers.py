"""Two workspaces, each with a mail server of its own: whose mail comes from where, and what a member may choose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contracts.mail_server import MailServer
from tests.flow.running import ACME, RunningHeard, eventually
from tests.web.visitors import Visitor, everything_kept, owner

PASSWORD = "correct-horse-battery"
GLOBEX = ACME.replace("Acme", "Globex").replace("acme", "globex")
LOOPBACK = {"HEARD_ALLOW_PRIVATE_NETWORK": "on"}


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path / "data", environment=LOOPBACK) as running:
        running.apply(GLOBEX)
        yield running


@pytest.fixture
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


def test_each_workspace_mails_through_its_own_server_and_the_others_through_the_outbox(
    heard: RunningHeard, ted: Visitor
):
    with MailServer(password=PASSWORD) as server:
        ted.post("/settings/mail/server", of(server, user="acme", password=PASSWORD))
        order(heard, "acme", "marshall")
        order(heard, "globex", "lily")

        assert [each.rcpt_tos for each in server.taken] == [["marshall@eriksen.example"]]
        assert server.users == ["acme"]
        assert kept_in_outbox(heard) == 1

        ted.post("/settings/mail/server", {"act": "remove"})
        order(heard, "acme", "barney")
        assert (len(server.taken), kept_in_outbox(heard)) == (1, 2)


def test_the_password_is_written_once_and_read_by_nobody(heard: RunningHeard, ted: Visitor):
    with MailServer(password=PASSWORD) as server:
        with_user = server.url.replace("//", f"//acme:{PASSWORD}@")
        ted.post("/settings/mail/server", {"act": "set", "server": with_user, "user": "", "password": ""})
        ted.post("/settings/mail/server", of(server, user="acme"))  # left empty, it stays
        order(heard, "acme", "marshall")
        assert server.users == ["acme"]

        refused = ted.post("/settings/mail/server", of(server, user="other"), status=422)
        assert 'id="password-error"' in refused  # nobody takes it along to another account
        moved = of(server, user="acme") | {"server": "smtp://127.0.0.1:2525"}
        assert 'id="password-error"' in ted.post("/settings/mail/server", moved, status=422)
        broken = {
            "act": "set",
            "server": f"smtp://acme:{PASSWORD}@mail.example:99999",
            "user": "",
            "password": PASSWORD,
        }
        shown = [
            refused,
            ted.post("/settings/mail/server", broken, status=422),
            ted.get("/settings/mail"),
            ted.get("/settings/audit"),
            str(heard.cli("export", "--json", "--workspace", "Acme")),
            str(heard.cli("doctor", "--json", code=1)),
        ]
        heard.stop()

    shown.append(everything_kept(heard).decode("latin-1"))
    assert not [text[:80] for text in shown if PASSWORD in text]


def test_a_test_mail_tells_what_the_server_answered(heard: RunningHeard, ted: Visitor):
    assert "go to the outbox" in ted.post("/settings/mail/server", {"act": "try"}, status=422)
    with MailServer(password=PASSWORD) as server:
        ted.post("/settings/mail/server", of(server, user="acme", password="wrong"))
        assert "The mail server answered 535" in ted.post("/settings/mail/server", {"act": "try"}, status=422)
        ted.post("/settings/mail/server", of(server, user="acme", password=PASSWORD))
        ted.post("/settings/mail/server", {"act": "try"})
        assert "It answered: 250 2.0.0 taken" in ted.get("/settings/mail")
        (mail,) = server.taken
        assert mail.rcpt_tos == [heard.owner[0]]
        assert isinstance(mail.content, bytes)
        assert b"Subject: Test mail from Heard" in mail.content
    assert "refuses connections" in ted.post("/settings/mail/server", {"act": "try"}, status=422)
    assert "sent a test mail through smtp://127.0.0.1" in ted.get("/settings/audit")


@pytest.mark.parametrize(
    ("server", "field", "said"),
    [
        ("mail.example", "server", "write it like smtp://"),
        ("http://mail.example", "server", "write it like smtp://"),
        ("smtp://mail.example:22", "server", "Use port 25, 465, 587"),
        ("smtp://mail.example/?tls=no", "server", "there is no option"),
        ("smtp://0x7f000001:2525", "server", "four decimal numbers"),
        ("smtp://:secret@mail.example", "user", "Write the user"),
        ("smtp://acme@mail.example", "password", "Write the password"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_field(ted: Visitor, server: str, field: str, said: str):
    page = ted.post("/settings/mail/server", {"act": "set", "server": server, "user": "", "password": ""}, status=422)
    assert f'id="{field}-error"' in page
    assert said in page
    assert "secret@" not in page


def test_no_member_reaches_the_private_network_by_mail(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard, MailServer() as server:
        ted = owner(heard)
        for host in ("127.0.0.1", "localhost", "[::1]", "10.0.0.7", "169.254.169.254", "mail.internal"):
            form = {"act": "set", "server": f"smtp://{host}:{server.port}", "user": "", "password": ""}
            assert "not on the public internet" in ted.post("/settings/mail/server", form, status=422)
        assert not server.sessions


def test_a_server_that_was_allowed_before_is_judged_at_every_connection(tmp_path: Path):
    with MailServer() as server, RunningHeard(tmp_path / "data", environment=LOOPBACK) as heard:
        owner(heard).post("/settings/mail/server", of(server))
        heard.stop()
        heard.environment.pop("HEARD_ALLOW_PRIVATE_NETWORK")
        heard.start()
        order(heard, "acme", "marshall")

        assert not server.sessions
        (waits,) = heard.get("deliveries", user_id="marshall")["data"]
        assert (waits["state"], waits["attempts"]) == ("scheduled", 1)
        assert "not on the public internet" in waits["error"]


def test_a_copy_that_must_mail_nobody_uses_no_server_of_a_workspace(heard: RunningHeard, ted: Visitor):
    with MailServer() as server:
        ted.post("/settings/mail/server", of(server))
        heard.stop()
        heard.environment["HEARD_OWN_MAIL_SERVERS"] = "off"
        heard.start()
        order(heard, "acme", "marshall")

        assert not server.sessions
        assert kept_in_outbox(heard) == 1
        ted = owner(heard)
        assert "not used here" in ted.get("/settings/mail")
        assert "HEARD_OWN_MAIL_SERVERS" in ted.post("/settings/mail/server", of(server), status=422)


def test_under_another_secret_mails_wait_and_doctor_says_why(heard: RunningHeard, ted: Visitor):
    with MailServer(password=PASSWORD) as server:
        ted.post("/settings/mail/server", of(server, user="acme", password=PASSWORD))
        heard.stop()
        heard.environment["HEARD_SECRET"] = "quite another secret of 32 letters"
        heard.start()
        order(heard, "acme", "marshall")

        assert not server.sessions
        assert kept_in_outbox(heard) == 0  # and it goes nowhere else meanwhile
        assert heard.get("deliveries", user_id="marshall")["data"][0]["state"] == "scheduled"
        assert "Write the password again" in heard.cli("doctor", "--workspace", "Acme", code=1)
        ready = httpx.get(f"{heard.url}/ready")
        assert (ready.status_code, ready.json()["apart"]) == (200, ["mail server of workspace 1"])

        owner(heard).post("/settings/mail/server", of(server, user="acme", password=PASSWORD))
        heard.advance("5m")
        eventually(lambda: server.taken, what="the mail")
        assert "apart" not in httpx.get(f"{heard.url}/ready").json()


def of(server: MailServer, *, user: str = "", password: str = "") -> dict[str, str]:
    return {"act": "set", "server": server.url, "user": user, "password": password}


def order(heard: RunningHeard, workspace: str, user: str) -> None:
    for kind, said in (
        ("identify", {"traits": {"email": f"{user}@eriksen.example"}}),
        ("track", {"event": "Order Completed", "properties": {"total": 40}}),
    ):
        key = f"wk_{workspace}_website"
        sent = httpx.post(f"{heard.url}/v1/{kind}", json={"userId": user, **said}, auth=(key, ""), timeout=10)
        assert sent.json() == {"success": True}
    heard.settle()


def kept_in_outbox(heard: RunningHeard) -> int:
    return len(list((heard.data / "outbox").glob("*.eml")))
