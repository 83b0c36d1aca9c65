"""What Acme's website, app and servers sent: every request of the story, as it came in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from heard.demo import oddities, story
from heard.demo.cast import Person
from heard.demo.devices import Device, Sent, written

MONTH = timedelta(days=30)
PRODUCTS = (
    ("Standing desk, oak", 489.0), ("Task chair Lund", 259.0), ("Monitor arm", 89.0), ("Label printer", 149.0),
    ("Recycled paper, 5 reams", 34.5), ("Whiteboard 120 × 90", 119.0), ("Toner, black", 74.9), ("Shelf system", 210.0),
    ("Desk lamp Arc", 64.0), ("Parcel tape, 36 rolls", 41.4), ("Safety gloves", 28.8), ("Coffee beans, 4 kg", 58.0),
    ("Bluetooth headset", 129.0), ("Notebook A5, dotted", 11.9), ("Cable tray", 24.9), ("First aid kit", 36.0),
)  # fmt: skip
PAGES = (
    ("/", "Home"),
    ("/products", "Products"),
    ("/pricing", "Pricing"),
    ("/account/orders", "Orders"),
    ("/help", "Help"),
)
TOPICS = ("delivery", "invoice", "return", "account", "product")
RENEWAL = timedelta(days=182)


def requests(random: Random, people: Sequence[Person], *, now: datetime) -> list[Sent]:
    """All of them, oldest first."""
    backend: dict[datetime, list[dict[str, Any]]] = defaultdict(list)
    sent: list[Sent] = []
    begin = now - story.LENGTH
    for person in people:
        for source, at, message in _life(random, person, begin=begin, now=now):
            if source == "Backend":
                backend[_next_job(at, now)].append(message | {"timestamp": written(at)})
            else:
                sent.append(Device.of(person, source).request(random, at, message))
    sent += oddities.requests(random, people, begin=begin, now=now)
    sent += _batches(backend)
    return sorted((each for each in sent if begin <= each.at <= now), key=lambda each: each.at)


def _life(
    random: Random, person: Person, *, begin: datetime, now: datetime
) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    """(source, when, message) of everything one person does."""
    founder = person.created_at < person.joined - timedelta(days=1)
    yield "Backend" if founder else "Website", person.joined, _identify(person, person.joined)
    if person.upgrade:
        at, plan = person.upgrade
        seats = {"seats": person.seats + random.randint(1, 20)} if plan != "Free" else {}
        yield "Website", at, {"type": "identify", "userId": person.user_id, "traits": {"plan": plan, **seats}}
    if not founder and person.plan == "Team" and random.random() < 0.6:
        yield "Backend", person.joined + timedelta(days=14), _track(person, "Trial Ended", plan="Team")
    if person.uses_app and not founder:
        yield "Mobile app", person.joined + timedelta(days=random.uniform(0, 20)), _track(person, "App Installed")
    yield from _renewals(random, person, begin, now)
    for at in _moments(random, person, now, "orders"):
        yield from _order(random, person, at, now=now)
    for at in _moments(random, person, now, "tickets"):
        yield from _ticket(random, person, at, now=now)


def _moments(random: Random, person: Person, now: datetime, what: str) -> Iterator[datetime]:
    """When they do something their plan's people do so and so often a month, with the seasons."""
    at, most = person.joined + timedelta(minutes=3), 1.45 * 1.15 * (1.0 if what == "orders" else 3.0)
    while True:
        rate = getattr(story.plan(person.plan_at(at)), what) * person.pace * most
        at += MONTH * min(random.expovariate(1.0) / max(rate, 0.01), 30)
        if at >= now or not person.is_here(at):
            return
        busy = story.bustle(at) * (1.0 if what == "orders" else 1 + 2 * story.trouble(at, now=now))
        if random.random() < busy / most:
            yield _waking(random, at)


def _waking(random: Random, at: datetime) -> datetime:
    """Between seven and twenty-two, by the clock of most of them."""
    hour = min(max(random.gauss(13.0, 3.6), 6.2), 22.0)
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(
        hours=hour, microseconds=random.randrange(1_000_000)
    )


