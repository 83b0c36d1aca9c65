"""A dry run over the messages that are kept, beside the route loop over the same database and a scan of the rows.

    .venv/bin/python benchmarks/dry_run.py [--messages 10000000] [--contacts 200000]

Thirty days are filled by SQLite itself: one message in ten is an identify with an address, one in fifty the event of
the campaign, one in ten of those by somebody without a userId; the rest is pages and other tracks. Then

- ours:  `dry_run.result` over all thirty days: who did the event, each identify, each such event past the rules, asks
  on a ledger of their own, mails when they would be due;
- floor: every row of those days read once by SQLite, its body too, and nothing handed to Python (`scan`); and the rows
  that a dry run needs, brought into Python and not looked at (`fetch`);
- peer:  the route loop, and the bare upsert of its rows, as `route.py` measures them, afterwards.

A rate counts all messages that are kept, for the route loop those that it routes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import growth
import large_workspace as large
import yaml
from sqlalchemy import Connection
from tree import WORKSPACE, megabytes

from heard import config
from heard.contacts.contact import Contact
from heard.installation import Installation
from heard.messages.events import spellings
from heard.operations import dry_run, first_run, workspace_file
from heard.store import contacts, cursors, dialects, directory, then
from heard.store.days import day_of, make
from heard.store.types import micros

DAYS = 30
CAMPAIGN, EVENT = "Post-purchase", "Order Completed"
ROWS = """
WITH told AS (
  SELECT :first + n AS id, :begins + :length * n / :count AS at,
    CASE WHEN (:first + n) % 50 = 0 THEN 'track' WHEN (:first + n) % 10 = 5 THEN 'identify'
      WHEN (:first + n) % 10 < 3 THEN 'track' ELSE 'page' END AS type,
    CASE WHEN (:first + n) % 50 = 0 THEN 'Order Completed'
      WHEN (:first + n) % 10 < 3 THEN 'Product Viewed' END AS event,
    (:first + n) / 50 % 10 = 3 AS is_unknown,
    ((:first + n) * 7919 + (:first + n) / 7) % :people + 1 AS who
  FROM numbers WHERE n < :count
)
SELECT id, 1, :source, printf('m%d', id), type, event, CASE WHEN NOT is_unknown THEN printf('u_%07d', who) END,
  CASE WHEN is_unknown THEN printf('a-%d', who) END, at, at, 'accepted', NULL,
  CASE type WHEN 'identify' THEN printf('{"type":"identify","messageId":"m%d",%s,"traits":{"email":"p%d@shop.example",'
      || '"firstName":"Ada","plan":"Team","seats":%d},"context":{"library":{"name":"analytics-node"}}}',
      id, CASE WHEN is_unknown THEN printf('"anonymousId":"a-%d"', who) ELSE printf('"userId":"u_%07d"', who) END,
      who, id % 50)
    ELSE printf('{"type":"%s","event":"%s","messageId":"m%d",%s,"context":{"library":{"name":"analytics-node",'
      || '"version":"2.1.3"},"page":{"path":"/products/%d","referrer":"https://shop.example/"}},"integrations":{},'
      || '"properties":{"total":%d,"currency":"EUR","sku":"SKU-%d-%d","coupon":null}}', type, event, id,
      CASE WHEN is_unknown THEN printf('"anonymousId":"a-%d"', who) ELSE printf('"userId":"u_%07d"', who) END,
      id % 5000, id / 50 % 200, id % 977, id % 31) END, NULL
FROM told
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--messages", type=int, default=10_000_000)
    asked.add_argument("--contacts", type=int, default=200_000)
    given = asked.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        asyncio.run(_begin(data))
        began = time.monotonic()
        _fill(data / "heard.db", given.messages, given.contacts)
        size = (data / "heard.db").stat().st_size / 2**30
        print(f"{given.messages:,} messages of {DAYS} days, {size:.1f} GB, in {time.monotonic() - began:,.0f} s\n")
        compare(f"sqlite:///{data / 'heard.db'}", given.messages)
        growth.PEOPLE = given.contacts
        routed, upserted = growth.route_loop(data / "heard.db", 1)
    print(f"  {'route loop':<22} {routed:>11,.0f} messages/s   ({growth.ROUTED:,} a round, median of {growth.TURNS})")
    print(f"  {'bare upsert':<22} {upserted:>11,.0f} messages/s")


