"""`kill -9` while first mails are handed over: whoever was asked, or may have been, is reminded once."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections import Counter
from pathlib import Path

from aiosmtpd.smtp import SMTP

from tests.contracts.mail_server import TAKEN, MailServer
from tests.faults.promises import message_id
from tests.flow.running import ACME, RunningHeard, eventually

CUSTOMERS, KILLS = 60, 5
WITH_REMINDER = ACME.replace("throttle: 90d", "throttle: 90d\n    reminder: 3d")


async def slowly(_: SMTP) -> str:
    """So that a kill finds mails of which nobody knows."""
    await asyncio.sleep(0.05)
    return TAKEN


def test_a_kill_around_the_first_mails_outcome_makes_neither_two_reminders_nor_none(tmp_path: Path):
    seed = time.time_ns() & 0xFFFF
    chance = random.Random(seed)
    print(f"seed {seed}")
    with MailServer() as server:
        server.data = slowly
        smtp = {"HEARD_SMTP_URL": server.url, "HEARD_SMTP_CONNECTIONS": "4"}
        with RunningHeard(tmp_path / "data", environment=smtp, workspace=WITH_REMINDER) as heard:
            for round_ in range(KILLS):
                for number in range(CUSTOMERS // KILLS):
                    user = f"shopper{round_}-{number}"
                    heard.send("identify", userId=user, traits={"email": f"{user}@acme.example"})
                    heard.send("track", userId=user, event="Order Completed", properties={"total": 25})
                time.sleep(chance.uniform(0, 0.05))
                heard.kill()
                heard.launch()
                eventually(heard.is_ready, seconds=60, what="ready")
            heard.settle()
            heard.advance("4d")
            heard.stop()
            with sqlite3.connect(f"file:{heard.data / 'heard.db'}?mode=ro", uri=True) as database:
                rows = database.execute("SELECT decision_id, kind, state, id FROM deliveries").fetchall()

        firsts = {decision: state for decision, kind, state, _ in rows if kind == "first"}
        assert len(firsts) == CUSTOMERS
        print(Counter(firsts.values()))
        assert set(firsts.values()) <= {"sent", "unknown"}
        reminders = Counter(decision for decision, kind, _, _ in rows if kind == "reminder")
        assert reminders == Counter(firsts.keys())
        assert {state for _, kind, state, _ in rows if kind == "reminder"} == {"sent"}
        taken = Counter(message_id(mail) for mail in server.taken)
        assert set(taken.values()) == {1}
        assert {name for _, kind, _, name in rows if kind == "reminder"} <= taken.keys()
