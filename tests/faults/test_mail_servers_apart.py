"""One workspace's mail server hangs while another's works: nobody waits for it, and a kill in the middle mails nobody
twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx
from aiosmtpd.smtp import SMTP

from tests.contracts.mail_server import TAKEN, MailServer
from tests.faults import promises
from tests.flow.running import ACME, RunningHeard, eventually
from tests.web.visitors import Visitor, owner

GLOBEX = ACME.replace("Acme", "Globex").replace("acme", "globex")
MANY = 60  # more than one lane takes at a time


async def never(server: SMTP) -> str:
    """It took the text, and says nothing any more."""
    await asyncio.sleep(600)
    return TAKEN


def test_a_server_that_hangs_delays_nobody_else_and_a_kill_mails_nobody_twice(tmp_path: Path):
    with MailServer() as hangs, MailServer() as works:
        environment = {"HEARD_ALLOW_PRIVATE_NETWORK": "on"}
        with RunningHeard(tmp_path / "data", environment=environment, test_clock=False) as heard:
            heard.apply(GLOBEX)
            uses(owner(heard), hangs)
            globex = heard.cli(
                "users", "add", "ted@globex.example", "--role", "owner", "--workspace", "Globex", "--json"
            )
            uses(Visitor(heard.url).sign_in("ted@globex.example", globex["password"]), works)

            hangs.data = never
            for number in range(MANY):
                order(heard, "acme", f"acme{number}")
            eventually(lambda: len(hangs.sessions) >= 4, what="that all of its connections hang")
            for number in range(MANY):
                order(heard, "globex", f"globex{number}")
            eventually(lambda: len(works.taken) == MANY, seconds=60, what="the other workspace's mails")
            assert hangs.taken == []  # and it hung all the time
            assert httpx.get(f"{heard.url}/ready").status_code == 200
            heard.kill()

            hangs.data = TAKEN
            heard.start()
            eventually(lambda: len(hangs.taken) == MANY - 4, seconds=60, what="the mails that nobody had begun")
            states = Counter(each["state"] for each in heard.get("deliveries", limit=200)["data"])
            assert states == {"sent": MANY - 4, "unknown": 4}
            heard.stop()

            assert whose(hangs) == {"acme"}
            assert whose(works) == {"globex"}
            promises.check_all(heard.data, acknowledged=[], mails=hangs.taken + works.taken, most_unknown=4)


def uses(member: Visitor, server: MailServer) -> None:
    member.post("/settings/mail/server", {"act": "set", "server": server.url, "user": "", "password": ""})


def whose(server: MailServer) -> set[str]:
    return {each.rcpt_tos[0].partition("@")[2].partition(".")[0] for each in server.taken}


def order(heard: RunningHeard, workspace: str, user: str) -> None:
    identify = {"type": "identify", "userId": user, "traits": {"email": f"{user}@{workspace}.example"}}
    track = {"type": "track", "userId": user, "event": "Order Completed", "properties": {"total": 40}}
    key = f"wk_{workspace}_website"
    sent = httpx.post(f"{heard.url}/v1/batch", json={"batch": [identify, track]}, auth=(key, ""), timeout=10)
    assert sent.json() == {"success": True}
