"""How an installation fares as messages pile up: the route loop, and pages, at a million messages and at fifty.

    .venv/bin/python benchmarks/growth.py [--messages 1000000 10000000] [--days 365] [--folder /tmp/heard-growth]

Each size is an installation of its own, with the same 200,000 contacts, decisions and answers, and a webhook that has
taken all. Its days are filled by writing the rows that routing makes straight into their tables (about 350 bytes of
body, one message in ten of somebody unknown, the ids seen of the last two days); routing them would take an hour. Then
the route loop takes 60,000 messages more, 1,000 a transaction, and pages are asked for again and again through the
whole tree, each time about somebody else.

The floor of the route loop is the bare upsert of the rows that it wrote, into the same tables (`route.py`); that of
pages is the sign-in page, which asks nothing of anything. Both are there at every size, so what grows is ours alone.
Fifty million messages take 26 GB and half an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import httpx
import large_workspace as large
import msgspec
import route
from tree import HEARD, WORKSPACE, Tree, megabytes, share

from heard.log.log import Record
from heard.messages.accepted import Accepted
from heard.routing.answer import Routing, encode
from heard.store import cursors, dialects, tallies
from heard.store.days import day_of, make
from heard.store.forwards import cursor_of
from heard.store.store import Store
from heard.store.types import micros

SCALE = 0.2  # of `large_workspace`: 200,000 contacts
ROUTED, TURNS = 20_000, 3
HOOK = """destinations:
  - {name: Heard, type: surveys}
  - {name: Hook, type: webhook, settings: {url: "https://hooks.example.com/in"}}
"""
PEOPLE = int(large.CONTACTS * SCALE)
EVENTS = ("Order Completed", "Product Viewed", "Product Added", "Ticket Solved")
# The rows of a day, made by SQLite itself from their numbers: three times as fast as Python makes them.
ROWS = """
WITH told AS (
  SELECT :first + n AS id, :begins + :length * n / :count AS at,
    CASE WHEN (:first + n) % 20 < 11 THEN 'page' WHEN (:first + n) % 20 < 18 THEN 'track' ELSE 'identify' END AS type,
    (:first + n) / 7 % 10 = 0 AS is_unknown,
    printf('%08x%08x%08x%08x', (:first + n) * 2654435761 % 4294967296, (:first + n) * 40503 % 4294967296, :first + n,
      (:first + n) * 69069 % 4294967296) AS name,
    printf('u_%07d', ((:first + n) * 7919 + (:first + n) / 7) % :people + 1) AS user
  FROM numbers WHERE n < :count
)
SELECT id, 1, 1, name, type,
  CASE WHEN type = 'track' THEN (SELECT event FROM events WHERE number = id / 20 % 4) END,
  CASE WHEN NOT is_unknown THEN user END, CASE WHEN is_unknown THEN 'a-' || substr(name, 1, 16) END,
  at, at, 'accepted', NULL,
  printf('{"type":"%s","messageId":"%s","userId":"%s","timestamp":"2026-11-22T12:00:00.000Z","context":{"library":{"name":'
    || '"analytics-node","version":"2.1.3"},"page":{"path":"/products/%d","referrer":"https://shop.example/"}},'
    || '"integrations":{},"properties":{"total":%d,"currency":"EUR","sku":"SKU-%d-%d","coupon":null}}',
    type, name, user, id % 5000, id % 200, id % 977, id % 31),
  :routing
FROM told
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--messages", type=int, nargs="+", default=[1_000_000, 10_000_000])
    asked.add_argument("--days", type=int, default=365)
    asked.add_argument("--rounds", type=int, default=40, help="how often each page is asked for")
    asked.add_argument("--folder", type=Path, default=Path("/tmp/heard-growth"))
    asked.add_argument("--keep", action="store_true", help="leave the last installation there, and use it again")
    given = asked.parse_args()
    for count in given.messages:
        folder = given.folder / f"{count}"
        try:
            one(folder, count, given.days, given.rounds)
        finally:
            if not given.keep:
                shutil.rmtree(folder, ignore_errors=True)


