"""The people of the demo: who they are, what they pay for, how they are tempered."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from heard.demo.story import FOUNDERS, LENGTH, PLANS, STAFF
from heard.operations import yaml_text

NAMES = Path(__file__).with_name("names.yaml")
WITHOUT_ADDRESS, WITHOUT_PLAN, SHARED_MAILBOX, HARD_BOUNCE = 0.03, 0.012, 0.012, 0.008
UPGRADES, LEAVES = 0.14, 0.16  # shares of people, over the whole history
NEXT_PLAN = {"Free": "Team", "Team": "Business", "Business": "Enterprise"}
ROLES = ("office", "orders", "einkauf", "team")
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ı": "i", "ł": "l", "ð": "d", "þ": "th", "æ": "ae"})


class Person(msgspec.Struct, frozen=True, kw_only=True):
    user_id: str
    first: str
    last: str
    email: str | None
    company: str | None
    country: str
    locale: str
    zone: str
    plan: str | None
    seats: int
    joined: datetime  # their first message
    created_at: datetime  # their account; long before `joined` for those who were there when Heard came
    upgrade: tuple[datetime, str] | None  # when they changed their plan, and to which
    left: datetime | None  # when they stopped buying
    pace: float  # how often they do things, 1 = as often as their plan's average
    temper: float  # added to the chance of liking it, about -0.3 to 0.3
    eager: float  # how likely they answer, 1 = as their plan's average
    uses_app: bool
    bounces: bool  # their mailbox is gone

    def plan_at(self, moment: datetime) -> str | None:
        return self.upgrade[1] if self.upgrade and self.upgrade[0] <= moment else self.plan

    def is_here(self, moment: datetime) -> bool:
        return self.joined <= moment and (self.left is None or moment < self.left)

    @property
    def language(self) -> str:
        return self.locale[:2]


def cast(random: Random, *, count: int, now: datetime) -> list[Person]:
    """Everybody, in the order they come. The same `random` and `now` give the same people."""
    cultures: Sequence[dict[str, Any]] = yaml_text.load(NAMES.read_text(encoding="utf-8"))
    addresses: set[str] = set()
    numbers = iter(random.sample(range(10_000, 99_999), count))
    begin = now - LENGTH
    people: list[Person] = []
    for joined in sorted(_arrivals(random, count, begin, now)):
        culture = random.choices(cultures, [each["share"] for each in cultures])[0]
        founder = joined == begin
        # Those who were there when Heard came are told about in the first two days, by a job of the backend.
        arrived = begin + random.random() * timedelta(hours=30) if founder else joined
        person = _person(random, culture, f"u_{next(numbers)}", arrived, founder=founder, now=now)
        shares = people and person.company and random.random() < SHARED_MAILBOX
        email = (
            f"{random.choice(ROLES)}@{_slug(person.company)}.example" if shares else _address(random, person, culture)
        )
        if not shares:
            email = _untaken(email, addresses)
        if random.random() < WITHOUT_ADDRESS:
            email = None
        people.append(msgspec.structs.replace(person, email=email))
    return [*_staff(random, begin), *people]


def _arrivals(random: Random, count: int, begin: datetime, now: datetime) -> Iterator[datetime]:
    """Growth: more of them come the later it is."""
    founders = round(count * FOUNDERS)
    yield from [begin] * founders
    for _ in range(count - founders - STAFF):
        yield begin + (now - begin) * random.random() ** 0.8


def _person(
    random: Random, culture: dict[str, Any], user_id: str, joined: datetime, *, founder: bool, now: datetime
) -> Person:
    plan = None if random.random() < WITHOUT_PLAN else _plan(random)
    created = joined - timedelta(days=random.randint(5, 900)) if founder else joined - timedelta(seconds=20)
    rest = now - joined
    upgraded = joined + rest * random.uniform(0.1, 0.95) if random.random() < UPGRADES else None
    better = NEXT_PLAN.get(plan or "")
    return Person(
        user_id=user_id,
        first=random.choice(culture["first"]),
        last=random.choice(culture["last"]),
        email=None,
        company=random.choice(culture["companies"]) if plan != "Free" or random.random() < 0.25 else None,
        country=culture["country"],
        locale=culture["locale"],
        zone=random.choice(culture["zones"]),
        plan=plan,
        seats=_seats(random, plan),
        joined=joined,
        created_at=created.replace(microsecond=0),
        upgrade=(upgraded, better) if upgraded and better else None,
        left=joined + rest * random.uniform(0.2, 1.0) if random.random() < LEAVES else None,
        pace=min(random.lognormvariate(-0.2, 0.65), 4.0),
        temper=max(-0.45, min(random.gauss(0.0, 0.2), 0.4)),
        eager=min(random.lognormvariate(-0.18, 0.6), 3.0),
        uses_app=random.random() < 0.4,
        bounces=random.random() < HARD_BOUNCE,
    )


def _plan(random: Random) -> str:
    return random.choices([plan.name for plan in PLANS], [plan.share for plan in PLANS])[0]


def _seats(random: Random, plan: str | None) -> int:
    low, high = {"Team": (2, 15), "Business": (10, 80), "Enterprise": (60, 900)}.get(plan or "", (1, 1))
    return random.randint(low, high)


def _staff(random: Random, begin: datetime) -> list[Person]:
    """Acme's own people try things out too; the workspace leaves their answers out of its scores."""
    culture = {"share": 1, "country": "US", "locale": "en-US", "zones": ["America/Chicago"], "first": [], "last": []}
    found = []
    for first, last in (("Ted", "Marsh"), ("Robin", "Vance"), ("Lou", "Abbott"), ("Kit", "Larsen"))[:STAFF]:
        person = _person(
            random,
            culture | {"first": [first], "last": [last], "companies": ["Acme"]},
            f"staff_{first.lower()}",
            begin + timedelta(hours=random.random() * 20),
            founder=True,
            now=begin,
        )
        found.append(
            msgspec.structs.replace(
                person, email=f"{first.lower()}@acme.example", company="Acme", plan="Team", pace=3.0, eager=3.0,
                upgrade=None, left=None, bounces=False, temper=0.4,
            )
        )  # fmt: skip
    return found


def _address(random: Random, person: Person, culture: dict[str, Any]) -> str:
    first, last = _slug(person.first), _slug(person.last)
    if person.company:
        return f"{random.choice((first, f'{first}.{last}', f'{first[0]}.{last}'))}@{_slug(person.company)}.example"
    local = random.choice((f"{first}.{last}", f"{first}{last}", f"{first}.{last}{random.randint(70, 99)}"))
    return f"{local}@{random.choice(culture['open'])}"


def _untaken(email: str, taken: set[str]) -> str:
    local, _, domain = email.partition("@")
    number, found = 1, email
    while found in taken:
        number += 1
        found = f"{local}{number}@{domain}"
    taken.add(found)
    return found


def _slug(name: str | None) -> str:
    """As it could stand in an address: `Fjällbutik AB` -> `fjallbutikab`."""
    plain = unicodedata.normalize("NFKD", (name or "").lower().translate(_LETTERS))
    return re.sub(r"[^a-z0-9]", "", plain.encode("ascii", "ignore").decode())
