"""Whom a campaign that asks a list would ask: every contact of it judged, with the reasons of those who are left out.

    .venv/bin/python benchmarks/eligible.py [--contacts 1000000]

Everybody is on the list; one contact in twenty was asked within the throttle, one in a hundred has unsubscribed. Three
things turn by turn over the same database:

- ours:  `campaigns_eligible.judged` to its end: each contact by the rules of a wave, as a count over all of them does;
- floor: the same contacts and all that is known of them read chunk by chunk in the same statements, and nobody judged;
- peer:  one SQL count that knows of unsubscribing and of the throttle, by contact, and of nothing else: no mailbox that
  two share, no address that is missing, no quiet period, no condition, no cap, no reason that it could give.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from route import _contact
from sqlalchemy import Connection, insert
from tree import WORKSPACE, megabytes

from heard import config
from heard.campaigns.campaign import Campaign
from heard.installation import Installation
from heard.operations import campaigns_eligible, first_run, workspace_file
from heard.steps import waves
from heard.store import contacts, cursors, dialects, directory, lists, tables
from heard.store.directory import Directory
from heard.store.types import micros

ROUNDS = 3
ASKED, LEFT = 20, 100  # one contact in so many was asked within the throttle; has unsubscribed
LIST, THROTTLE = "Everybody", timedelta(days=90)
CAMPAIGN = f"""
  - name: Relationship
    survey: Relationship NPS
    channel: email
    recipients: list
    list: {LIST}
    throttle: 90d
    status: draft
"""
PEER = """
SELECT count(*) FROM list_members m WHERE m.workspace_id = ? AND m.list_id = ?
AND NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.workspace_id = m.workspace_id AND s.contact_id = m.contact_id)
AND NOT EXISTS (SELECT 1 FROM touches t WHERE t.workspace_id = m.workspace_id AND t.contact_id = m.contact_id
  AND t.campaign_id = ? AND t.state <> 'released' AND t.at > ?)
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--contacts", type=int, default=1_000_000)
    given = asked.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        asyncio.run(_begin(data))
        database = f"sqlite:///{data / 'heard.db'}"
        number = _fill(database, given.contacts)
        compare(database, number, given.contacts)


async def _begin(data: Path) -> None:
    app = Installation(config.read({"HEARD_LOG_LEVEL": "error"}, data=data))
    await first_run.init(app)
    await workspace_file.apply(app, content=yaml.safe_load(WORKSPACE.rstrip() + CAMPAIGN))
    await app.close()


def _fill(database: str, count: int) -> int:
    """Written straight into the tables; gives the number of the campaign."""
    now = datetime.now(UTC)
    engine = dialects.open_engine(database, writer=True)
    with engine.begin() as connection:
        campaign = directory.load(connection).campaign(1, "Relationship")
        for first in range(0, count, 10_000):
            numbers = range(first, min(count, first + 10_000))
            contacts.keep(connection, [_contact(number) for number in numbers])
            lists.put_on(connection, 1, LIST, [number + 1 for number in numbers], micros(now))
            touched = [_touch(campaign, number, now) for number in numbers if number % ASKED == 0]
            left = [_left(number, now) for number in numbers if number % LEFT == 1]
            connection.execute(insert(tables.touches), touched)
            connection.execute(insert(tables.suppressions), left)
        cursors.put(connection, "next:contacts", count)
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()
    return campaign.id


def _touch(campaign: Campaign, number: int, now: datetime) -> dict[str, object]:
    return {
        "workspace_id": 1, "delivery_id": f"{number:032x}", "contact_id": number + 1,
        "email_key": f"person{number}@customer.example", "campaign_id": campaign.id, "metric": "nps",
        "channel": "email", "kind": "first", "at": now - timedelta(days=10), "state": "made",
    }  # fmt: skip


def _left(number: int, now: datetime) -> dict[str, object]:
    return {
        "workspace_id": 1, "id": number + 1, "contact_id": number + 1, "email_key": None, "kind": "unsubscribed",
        "on": 1, "at": now - timedelta(days=20), "cause": "benchmark", "survey_id": None,
    }  # fmt: skip


def compare(database: str, number: int, count: int) -> None:
    engine = dialects.open_engine(database, writer=False)
    reasons: Counter[str] = Counter()
    with engine.connect() as connection:
        known = directory.load(connection)
        campaign, now = known.campaigns[number], datetime.now(UTC)
        ways: dict[str, Callable[[], int]] = {
            "ours": lambda: ours(connection, known, campaign, now, reasons),
            "floor": lambda: floor(connection, known, campaign),
            "peer": lambda: peer(connection, campaign, now),
        }
        took: dict[str, list[float]] = {name: [] for name in ways}
        found: dict[str, int] = {}
        sizes = [megabytes(os.getpid(), "Rss")]
        for turn in range(ROUNDS):
            for name in ways if turn % 2 == 0 else reversed(ways):
                began = time.perf_counter()
                found[name] = ways[name]()
                took[name].append(time.perf_counter() - began)
                if name == "ours":
                    sizes.append(megabytes(os.getpid(), "Rss"))
    engine.dispose()
    assert found["floor"] == count, found
    assert sum(reasons.values()) == count, reasons
    print(f"\n{count:,} contacts on a list, median of {ROUNDS} rounds")
    theirs = statistics.median(took["floor"])
    for name, label in (("floor", "reading alone"), ("ours", "ours"), ("peer", "one SQL count")):
        mine = statistics.median(took[name])
        ratio = statistics.median(a / b for a, b in zip(took["floor"], took[name], strict=True))
        print(f"  {label:<14} {count / mine:>10,.0f} contacts/s {mine:7.2f} s   {ratio:6.2f} of the floor's rate")
    print(
        f"  a contact costs {statistics.median(took['ours']) / count * 1e6:.0f} us, reading {theirs / count * 1e6:.0f}"
    )
    print(f"  would be asked: ours {found['ours']:,}, the SQL count {found['peer']:,}; {dict(reasons.most_common())}")
    print(
        f"  memory (RSS)   {sizes[0]:.0f} MB before; after each turn of ours "
        + ", ".join(f"{s:.0f}" for s in sizes[1:])
    )


def ours(connection: Connection, known: Directory, campaign: Campaign, now: datetime, reasons: Counter[str]) -> int:
    reasons.clear()
    for each in campaigns_eligible.judged(connection, known, campaign, now, everyone=True):
        reasons["asked" if each.due is not None else each.objections[0].reason.value] += 1
    return reasons["asked"]


def floor(connection: Connection, known: Directory, campaign: Campaign) -> int:
    read = position = 0
    while people := waves.members(connection, campaign, known, after=position, limit=waves.PEOPLE):
        waves.prepare(connection, campaign.workspace, people, known)
        read, position = read + len(people), people[-1].id
    return read


def peer(connection: Connection, campaign: Campaign, now: datetime) -> int:
    number = lists.number_of(connection, campaign.workspace, LIST)
    rows = dialects.fetch(connection, PEER, campaign.workspace, number, campaign.id, micros(now - THROTTLE))
    return rows[0][0]


if __name__ == "__main__":
    main()