def one(folder: Path, count: int, days: int, rounds: int) -> None:
    tree = Tree(folder)
    database = tree.data / "heard.db"
    print(f"\n{count:,} messages over {days} days")
    if not (folder / "filled").exists():
        begin(folder, tree, database)
        first = database.with_name("first.db")
        shutil.copy(database, first)
        at_first = route_loop(first, 1)
        for path in database.parent.glob("first.db*"):
            path.unlink()
        began = time.monotonic()
        fill(database, count, days)
        (folder / "filled").write_text(json.dumps(at_first))
        print(f"filled in {time.monotonic() - began:,.0f} s, {database.stat().st_size / 2**30:.1f} GB", flush=True)
    at_first = json.loads((folder / "filled").read_text())
    at_last = route_loop(database, random.randrange(2, 1 << 30))
    print(f"{'route loop, messages/s':34} {'ours':>9} {'floor':>9} {'ratio':>6}")
    for when, (ours, floor) in (("with no message", at_first), (f"with {count:,}", at_last)):
        print(f"{when:34} {ours:>9,.0f} {floor:>9,.0f} {ours / floor:>6.2f}")
    print(flush=True)
    password = tell("users", "password", "owner@localhost", "--json", tree=tree)
    tree.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{tree.port}", timeout=300) as browser:
            secret = json.loads(password)["password"]
            assert browser.post("/sign-in", data={"email": "owner@localhost", "password": secret}).status_code == 303
            key = json.loads(tell("keys", "add", f"Benchmark {time.time():.0f}", "--json", tree=tree))["secret_key"]
            pages(browser, key, rounds)
        print(f"heart afterwards: {megabytes(tree.pids()['heart']):.0f} MB PSS")
    finally:
        tree.stop()


def tell(*words: str, tree: Tree) -> str:
    return subprocess.run([HEARD, *words], env=tree.environment, check=True, capture_output=True, text=True).stdout


