"""What must be true after anything happened, read from the files themselves: the checks of the fault tests.

Every check looks at the whole and raises an AssertionError that names the first few offenders.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from aiosmtpd.smtp import Envelope

MESSAGE_ID = re.compile(rb"^Message-ID: <([0-9a-f]{32})@", re.M)
ORDERS = ("Order Completed", "Completed Order")
ON_ITS_WAY = ("scheduled", "sending")
DAY = 86_400_000_000


class Kept(NamedTuple):
    """What a run left behind, for the line that a test prints."""

    messages: int
    mails: int
    unknown: int


def check_all(data: Path, *, acknowledged: Iterable[str], mails: list[Envelope], most_unknown: int) -> Kept:
    """Everything at once. Heard must be at rest, and nothing may be due."""
    with sqlite3.connect(f"file:{data / 'heard.db'}?mode=ro", uri=True) as database:
        messages = check_messages(database, acknowledged)
        check_order(database)
        check_decisions(database)
        check_ledger(database)
        check_mails(database, mails)
        unknown = check_unknown(database, most_unknown)
        aside = database.execute("SELECT reason FROM set_aside").fetchall()
        assert aside == [], f"set aside: {aside[:3]}"
    return Kept(messages, len(mails), unknown)


def check_messages(database: sqlite3.Connection, acknowledged: Iterable[str]) -> int:
    """Every acknowledged message is there, and no message is there twice."""
    kept = Counter(row[0] for table in days(database) for row in database.execute(f"SELECT message_id FROM {table}"))
    lost = set(acknowledged) - kept.keys()
    assert not lost, f"{len(lost)} acknowledged messages are lost: {some(lost)}"
    twice = [message for message, count in kept.items() if count > 1]
    assert not twice, f"{len(twice)} messages are kept more than once: {some(twice)}"
    return len(kept)


def check_order(database: sqlite3.Connection) -> None:
    """The messages of one userId were handled in the order in which they were sent."""
    said: dict[str, list[int]] = defaultdict(list)
    for table in days(database):
        for user, body in database.execute(f"SELECT user_id, body FROM {table} WHERE user_id <> '' ORDER BY id"):
            if (number := json.loads(body).get("context", {}).get("n")) is not None:
                said[user].append(number)
    mixed = {user: numbers for user, numbers in said.items() if numbers != sorted(numbers)}
    assert not mixed, f"{len(mixed)} users' messages are out of order: {some(mixed.items())}"


def check_decisions(database: sqlite3.Connection) -> None:
    """One decision a trigger: none twice, none missing, none for what nobody sent, and none left undecided."""
    triggers = {
        row[0]
        for table in days(database)
        for row in database.execute(f"SELECT message_id FROM {table} WHERE type = 'track' AND event IN (?, ?)", ORDERS)
    }
    rows = database.execute("SELECT message_id, outcome, delivery_id FROM decisions").fetchall()
    decided = Counter(message for message, _, _ in rows)
    assert decided == Counter(triggers), f"decisions and triggers differ: {some(decided - Counter(triggers))}"
    undecided = [message for message, outcome, _ in rows if outcome == "held"]
    assert not undecided, f"{len(undecided)} are still held: {some(undecided)}"
    invited = {delivery for _, outcome, delivery in rows if outcome == "invited"}
    deliveries = {row[0] for row in database.execute("SELECT id FROM deliveries WHERE state <> 'cancelled'")}
    assert invited == deliveries, f"invitations and deliveries differ: {some(invited ^ deliveries)}"


def check_ledger(database: sqlite3.Connection, *, period: int = 90 * DAY) -> None:
    """No two asks of one person or one mailbox within the throttle, and each delivery has its touch."""
    touches = database.execute(
        "SELECT contact_id, email_key, at, delivery_id FROM touches WHERE state <> 'released' ORDER BY at"
    ).fetchall()
    for place, what in ((0, "contact"), (1, "mailbox")):
        latest: dict[object, int] = {}
        for touch in touches:
            who, at = touch[place], touch[2]
            assert at - latest.get(who, -period) >= period, f"{what} {who} is asked twice within the throttle"
            latest[who] = at
    touched = {touch[3] for touch in touches}
    live = {row[0] for row in database.execute("SELECT id FROM deliveries WHERE state NOT IN ('cancelled', 'failed')")}
    assert touched == live, f"touches and deliveries differ: {some(touched ^ live)}"


def check_mails(database: sqlite3.Connection, mails: Collection[Envelope]) -> None:
    """No survey is mailed twice, nor any mailbox; and what Heard calls sent has been taken by the mail server."""
    ids = Counter(message_id(mail) for mail in mails)
    twice = [each for each, count in ids.items() if count > 1]
    assert not twice, f"{len(twice)} surveys were mailed twice: {some(twice)}"
    people = Counter(recipient.lower() for mail in mails for recipient in mail.rcpt_tos)
    asked_twice = [person for person, count in people.items() if count > 1]
    assert not asked_twice, f"{len(asked_twice)} people were mailed twice: {some(asked_twice)}"
    states = dict(database.execute("SELECT id, state FROM deliveries").fetchall())
    invented = [each for each, state in states.items() if state in ("sent", "answered") and each not in ids]
    assert not invented, f"{len(invented)} are called sent, but no mail arrived: {some(invented)}"
    denied = [each for each in ids if states.get(each) not in ("sent", "answered", "unknown")]
    assert not denied, (
        f"{len(denied)} arrived, but Heard says otherwise: {[(each, states.get(each)) for each in denied]}"
    )


def check_unknown(database: sqlite3.Connection, most: int) -> int:
    """Nothing is left on its way, and no more are unknown than hand-overs can have been interrupted."""
    states = Counter(row[0] for row in database.execute("SELECT state FROM deliveries"))
    left = {state: states[state] for state in ON_ITS_WAY if states[state]}
    assert not left, f"not at rest: {left}"
    assert states["unknown"] <= most, f"{states['unknown']} are unknown, where at most {most} can be"
    return states["unknown"]


def mailed_to(data: Path) -> set[str]:
    """The mailboxes that were asked, or may have been."""
    with sqlite3.connect(f"file:{data / 'heard.db'}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT address FROM deliveries WHERE state IN ('sent', 'unknown', 'answered')")
        return {row[0].lower() for row in rows}


def message_id(mail: Envelope) -> str:
    """The delivery that a mail says it belongs to."""
    content = mail.content
    assert isinstance(content, bytes)
    found = MESSAGE_ID.search(content)
    assert found is not None, content[:500]
    return found[1].decode()


def days(database: sqlite3.Connection) -> list[str]:
    """The tables of messages, oldest first."""
    names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'messages_2%'")
    return sorted(row[0] for row in names)


def some(offenders: Iterable[object]) -> list[object]:
    return sorted(offenders, key=str)[:5]