def _order(
    random: Random, person: Person, at: datetime, *, now: datetime
) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    source = "Mobile app" if person.uses_app and random.random() < 0.6 else "Website"
    product, price = random.choice(PRODUCTS)
    quantity = random.choices((1, 2, 3, 6), (62, 22, 10, 6))[0]
    if random.random() < 0.35:
        seen = at - timedelta(minutes=random.uniform(2, 25))
        yield source, seen, _track(person, "Product Viewed", product=product, price=price)
    if source == "Website" and random.random() < 0.2:
        path, title = random.choice(PAGES)
        yield source, at - timedelta(minutes=random.uniform(3, 40)), _page(person, path, title)
    number = f"A-{random.randint(10_000, 99_999)}"
    basket = {"order_id": number, "total": round(price * quantity, 2), "currency": _currency(person)}
    yield (
        source,
        at,
        oddities.at_the_checkout(
            random,
            _track(person, "Order Completed", **basket, products=[{"name": product, "quantity": quantity}]),
            source,
        ),
    )
    days = random.uniform(1.0, 3.2) + story.trouble(at, now=now) * random.uniform(3, 9)
    arrived = at + timedelta(days=days)
    if arrived < now:
        yield "Backend", arrived, _track(person, "Order Delivered", order_id=number, days=round(days, 1))


def _ticket(
    random: Random, person: Person, at: datetime, *, now: datetime
) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    took = random.lognormvariate(1.6, 0.7) * (1 + 4 * story.trouble(at, now=now))
    channel = random.choices(("email", "chat", "phone", "bot"), (48, 27, 13, 12))[0]
    solved = at + timedelta(hours=min(took, 200))
    if solved < now:
        yield (
            "Backend",
            solved,
            _track(
                person,
                "Ticket Solved",
                ticket=f"T-{random.randint(1000, 9999)}",
                topic="delivery" if random.random() < story.trouble(at, now=now) else random.choice(TOPICS),
                channel=channel,
                hours=round(took, 1),
            ),
        )


def _renewals(
    random: Random, person: Person, begin: datetime, now: datetime
) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    """Twice a year, in the night, by the billing job."""
    at = person.created_at + RENEWAL
    while at < now:
        if at > max(begin, person.joined) and person.is_here(at) and person.plan_at(at) not in (None, "Free"):
            night = at.replace(hour=3, minute=random.randint(5, 50))
            yield "Backend", night, _track(person, "Subscription Renewed", plan=person.plan_at(at), seats=person.seats)
        at += RENEWAL


def _identify(person: Person, at: datetime) -> dict[str, Any]:
    traits = {
        "email": person.email,
        "firstName": person.first,
        "lastName": person.last,
        "plan": person.plan_at(at),
        "company": person.company,
        "country": person.country,
        "locale": person.locale,
        "timezone": person.zone,
        "seats": person.seats if person.seats > 1 else None,
        "createdAt": written(person.created_at),
    }
    known = {name: value for name, value in traits.items() if value is not None}
    return {"type": "identify", "userId": person.user_id, "traits": known}


def _track(person: Person, event: str, **properties: object) -> dict[str, Any]:
    return {"type": "track", "userId": person.user_id, "event": event, "properties": properties}


def _page(person: Person, path: str, title: str) -> dict[str, Any]:
    return {"type": "page", "userId": person.user_id, "name": title, "properties": {"path": path, "title": title}}


def _currency(person: Person) -> str:
    own = {"US": "USD", "GB": "GBP", "TR": "TRY", "JP": "JPY", "BR": "BRL", "SE": "SEK", "IN": "INR", "IS": "ISK"}
    return own.get(person.country, "EUR")


def _next_job(at: datetime, now: datetime) -> datetime:
    """The servers tell what happened every twenty minutes; the last job ran just now."""
    job = at.replace(minute=at.minute // 20 * 20, second=0, microsecond=0) + timedelta(minutes=20, seconds=4)
    return min(job, now)


def _batches(backend: dict[datetime, list[dict[str, Any]]]) -> Iterable[Sent]:
    for at, messages in backend.items():
        for first in range(0, len(messages), 50):
            batch = [
                each | {"messageId": f"job-{at:%y%m%d%H%M}-{first + number}"}
                for number, each in enumerate(messages[first : first + 50])
            ]
            yield Device.server().batch(at, batch)