def begin(folder: Path, tree: Tree, database: Path) -> None:
    """An installation with its contacts, decisions and answers, and not one message."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    file = folder / "heard.yaml"
    second = WORKSPACE[WORKSPACE.index("  - name: Post-purchase") :].replace("Post-purchase", "After a ticket")
    file.write_text(WORKSPACE + second + HOOK)
    for words in (["init"], ["apply", str(file)]):
        tell(*words, tree=tree)
    large.write(database, scale=SCALE, with_messages=False)


# ── messages ──


def fill(database: Path, count: int, days: int) -> None:
    now = datetime.now(UTC)
    engine = dialects.open_engine(f"sqlite:///{database}", writer=True)
    with engine.begin() as opened:
        for back in range(days):
            make(opened, day_of(now - timedelta(days=back)))
    engine.dispose()
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in (
        "journal_mode=OFF",
        "synchronous=OFF",
        "cache_size=-400000",
        "secure_delete=OFF",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TEMP TABLE numbers (n INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO numbers VALUES (?)", ((n,) for n in range(count // days + 2)))
    connection.execute("CREATE TEMP TABLE events (number INTEGER PRIMARY KEY, event TEXT)")
    connection.executemany("INSERT INTO events VALUES (?, ?)", enumerate(EVENTS))
    ((hook,),) = connection.execute("SELECT id FROM destinations WHERE type = 'webhook'").fetchall()
    routing, number = encode(Routing(to=(hook,))), 0
    counted: Counter[tuple[int, int, str]] = Counter()
    began = time.monotonic()
    for back in range(days - 1, -1, -1):
        day = day_of(now - timedelta(days=back))
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=back)
        of_day = count * (days - back) // days - count * (days - back - 1) // days
        values = {
            "first": number + 1,
            "begins": micros(midnight),
            "length": micros(now) - micros(midnight) if back == 0 else 86_400_000_000,
            "count": of_day,
            "people": PEOPLE,
            "routing": routing,
        }
        connection.execute("BEGIN")
        connection.execute(f"INSERT INTO messages_{day} {ROWS}", values)
        if back < 2:
            connection.execute(f"INSERT INTO seen_{day} SELECT source_id, message_id FROM messages_{day} ORDER BY 1, 2")
        connection.execute("COMMIT")
        number += of_day
        counted[1, day, "accepted"] += of_day
        counted[1, day, f"{tallies.SOURCE}1"] += of_day
        _say(number, count, began)
    for name in ("next:messages", cursor_of(hook)):
        connection.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (name, number))
    connection.close()
    engine = dialects.open_engine(f"sqlite:///{database}", writer=True)
    with engine.begin() as opened:
        tallies.add(opened, counted)
    engine.dispose()


def _say(done: int, count: int, began: float) -> None:
    rate = done / max(time.monotonic() - began, 0.001)
    left = (count - done) / rate
    line = f"\r{done:>12,} of {count:,}, {rate:,.0f} a second, {left / 60:.0f} min to go "
    print(line, end="" if done < count else "\n", file=sys.stderr, flush=True)


# ── the route loop ──


def route_loop(database: Path, seed: int) -> tuple[float, float]:
    """Messages a second: ours, and the bare upsert of the rows that it wrote."""
    store = Store(f"sqlite:///{database}")
    now = datetime.now(UTC)
    route.NOW = now
    size = route.A_BATCH // route.A_RECORD
    times: list[tuple[float, float]] = []
    for turn in range(TURNS):
        some = [records(random.Random(seed + 2 * turn + each), now) for each in range(2)]
        first, second = ([made[i : i + size] for i in range(0, len(made), size)] for made in some)
        written = route.rows_of(store, first)
        for rows in written:  # the same rows under other ids
            rows["seen"] = [(source, f"f{name}") for source, name in rows["seen"]]
            rows["messages"] = [(*row[:2], f"f{row[2]}", *row[3:]) for row in rows["messages"]]
        if turn % 2:
            floor, ours = route.floor(store, written), route.ours(store, second)
        else:
            ours, floor = route.ours(store, second), route.floor(store, written)
        times.append((ROUTED / ours, ROUTED / floor))
    store.write_now(lambda connection: cursors.put(connection, cursors.ROUTER, 0))
    store.close()
    return median(each for each, _ in times), median(each for _, each in times)


def records(draw: random.Random, now: datetime) -> list[Record]:
    made: list[Record] = []
    for number in range(ROUTED // route.A_RECORD):
        batch = [
            {**each, "userId": large.user(draw.randint(1, PEOPLE))}
            for each in (route._message(draw, PEOPLE, index) for index in range(route.A_RECORD))
        ]
        body = msgspec.json.encode({"batch": batch, "sentAt": now.isoformat()})
        request = Accepted(source=1, kind="batch", received_at=micros(now), client="", agent="b", body=body)
        made.append(Record(number, number + 1, msgspec.msgpack.encode(request)))
    return made


# ── pages ──


def pages(browser: httpx.Client, key: str, rounds: int) -> None:
    draw = random.Random()
    hook = browser.get("/destinations").text.partition('href="/destinations/')[2].partition('"')[0]
    numbers = [part.partition('"')[0] for part in browser.get("/destinations").text.split('href="/destinations/')[1:]]
    hook = max((each for each in numbers if each.isdigit()), key=int, default=hook)
    newest = browser.get("/messages").text.partition("open=")[2]
    last = int("".join(each for each in newest[:12] if each.isdigit()) or 1)
    authorized = {"Authorization": f"Bearer {key}"}

    def somebody() -> str:
        return large.user(draw.randint(1, PEOPLE))

    asked: list[tuple[str, Callable[[], str]]] = [
        ("floor: /sign-in", lambda: "/sign-in"),
        ("/ (90 days)", lambda: "/"),
        ("/messages", lambda: "/messages"),
        ("/messages, the last hour", lambda: "/messages?time=hour"),
        (
            "/messages of an event, far back",
            lambda: f"/messages?event={draw.choice(EVENTS)}&cursor={draw.randint(1, last)}",
        ),
        ("/messages of a user", lambda: f"/messages?user_id={somebody()}"),
        ("/messages of a user nobody knows", lambda: f"/messages?user_id=nobody-{draw.randint(1, 999999)}"),
        ("/messages/{any}", lambda: f"/messages/{draw.randint(1, last)}"),
        ("/contacts", lambda: "/contacts"),
        ("/contacts/{id}", lambda: f"/contacts/{draw.randint(1, PEOPLE)}"),
        ("/campaigns", lambda: "/campaigns"),
        ("/sources", lambda: "/sources"),
        ("/destinations", lambda: "/destinations"),
        ("/destinations/{id}", lambda: f"/destinations/{hook}"),
        ("/destinations/{id}/events", lambda: f"/destinations/{hook}/events"),
        ("/settings/kept", lambda: "/settings/kept"),
        ("/api/messages", lambda: "/api/messages"),
        ("/api/messages?user_id=", lambda: f"/api/messages?user_id={somebody()}"),
        ("/api/messages?verdict=held", lambda: "/api/messages?verdict=held"),
        ("/metrics", lambda: "/metrics"),
    ]
    browser.get("/").raise_for_status()
    print(f"{'page':34} {'p50 ms':>9} {'p95 ms':>9}")
    for name, path in asked:
        taken: list[float] = []
        for _ in range(rounds):
            headers = authorized if name.startswith("/api") else {}
            began = time.perf_counter()
            answer = browser.get(path(), headers=headers)
            taken.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                print(f"{name:34} answered {answer.status_code}")
                break
        print(f"{name:34} {median(taken):9.1f} {share(sorted(taken), 95):9.1f}", flush=True)


if __name__ == "__main__":
    main()