async def _begin(data: Path) -> None:
    app = Installation(config.read({"HEARD_LOG_LEVEL": "error"}, data=data))
    await first_run.init(app)
    await workspace_file.apply(app, content=yaml.safe_load(WORKSPACE))
    await app.close()


def _fill(database: Path, count: int, people: int) -> None:
    now = datetime.now(UTC)
    engine = dialects.open_engine(f"sqlite:///{database}", writer=True)
    with engine.begin() as opened:
        source = min(directory.load(opened).sources)
        for back in range(DAYS):
            make(opened, day_of(now - timedelta(days=back)))
        for first in range(1, people + 1, 10_000):
            some = range(first, min(people + 1, first + 10_000))
            contacts.keep(opened, [_contact(number, now) for number in some])
        for name, value in (("next:contacts", people), ("next:messages", count)):
            cursors.put(opened, name, value)
    engine.dispose()
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-200000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TEMP TABLE numbers (n INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO numbers VALUES (?)", ((n,) for n in range(count // DAYS + 2)))
    length, number = timedelta(days=DAYS) - timedelta(hours=1), 0
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(DAYS - 1, -1, -1):
        of_day = count * (DAYS - back) // DAYS - count * (DAYS - back - 1) // DAYS
        begins = max(midnight - timedelta(days=back), now - length)
        ends = min(midnight - timedelta(days=back - 1), now)
        values = {
            "first": number + 1, "begins": micros(begins), "length": micros(ends) - micros(begins), "count": of_day,
            "people": people, "source": source,
        }  # fmt: skip
        connection.execute("BEGIN")
        connection.execute(f"INSERT INTO messages_{day_of(begins)} {ROWS}", values)
        connection.execute("COMMIT")
        number += of_day
    connection.close()


def _contact(number: int, now: datetime) -> Contact:
    return Contact(
        id=number, workspace=1, user_id=large.user(number), email=f"p{number}@shop.example",
        traits=large.traits(number, "Ada", "Weber").encode(), first_seen=now - timedelta(days=60),
    )  # fmt: skip


def compare(database: str, count: int) -> None:
    engine = dialects.open_engine(database, writer=False)
    with engine.connect() as connection:
        known, now = directory.load(connection), datetime.now(UTC)
        campaign = known.campaign(1, CAMPAIGN)
        began = time.perf_counter()
        assert scan(connection) == count
        scanned = time.perf_counter() - began
        began = time.perf_counter()
        fetched = sum(1 for _ in fetch(connection))
        took_fetch = time.perf_counter() - began
        before, sizes = megabytes(os.getpid(), "Rss"), [0.0]
        began, spent = time.perf_counter(), time.process_time()
        found: dict[str, Any] = {}
        for step in dry_run.result(connection, known, campaign, now - timedelta(days=DAYS), now):
            found = step if isinstance(step, dict) else found
            sizes.append(megabytes(os.getpid(), "Rss"))
        ours, spent = time.perf_counter() - began, time.process_time() - spent
    engine.dispose()
    named, would = found["messages"], found["would"]
    for label, each in (("scan of all rows", scanned), ("fetch of those needed", took_fetch), ("ours", ours)):
        print(f"  {label:<22} {count / each:>11,.0f} messages/s {each:8.2f} s   {scanned / each:5.2f} of the scan")
    print(
        f"  {'':<22} {took_fetch / ours:.2f} of the fetch, {ours / fetched * 1e6:,.0f} us for each of {fetched:,} rows"
    )
    print(f"  {named:,} name the event; would invite {would['invited']:,}: {would['reasons']}, held {would['held']:,}")
    print(f"  memory (RSS)           {before:,.0f} MB before, {max(sizes):,.0f} at most; {spent:.1f} s of CPU")


def scan(connection: Connection) -> int:
    rows = [
        dialects.fetch(connection, f"SELECT count(*), sum(length(body) + received_at % 2) FROM messages_{day}")[0][0]
        for day in then.days_since(connection)
    ]
    return sum(rows)


def fetch(connection: Connection) -> Iterator[object]:
    """What is said of people, and the event, as a dry run reads it, without looking at any of it."""
    for day in then.days_since(connection):
        rows = dialects.fetch(
            connection,
            f"SELECT {then.COLUMNS} FROM messages_{day} WHERE workspace_id = 1 AND verdict <> 'rejected'"
            " AND (type = 'identify' OR (type = 'track' AND event IN (?, ?))) ORDER BY id",
            *spellings(EVENT),
        )
        yield from rows


if __name__ == "__main__":
    main()
