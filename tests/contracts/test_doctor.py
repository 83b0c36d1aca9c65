"""What `heard doctor` finds, against a name server and a mail server on loopback."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from heard import config
from heard.errors import Invalid
from heard.operations import doctor as room
from heard.operations import mail, workspace_file
from heard.operations.opening import open_installation
from tests.contracts.mail_server import MailServer, mail_server
from tests.contracts.name_server import NameServer, name_server

__all__ = ["mail_server", "name_server"]  # the fixtures

FROM = "Acme <feedback@news.acme.example>"
SPF, DMARC = "v=spf1 include:_spf.mail.example ~all", "v=DMARC1; p=quarantine; rua=mailto:dmarc@acme.example"
PUBLIC = "https://feedback.acme.example"


def found(
    tmp_path: Path, server: NameServer, story: Any = None, *, sender: str = FROM, **settings: str
) -> dict[str, str]:
    """What is found, by check: `verdict: said`."""

    async def look() -> dict[str, str]:
        given = {"HEARD_DNS_SERVER": server.setting, "HEARD_BASE_URL": PUBLIC, **settings}
        app = open_installation(config.read(given, data=tmp_path / "data"))
        try:
            brand = {"name": "Acme", **({"from": sender} if sender else {})}
            await workspace_file.apply(app, content={"workspace": "Acme", "brand": brand})
            if story is not None:
                await story(app)
            told = await room.doctor(app)
            worst = max(("good", "warning", "wrong").index(each["verdict"]) for each in told["checks"])
            assert ("good", "warning", "wrong")[worst] == told["verdict"]
            assert [each for each in told["checks"] if (each["verdict"] == "good") != (each["fix"] == "")] == []
            return {each["check"]: f"{each['verdict']}: {each['said']}" for each in told["checks"]}
        finally:
            await app.close()

    return asyncio.run(look())


@pytest.mark.parametrize(
    ("texts", "verdict", "said"),
    [
        (None, "wrong", "does not say which servers may send"),
        (["google-site-verification=1"], "wrong", "does not say which servers may send"),
        ([SPF, "v=spf1 -all"], "wrong", "has 2 SPF records"),
        (["v=spf1 +all"], "wrong", "every server in the world"),
        (["v=spf1 include:_spf.mail.example"], "warning", "does not say what others are"),
        (["v=spf1 redirect=_spf.mail.example"], "good", "says which servers may send"),
        (["other", SPF], "good", SPF),
    ],
)
def test_spf(tmp_path: Path, name_server: NameServer, texts: list[str] | None, verdict: str, said: str):
    if texts is not None:
        name_server.texts["news.acme.example"] = texts
    line = found(tmp_path, name_server)["SPF"]

    assert line.startswith(verdict)
    assert said in line


@pytest.mark.parametrize(
    ("name", "texts", "verdict", "said"),
    [
        ("_dmarc.news.acme.example", [DMARC], "good", "is quarantine, at _dmarc.news.acme.example"),
        ("_dmarc.acme.example", [DMARC], "good", "is quarantine, at _dmarc.acme.example"),
        ("_dmarc.example", [DMARC], "wrong", "publishes no policy"),  # nobody's domain
        ("_dmarc.news.acme.example", ["v=spf1 -all"], "wrong", "publishes no policy"),
        ("_dmarc.news.acme.example", [DMARC, DMARC + ";"], "wrong", "has 2 DMARC records"),
        ("_dmarc.news.acme.example", ["v=DMARC1; p=nothing"], "wrong", "no policy that counts"),
        ("_dmarc.news.acme.example", ["v=DMARC1; p=none"], "warning", "nobody is told"),
    ],
)
def test_dmarc(tmp_path: Path, name_server: NameServer, name: str, texts: list[str], verdict: str, said: str):
    name_server.texts[name] = texts
    line = found(tmp_path, name_server)["DMARC"]

    assert line.startswith(verdict)
    assert said in line


def test_a_key_waits_until_its_record_is_seen_and_then_signs(tmp_path: Path, name_server: NameServer):
    lines: dict[str, str] = {}

    async def story(app: Any) -> None:
        async def line() -> str:
            return next(each["said"] for each in (await room.doctor(app))["checks"] if each["check"] == "DKIM")

        lines["none"] = await line()
        key = await mail.make_dkim_key(app, 1, by="ted")
        assert await mail.make_dkim_key(app, 1, by="ted") == key
        lines["waits"] = await line()
        with pytest.raises(Invalid, match="Nothing is published there"):
            await mail.begin_to_sign(app, 1, by="ted")
        name_server.texts[key.name] = ["v=DKIM1; k=rsa; p=" + key.public_key[:-4]]
        with pytest.raises(Invalid, match="Something else is published there"):
            await mail.begin_to_sign(app, 1, by="ted")
        name_server.texts[key.name] = [key.record]
        lines["published"] = await line()
        await mail.begin_to_sign(app, 1, by="ted")
        lines["signs"] = await line()
        del name_server.texts[key.name]
        lines["gone"] = await line()
        # A second key waits beside the first, which signs on.
        second = await mail.make_dkim_key(app, 1, by="ted")
        settings = app.mail_of(1)
        assert settings.signs("news.acme.example").selector == key.selector
        assert settings.waits("news.acme.example") == second != key
        name_server.texts[second.name] = [second.record]
        await mail.begin_to_sign(app, 1, by="ted")
        assert [each.selector for each in app.mail_of(1).dkim] == [second.selector]

    last = found(tmp_path, name_server, story)

    assert lines["none"] == "Heard signs no mails of news.acme.example."
    assert lines["waits"].startswith("A key waits")
    assert lines["published"].endswith("signs nothing yet.")
    assert lines["signs"].startswith("Mails of news.acme.example are signed")
    assert lines["gone"].startswith("Mails are signed, but no key is published")
    assert last["Alignment"].startswith("good")


def test_a_server_that_does_not_answer_is_a_warning_and_no_fault(tmp_path: Path, name_server: NameServer):
    name_server.silent = True
    lines = found(tmp_path, name_server)

    assert lines["SPF"].startswith("warning: The name servers could not be asked for news.acme.example")
    assert lines["DMARC"].startswith("warning: The name servers could not be asked")


def test_without_a_sender_nothing_is_looked_up(tmp_path: Path, name_server: NameServer):
    assert found(tmp_path, name_server, sender="")["Sender"].startswith("wrong")
    assert name_server.asked == []


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        (PUBLIC, "good"),
        ("http://feedback.acme.example", "wrong"),
        ("http://localhost:8800", "wrong"),
        ("https://127.0.0.1", "wrong"),
        ("https://10.1.2.3", "wrong"),
        ("https://[::1]:8800", "wrong"),
        ("https://heard", "wrong"),
        ("https://203.0.113.9.nip.example", "good"),
    ],
)
def test_the_address_has_to_be_one_that_people_can_open(
    tmp_path: Path, name_server: NameServer, address: str, verdict: str
):
    assert found(tmp_path, name_server, HEARD_BASE_URL=address)["Address"].startswith(verdict)


def test_the_mail_server_is_tried(tmp_path: Path, name_server: NameServer, mail_server: MailServer):
    url = mail_server.url
    assert found(tmp_path, name_server)["Mail server"].startswith("wrong: HEARD_SMTP_URL is not set")
    taken = found(tmp_path, name_server, HEARD_SMTP_URL=url)["Mail server"]
    assert taken == f"good: 127.0.0.1:{mail_server.port} takes mails."
    ignored = found(tmp_path, name_server, HEARD_SMTP_URL=url.replace("//", "//ted:secret@"))["Mail server"]
    assert ignored.startswith("warning")
    assert "offers no login" in ignored
    assert found(tmp_path, name_server, HEARD_SMTP_URL="smtp://127.0.0.1:9")["Mail server"].startswith("wrong")


def test_a_login_that_is_refused_is_wrong_and_its_password_not_shown(tmp_path: Path, name_server: NameServer):
    with MailServer(password="right") as server:
        good = found(tmp_path, name_server, HEARD_SMTP_URL=server.url.replace("//", "//ted:right@"))["Mail server"]
        bad = found(tmp_path, name_server, HEARD_SMTP_URL=server.url.replace("//", "//ted:wr0ng@"))["Mail server"]

    assert good.endswith("takes mails, logged in.")
    assert bad.startswith("wrong")
    assert "wr0ng" not in bad


def test_encryption_is_told(tmp_path: Path, name_server: NameServer):
    with MailServer(tls="offered") as server:
        url = f"{server.url}?verify=no"
        assert found(tmp_path, name_server, HEARD_SMTP_URL=url)["Mail server"].endswith("takes mails, encrypted.")


def test_a_secret_that_others_can_read_is_wrong(tmp_path: Path, name_server: NameServer):
    assert found(tmp_path, name_server)["Secret"].startswith("good")
    (tmp_path / "data/secret").chmod(0o644)

    assert found(tmp_path, name_server)["Secret"].startswith("wrong")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_a_name_server_is_named_by_its_address(tmp_path: Path, written: str, read: tuple[str, int]):
    assert config.read({"HEARD_DNS_SERVER": written}, data=tmp_path).dns_server == read


@pytest.mark.parametrize("written", ["ns.example", "192.0.2.1:0", "192.0.2.1:x", "[::1]", "1.2.3.4:99999", ":53"])
def test_what_names_no_server_is_refused(tmp_path: Path, written: str):
    with pytest.raises(Invalid, match="HEARD_DNS_SERVER"):
        config.read({"HEARD_DNS_SERVER": written}, data=tmp_path)
