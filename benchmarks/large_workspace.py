"""A workspace as large as they get, written straight into the tables: what the pages are measured over.

1,000,000 contacts, 5,000,000 messages over 18 months, 1,500,000 decisions, 700,000 deliveries, 200,000 answers. Through
the pipeline this would take an hour; pages only read, so how the rows got there does not matter to them.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from heard.store import dialects, funnel
from heard.store.days import day_of, make

CONTACTS, MESSAGES, ANSWERS = 1_000_000, 5_000_000, 200_000
DAYS = 540
DELIVERIES = ANSWERS * 7 // 2
DECLINED = 800_000
WORKSPACE, SOURCE = 1, 1
CAMPAIGNS = (1, 2)
MICROSECONDS = 1_000_000
PLANS, COUNTRIES = ("Free", "Team", "Business", "Enterprise"), ("DE", "FR", "US", "GB", "ES", "TR", "JP", "BR")
FIRST = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gia", "Hugo", "Ines", "Jon", "Kai", "Lena")
LAST = ("Weber", "Martin", "Garcia", "Tanaka", "Yilmaz", "Silva", "Smith", "Dubois", "Rossi", "Novak")
REASONS = ("workspace_quiet_period", "campaign_throttle", "no_address", "conditions_not_met", "sampled_out")
COMMENT = "Delivery took two days, the invoice was right, and support answered within the hour. "


def write(database: Path, *, scale: float = 1.0, with_messages: bool = True) -> None:
    """Fill an installation that has one workspace, one source and two campaigns. `scale` 0.01 writes a hundredth."""
    draw = random.Random(7)
    now = int(time.time()) * MICROSECONDS
    if with_messages:
        _days(database, now)
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    began = now - DAYS * 86_400 * MICROSECONDS
    contacts, messages = int(CONTACTS * scale), int(MESSAGES * scale) if with_messages else 0
    declined, asked, answers = int(DECLINED * scale), int(DELIVERIES * scale), int(ANSWERS * scale)

    def some_time() -> int:
        return began + int(draw.random() * (now - began))

    _fill(connection, "contacts", _contacts(draw, contacts, some_time))
    if with_messages:
        _messages(connection, draw, messages, contacts, now)
    _fill(connection, "decisions", _declined(draw, declined, contacts, some_time))
    rows = sorted(some_time() for _ in range(asked))
    _invited(connection, rows, contacts, first=declined + 1)
    _answers(connection, draw, rows, answers, contacts)
    for name, value in (("contacts", contacts), ("messages", messages), ("decisions", declined + asked),
                        ("responses", answers), ("revision", answers)):  # fmt: skip
        connection.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (f"next:{name}", value))
    connection.execute("COMMIT")
    connection.execute("PRAGMA optimize")
    connection.close()
    engine = dialects.open_engine(f"sqlite:///{database}", writer=True)
    with engine.begin() as opened:
        funnel.rebuild(opened)
    engine.dispose()


def _days(database: Path, now: int) -> None:
    engine = dialects.open_engine(f"sqlite:///{database}", writer=True)
    with engine.begin() as connection:
        for back in range(DAYS + 1):
            make(connection, day_of(datetime.fromtimestamp(now / MICROSECONDS, UTC) - timedelta(days=back)))
    engine.dispose()


def user(number: int) -> str:
    return f"u_{number:07d}"


def _contacts(draw: random.Random, count: int, some_time: Any) -> Iterator[tuple[Any, ...]]:
    for number in range(1, count + 1):
        first, last = draw.choice(FIRST), draw.choice(LAST)
        address = f"{first}.{last}{number}@shop{number % 997}.example".lower()
        yield (WORKSPACE, number, user(number), address, address, traits(number, first, last), some_time(), None)


def traits(number: int, first: str, last: str) -> str:
    plan, country = PLANS[number % 7 % 4], COUNTRIES[number % 11 % 8]
    return json.dumps(
        {"firstName": first, "lastName": last, "plan": plan, "country": country, "seats": number % 50},
        separators=(",", ":"),
    )  # fmt: skip


def _messages(connection: sqlite3.Connection, draw: random.Random, count: int, contacts: int, now: int) -> None:
    today = datetime.fromtimestamp(now / MICROSECONDS, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    number, tallied = 0, Counter[tuple[int, str]]()
    for back in range(DAYS, -1, -1):
        begins = today - timedelta(days=back)
        day, first = day_of(begins), int(begins.timestamp()) * MICROSECONDS
        length = min(86_400 * MICROSECONDS, now - first)
        rows = []
        for at in range(count // (DAYS + 1)):
            number += 1
            kind = draw.choices(("page", "track", "identify"), (55, 35, 10))[0]
            event = draw.choice(("Order Completed", "Product Viewed", "Ticket Solved")) if kind == "track" else None
            refused = "no_user: neither userId nor anonymousId" if draw.random() < 0.001 else None
            who, moment = user(draw.randint(1, contacts)), first + length * at // (count // (DAYS + 1))
            verdict, body = "rejected" if refused else "accepted", _body(number, kind, event, who)
            head = (number, WORKSPACE, SOURCE, f"m{number}", kind, event, who, None, moment, moment)
            rows.append((*head, verdict, refused, body, None))
            tallied[day, f"{verdict}:{refused}" if refused else verdict] += 1
        _fill(connection, f"messages_{day}", rows)
    _fill(connection, "tallies", ((WORKSPACE, day, name, n) for (day, name), n in tallied.items()))


def _body(number: int, kind: str, event: str | None, who: str) -> str:
    said = {"total": 49.5, "currency": "EUR", "items": ["a", "b"]}
    return json.dumps({"type": kind, "event": event, "userId": who, "messageId": f"m{number}", "properties": said})


def _declined(draw: random.Random, count: int, contacts: int, some_time: Any) -> Iterator[tuple[Any, ...]]:
    for number, at in enumerate(sorted(some_time() for _ in range(count)), 1):
        objection = f'[{{"reason":"{draw.choice(REASONS)}","until":null,"detail":"the evidence"}}]'
        who = draw.randint(1, contacts)
        yield _decision(number, draw.choice(CAMPAIGNS), who, at, "declined", objection, None)


def _decision(
    number: int, campaign: int, who: int, at: int, outcome: str, objections: str, delivery: str | None
) -> Any:
    trigger = f"{SOURCE}:d{number}"
    return (WORKSPACE, number, campaign, trigger, f"d{number}", "Order Completed", at, user(who), who, at, outcome,
            objections, "[]", delivery, None, None, None)  # fmt: skip


def _invited(connection: sqlite3.Connection, times: list[int], contacts: int, *, first: int) -> None:
    decisions, deliveries, touches = [], [], []
    for place, at in enumerate(times):
        number, campaign, who = first + place, CAMPAIGNS[place % 2], place * 7919 % contacts + 1
        delivery, address = delivery_id(place), f"{user(who)}@shop.example"
        state = "answered" if place * 2 % 7 < 2 else "sent" if place % 50 else "failed"
        decisions.append(_decision(number, campaign, who, at, "invited", "[]", delivery))
        whom = (campaign, 1, who, user(who), address, "email", "first")
        deliveries.append((WORKSPACE, delivery, number, *whom, state, at, "Order Completed", at, "{}", at, 1, None))
        touches.append((WORKSPACE, delivery, who, address, campaign, "nps", "email", "first", at, "made"))
    _fill(connection, "decisions", decisions)
    _fill(connection, "deliveries", deliveries)
    _fill(connection, "touches", touches)


def delivery_id(place: int) -> str:
    return blake2b(place.to_bytes(8, "big"), digest_size=16).hexdigest()


def _answers(connection: sqlite3.Connection, draw: random.Random, times: list[int], count: int, contacts: int) -> None:
    rows: list[tuple[Any, ...]] = []
    revisions: list[tuple[Any, ...]] = []
    answered = [place for place in range(len(times)) if place * 2 % 7 < 2][:count]
    for number, place in enumerate(answered, 1):
        who, at = place * 7919 % contacts + 1, times[place] + 3_600 * MICROSECONDS
        value = draw.choices(range(11), (2, 1, 1, 2, 2, 5, 6, 10, 18, 22, 31))[0]
        category = "promoter" if value > 8 else "passive" if value > 6 else "detractor"
        said = COMMENT * draw.randint(1, 2) if draw.random() < 0.5 else None
        answers = json.dumps([{"question_id": "score", "value": value}])
        given = (value, category, said, answers, traits(who, "Ada", "Weber"), "{}", at, at, "human", number)
        whose = (delivery_id(place), 1, CAMPAIGNS[place % 2], who, user(who), "email", "nps")
        rows.append((WORKSPACE, number, *whose, *given))
        revisions.append((WORKSPACE, number, at, answers, "human", "Mozilla/5.0", "192.0.2.1"))
    _fill(connection, "responses", rows)
    _fill(connection, "response_revisions", revisions)


def _fill(connection: sqlite3.Connection, table: str, rows: Any) -> None:
    began, count = time.monotonic(), connection.total_changes
    rows = iter(rows)
    if (row := next(rows, None)) is None:
        return
    known = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    columns = known[: len(row)]  # the rest is empty in most rows of life
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(row))})"
    connection.execute(statement, row)
    connection.executemany(statement, rows)
    if (written := connection.total_changes - count) > 50_000:
        print(f"{table}: {written:,} rows in {time.monotonic() - began:.0f} s", file=sys.stderr)
