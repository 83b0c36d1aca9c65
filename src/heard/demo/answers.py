"""Who answers a mail, when, and with what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from heard.demo import story
from heard.demo.cast import Person
from heard.demo.comments import Comments

COMMENTS = {"detractor": 0.52, "passive": 0.27, "promoter": 0.34}  # the share that writes something
PASSIVES = 0.29
SCORES = {
    "detractor": ((0, 1, 2, 3, 4, 5, 6), (7, 3, 6, 11, 13, 24, 36)),
    "passive": ((7, 8), (42, 58)),
    "promoter": ((9, 10), (44, 56)),
}
LATELY, EAGER_LATELY = timedelta(hours=36), 0.3  # whoever opens the demo finds answers of the last hours
REVISES, LEAVES, OPENED_BY_A_SCANNER = 0.055, 0.011, 0.05


class Click(msgspec.Struct, frozen=True):
    """A link of the mail was fetched, by a person or by a machine that looks for viruses."""

    at: datetime
    delivery: str
    value: int
    method: str = "GET"


class Answer(msgspec.Struct, frozen=True):
    at: datetime
    delivery: str
    value: int
    comment: str | None


class Leaves(msgspec.Struct, frozen=True):
    """They take the way out that every mail has."""

    at: datetime
    delivery: str


Reaction = Click | Answer | Leaves


class Respondents:
    """The people behind the mailboxes."""

    def __init__(self, random: Random, *, now: datetime) -> None:
        self._random, self._now = random, now
        self._comments = Comments(random)

    def mailed(self, person: Person, delivery: str, event: str, at: datetime) -> Iterator[Reaction]:
        """What comes of a mail that arrives at this moment, in the order it happens."""
        random = self._random
        if random.random() < OPENED_BY_A_SCANNER:
            yield Click(at + timedelta(seconds=random.uniform(1, 9)), delivery, random.randint(0, 10), "HEAD")
        if random.random() < LEAVES:
            yield Leaves(self._later(person, at), delivery)
            return
        plan = story.plan(person.plan_at(at))
        lately = self._now - at < LATELY
        if random.random() > min(plan.answers * person.eager + (EAGER_LATELY if lately else 0), 0.9):
            return
        opened = at + timedelta(minutes=random.uniform(4, 150)) if lately else self._later(person, at)
        category = self._category(person, plan, at)
        value = random.choices(*SCORES[category])[0]
        comment = None
        if random.random() < COMMENTS[category]:
            comment = self._comments.draw(self._theme(event, at), category, person.language)
        yield Click(opened, delivery, value)
        answered = opened + timedelta(seconds=random.uniform(6, 40) + (random.uniform(20, 200) if comment else 0))
        yield Answer(answered, delivery, value, comment)
        if random.random() < REVISES:
            better = max(0, min(10, value + random.choice((-2, -1, 1, 1, 2))))
            yield Answer(answered + timedelta(hours=random.expovariate(1 / 20) + 0.02), delivery, better, comment)

    def _category(self, person: Person, plan: story.Plan, at: datetime) -> str:
        liking = story.liking(at, plan=plan, now=self._now) + person.temper
        liking = max(-0.66, min(liking, 0.68))
        promoters, passives = (1 - PASSIVES + liking) / 2, PASSIVES
        drawn = self._random.random()
        return "promoter" if drawn < promoters else "passive" if drawn < promoters + passives else "detractor"

    def _theme(self, event: str, at: datetime) -> str:
        """What it is about: in the bad weeks mostly that, and after them for a while that it is over."""
        random = self._random
        if random.random() < 0.8 * story.trouble(at, now=self._now):
            return "trouble"
        if story.recovering(at, now=self._now) and random.random() < 0.45:
            return "recovered"
        return "support" if event == "Ticket Solved" else "shop"

    def _later(self, person: Person, at: datetime) -> datetime:
        """Minutes to days after the mail, and by daylight where they live."""
        random = self._random
        drawn = random.random()
        if drawn < 0.6:
            wait = timedelta(minutes=2 + random.expovariate(1 / 160))
        elif drawn < 0.9:
            wait = timedelta(hours=random.uniform(12, 60))
        else:
            wait = timedelta(days=random.uniform(3, 12))
        moment = at + wait
        hour = moment.astimezone(ZoneInfo(person.zone)).hour
        return moment + timedelta(hours=7 - hour, minutes=random.randint(0, 90)) if hour < 7 else moment
