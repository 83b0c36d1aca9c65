"""From before mails were counted by the hour (0014): what was scheduled goes out, and counts."""

from __future__ import annotations

from functools import partial

from heard.accounts.mail_settings import MailSettings, Rates
from heard.steps import send
from heard.store import deliveries, directory, mail_settings, migrate, schema, tables
from heard.store.store import Store
from tests.contracts.desk import ACME, Desk
from tests.upgrade.undone import back_to_0014, do


def test_what_waited_before_the_upgrade_goes_out_after_it_within_a_rate(url: str):
    desk = Desk(url)
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.receive(desk.identify("lily", email="lily@aldrin.example"), desk.track("lily"))
    desk.close()
    do(url, back_to_0014)
    do(url, migrate.upgrade)
    store = Store(url)
    try:
        assert store.read_now(schema.version) == schema.CURRENT
        rates = MailSettings(rates=Rates(hour=1))
        store.write_now(partial(mail_settings.keep, workspace=ACME, settings=rates))
        due = store.read_now(partial(deliveries.due, now=desk.now, limit=9))
        claim = partial(send.still_wanted, claimed=due, directory=store.read_now(directory.load), now=desk.now)

        assert len(store.write_now(claim)) == 1
        counted = store.read_now(lambda connection: connection.execute(tables.handed_over.select()).all())
        assert [(row.mails, row.put_off) for row in counted] == [(1, 0), (0, 1)]
    finally:
        store.close()
