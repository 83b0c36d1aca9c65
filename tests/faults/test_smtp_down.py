"""No mail server, and no database: what waits, waits whole, and goes out once."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import Counter
from pathlib import Path

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from tests.contracts.mail_server import TAKEN, MailServer
from tests.faults import promises
from tests.faults.customers import delivery_of, orders, states
from tests.flow.running import RunningHeard, eventually, free_port

BACKLOG = 60


def test_a_backlog_waits_for_the_mail_server_and_goes_out_once_each(tmp_path: Path):
    port = free_port()
    users = [f"customer{number}" for number in range(BACKLOG)]
    with RunningHeard(tmp_path / "data", environment={"HEARD_SMTP_URL": f"smtp://127.0.0.1:{port}"}) as heard:
        orders(heard, *users)
        heard.advance("2h")
        waiting = delivery_of(heard, users[0])
        assert waiting["state"] == "scheduled"
        assert "cannot be reached" in waiting["error"]
        unready = httpx.get(f"{heard.url}/ready")
        assert (unready.status_code, unready.json()["missing"]) == (503, ["mail server"])
        assert httpx.get(f"{heard.url}/health").status_code == 200  # it is not we who are broken

        mailbox = MailServer()
        server = Controller(mailbox, hostname="127.0.0.1", port=port)
        server.start()
        try:
            heard.advance("2h")
        finally:
            server.stop()
        assert Counter(states(heard, *users)) == {"sent": BACKLOG}
        assert heard.is_ready()
        heard.stop()

        kept = promises.check_all(heard.data, acknowledged=[], mails=mailbox.taken, most_unknown=0)
        assert kept.mails == BACKLOG


@pytest.mark.slow
def test_a_yes_that_came_while_the_database_was_locked_is_kept_when_it_opens(tmp_path: Path):
    """Somebody's backup or shell holds the lock for longer than the twelve seconds that a commit waits."""
    locked, handed_over = threading.Event(), threading.Event()

    async def taken_once_locked(server: SMTP) -> str:
        handed_over.set()
        await asyncio.to_thread(locked.wait, 30)
        return TAKEN

    with MailServer() as mailbox:
        mailbox.data = taken_once_locked
        with RunningHeard(tmp_path / "data", environment={"HEARD_SMTP_URL": mailbox.url}) as heard:
            orders(heard, "ted")
            assert handed_over.wait(15)
            other = sqlite3.connect(heard.data / "heard.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            locked.set()
            eventually(lambda: not heard.is_ready(), seconds=30, what="that it notices")
            assert states(heard, "ted") == ["sending"]
            orders(heard, "robin")  # the collector does not need the database
            other.execute("ROLLBACK")
            other.close()

            eventually(heard.is_ready, seconds=30, what="that it goes on")
            heard.settle()
            assert states(heard, "ted", "robin") == ["sent", "sent"]
            heard.stop()
            promises.check_all(heard.data, acknowledged=[], mails=mailbox.taken, most_unknown=0)
