"""What goes wrong in every real installation, so that the demo has it too: guests, typos, retries, refusals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from heard.demo.cast import Person
from heard.demo.devices import APP, BROWSERS, LIBRARIES, Device, Sent, made_id, written

GUESTS_A_DAY, VISITS_A_DAY, WRONG_A_DAY, RETRIES_A_DAY, OFFLINE_A_DAY = 0.5, 3.0, 0.12, 0.2, 0.1
LOWER_CASE, NO_CONSENT, OFF_FOR_HEARD = 0.02, 0.012, 0.006  # shares of the orders of a source
NEVER_IDENTIFIED = ("guest_7c1f", "guest_b204", "guest_e91a")
MINUTES_AGO = (41, 17, 4)  # of the guests who wait for an identify right now
_encode = msgspec.json.Encoder().encode


def at_the_checkout(random: Random, order: dict[str, Any], source: str) -> dict[str, Any]:
    """An order as it is sent; now and then not as it should be."""
    if source == "Mobile app" and random.random() < LOWER_CASE:
        return order | {"event": "order completed"}  # one screen of the app spells it so
    if source == "Website" and random.random() < NO_CONSENT:
        return order | {"context": {"consent": {"categoryPreferences": {"research": False, "functional": True}}}}
    if source == "Website" and random.random() < OFF_FOR_HEARD:
        return order | {"integrations": {"All": True, "Heard": False}}
    return order


def requests(random: Random, people: Sequence[Person], *, begin: datetime, now: datetime) -> Iterator[Sent]:
    """Over the whole time, and a few just now."""
    days = (now - begin) / timedelta(days=1)

    def somewhen(a_day: float) -> Iterator[datetime]:
        for _ in range(round(a_day * days)):
            yield begin + (now - begin) * random.random()

    for at in somewhen(VISITS_A_DAY):
        yield _visit(random, at)
    for at in somewhen(GUESTS_A_DAY):
        yield _guest(random, at, f"guest_{random.getrandbits(16):04x}")
    for at in somewhen(WRONG_A_DAY):
        yield _forgotten_user(random, at, people)
    for at in somewhen(WRONG_A_DAY):
        yield _nameless(random, at, people)
    for at in somewhen(RETRIES_A_DAY):
        yield from _twice(random, at, people)
    for at in somewhen(OFFLINE_A_DAY):
        yield _from_a_drawer(random, at, people)
    for minutes, name in zip(MINUTES_AGO, NEVER_IDENTIFIED, strict=True):
        yield _guest(random, now - timedelta(minutes=minutes), name)
    yield _forgotten_user(random, now - timedelta(hours=3), people)
    yield _nameless(random, now - timedelta(hours=7), people)
    yield from _twice(random, now - timedelta(hours=5), people)


def _visit(random: Random, at: datetime) -> Sent:
    path = random.choice(("/", "/products", "/pricing", "/about", "/blog/desk-heights"))
    whole = {
        "type": "page",
        "anonymousId": f"a-{random.getrandbits(48):012x}",
        "messageId": made_id(random),
        "name": path,
        "properties": {"path": path, "referrer": random.choice(("https://search.example/", ""))},
        "context": {"library": LIBRARIES["Website"]},
        "timestamp": written(at),
    }
    return _sent(at, "Website", "page", whole, random.choice(BROWSERS))


def _guest(random: Random, at: datetime, name: str) -> Sent:
    """Somebody orders without an account: nobody will ever say who that was."""
    whole = {
        "type": "track",
        "event": "Order Completed",
        "userId": name,
        "messageId": made_id(random),
        "properties": {"total": round(random.uniform(25, 300), 2), "currency": "EUR", "guest": True},
        "context": {"library": LIBRARIES["Website"]},
        "timestamp": written(at),
    }
    return _sent(at, "Website", "track", whole, random.choice(BROWSERS))


def _forgotten_user(random: Random, at: datetime, people: Sequence[Person]) -> Sent:
    """A job of the backend that lost a userId on the way: one message of the batch is nobody's."""
    messages = [
        {"type": "track", "event": "Invoice Paid", "messageId": made_id(random), "timestamp": written(at)}
        for _ in range(4)
    ]
    for message in messages[1:]:
        message["userId"] = random.choice(people).user_id
    random.shuffle(messages)
    return Device.server().batch(at, messages)


def _nameless(random: Random, at: datetime, people: Sequence[Person]) -> Sent:
    """A track that does not say what happened."""
    whole = {"type": "track", "userId": random.choice(people).user_id, "messageId": made_id(random), "properties": {}}
    return _sent(at, "Mobile app", "track", whole, APP)


def _twice(random: Random, at: datetime, people: Sequence[Person]) -> Iterator[Sent]:
    """A phone in a tunnel sends again what had arrived."""
    person = random.choice(people)
    message = {
        "type": "track",
        "event": "Product Viewed",
        "userId": person.user_id,
        "messageId": made_id(random),
        "properties": {"product": "Desk lamp Arc"},
    }
    device = Device.of(person, "Mobile app")
    yield device.request(random, at, message)
    yield device.request(random, at + timedelta(seconds=random.randint(8, 90)), message)


def _from_a_drawer(random: Random, at: datetime, people: Sequence[Person]) -> Sent:
    """An order that waited on a tablet for days: too old to be asked about."""
    happened = at - timedelta(days=random.uniform(2, 9))
    whole = {
        "type": "track",
        "event": "Order Completed",
        "userId": random.choice(people).user_id,
        "messageId": made_id(random),
        "properties": {"total": round(random.uniform(25, 300), 2), "offline": True},
        "context": {"library": LIBRARIES["Mobile app"]},
        "timestamp": written(happened),
        "sentAt": written(at),
    }
    return _sent(at, "Mobile app", "track", whole, APP)


def _sent(at: datetime, source: str, kind: str, whole: dict[str, Any], agent: str) -> Sent:
    return Sent(at, source, kind, _encode(whole), agent, "203.0.113.77")
