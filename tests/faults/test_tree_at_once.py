"""Fifty orders of one customer at one moment, over fifty connections: one survey, and forty-nine reasons why not."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from tests.contracts.mail_server import MailServer
from tests.faults import promises
from tests.flow.running import RunningHeard

AT_ONCE = 50


def test_however_many_orders_come_at_once_one_survey_goes_out(tmp_path: Path):
    with (
        MailServer() as mailbox,
        RunningHeard(tmp_path / "data", environment={"HEARD_SMTP_URL": mailbox.url}) as heard,
    ):
        heard.send("identify", userId="ted", traits={"email": "ted@mosby.example"})
        heard.send("identify", userId="teddy", traits={"email": "TED@mosby.example"})  # the same mailbox
        heard.settle()
        together = Barrier(AT_ONCE)

        def order(number: int) -> None:
            user = ("ted", "teddy")[number % 2]
            together.wait(10)
            heard.send(
                "track", userId=user, event="Order Completed", properties={"total": 25}, messageId=f"order-{number}"
            )

        with ThreadPoolExecutor(AT_ONCE) as customers:
            list(customers.map(order, range(AT_ONCE)))
        heard.settle()

        decisions = [each for user in ("ted", "teddy") for each in heard.get(f"contacts/{user}/why")["decisions"]]
        assert Counter(each["outcome"] for each in decisions) == {"invited": 1, "declined": AT_ONCE - 1}
        assert len(mailbox.taken) == 1
        heard.stop()
        orders = [f"order-{number}" for number in range(AT_ONCE)]
        promises.check_all(heard.data, acknowledged=orders, mails=mailbox.taken, most_unknown=0)
