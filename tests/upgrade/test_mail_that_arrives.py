"""From before reports of mails (0011): what was sent then can be reported of."""

from __future__ import annotations

from functools import partial

from heard import ids
from heard.deliveries.notice import Notice, NoticeKind
from heard.steps import report
from heard.store import migrate, schema, tables
from heard.store.store import Store
from tests.contracts.desk import ACME, Desk
from tests.upgrade.undone import back_to_0011, do


def test_a_mail_of_before_the_upgrade_bounces_after_it(url: str):
    desk = Desk(url)
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    (sent,) = desk.send()
    desk.close()
    do(url, back_to_0011)
    do(url, migrate.upgrade)
    store = Store(url)
    try:
        assert store.read_now(schema.version) == schema.CURRENT
        quoted = ids.message_id(sent.id, "acme.example").strip("<>")
        bounce = Notice(kind=NoticeKind.HARD, id="1", address="", message_id=quoted)
        taking = partial(report.take, provider="ses", notices=[bounce], anybody=False, now=desk.now)
        store.write_now(lambda connection: taking(connection, ACME))

        row = store.read_now(lambda connection: connection.execute(tables.deliveries.select()).one())
        assert (row.state, row.error) == ("failed", "It bounced.")
    finally:
        store.close()
