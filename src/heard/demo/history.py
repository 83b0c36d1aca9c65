"""The story, played through the real pipeline.

    log        a month of requests is appended at once; how far it may be read is moved with the clock
    route      the pipeline's own steps, several times a day: contacts, decisions, deliveries, mails
    answers    what the mailed people do, each at its own moment, by the same steps as the survey page

A server that looked only a few times a day would have done the same. In the last days it looks every few minutes.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

from sqlalchemy import Connection

from heard.board import Board
from heard.channels.email.mail import Mail
from heard.channels.email.outbox import Outbox
from heard.channels.lanes import Lanes
from heard.config import Settings
from heard.deliveries.delivery import Delivery
from heard.demo import story
from heard.demo.answers import Answer, Click, Leaves, Reaction, Respondents
from heard.demo.cast import Person, cast
from heard.demo.devices import BROWSERS, Sent
from heard.demo.folder import Made
from heard.demo.postbox import Postbox
from heard.demo.suggestions import found
from heard.demo.traffic import requests
from heard.errors import NotFound
from heard.installation import Installation
from heard.log.segments import SegmentReader, SegmentWriter
from heard.messages import accepted
from heard.messages.accepted import Accepted
from heard.operations import first_run, workspace_file, yaml_text
from heard.operations.opening import open_installation
from heard.pipeline import Pipeline
from heard.responses import clicks
from heard.steps import answer as answers
from heard.steps import click, leave
from heard.steps.send import Ready
from heard.store import contacts, deliveries, dialects, types
from heard.store.days import day_of, prepare
from heard.store.types import micros

WORKSPACE = Path(__file__).with_name("workspace.yaml")
BY_LINK = "unsubscribed by the link in a mail"
KEEP_MAILS = timedelta(weeks=3)
LOOKS = (  # up to so long ago: at these hours of the day (UTC); three meet the working hours of every zone
    (timedelta(days=90), (6.6, 12.5, 19.2)),
    (timedelta(days=14), (1.2, 6.6, 9.4, 12.5, 15.3, 19.2)),
    (timedelta(days=2), tuple(hour + 0.3 for hour in range(0, 24, 2))),
    (timedelta(0), tuple(minute / 60 for minute in range(7, 1440, 20))),
)
AT_ONCE = timedelta(days=30)  # of requests put on the log

Tell = Callable[[int, int], None]


async def make(
    settings: Settings, *, base_url: str, now: datetime, tell: Tell, people: int = story.CONTACTS
) -> tuple[dict[str, Any], Made]:
    """A workspace with its whole history, ending at `now`; gives what `heard init` gives, and what to remember of it.

    `tell(days done, days in all)` is called as it goes on.
    """
    app = open_installation(settings, base_url=base_url)
    gc.disable()  # a tenth of the time, and what is left over goes with this process
    try:
        app.clock.move_to(now - story.LENGTH)
        made = await first_run.init(app, workspace="Acme")
        play = _Play(app, now=now, people=people)
        await play.play(tell)
        app.board.clock_offset_us = 0
        quiet, asked = play.lately()
        free, refused = await found(app, quiet=quiet, asked=asked)
        return made, Made(whole=True, at=now, free=tuple(free), refused=tuple(refused))
    finally:
        app.board.clock_offset_us = 0
        await app.close()
        gc.enable()


async def none(settings: Settings, *, base_url: str, now: datetime) -> tuple[dict[str, Any], Made]:
    """The same workspace with nobody in it: `make` without a story."""
    app = open_installation(settings, base_url=base_url)
    try:
        made = await first_run.init(app, workspace="Acme")
        await workspace_file.apply(app, content=yaml_text.load(WORKSPACE.read_text(encoding="utf-8")))
        return made, Made(whole=True, at=now)
    finally:
        await app.close()


class _Play:
    def __init__(self, app: Installation, *, now: datetime, people: int) -> None:
        self.app, self.now, self.begin = app, now, now - story.LENGTH
        self.random = Random(story.SEED)  # people and requests
        self.people = {each.user_id: each for each in cast(self.random, count=people, now=now)}
        self.respondents = Respondents(Random(story.SEED + 1), now=now)
        self.requests = iter(requests(self.random, list(self.people.values()), now=now))
        self.shown = Board(app.settings.data / "story.board")  # how far the log may be read
        self.asked: dict[str, Ready] = {}  # by delivery, until it is known what comes of it
        self.asked_at: dict[str, datetime] = {}  # by userId, the last time
        self.reactions: list[tuple[datetime, int, Reaction]] = []
        self.number = count()
        gone = frozenset(each.email for each in self.people.values() if each.bounces and each.email)
        outbox = Outbox(app.settings.data / "outbox")
        self.postbox = Postbox(outbox, keep_from=now - KEEP_MAILS, gone=gone)
        self.pipeline = Pipeline(
            store=app.store,
            reader=SegmentReader(app.settings.data / "log", self.shown),
            board=self.shown,
            clock=app.clock,
            lanes=Lanes.of_one(self.postbox),
            couriers=app.couriers,
            house=app.pipeline.house,
            mail=self._mail,
            directory=lambda: app.directory,
            changed=app.reload,
        )

    async def play(self, tell: Tell) -> None:
        """From the first day to `now`."""
        self.pipeline.house.every = timedelta(days=1)  # nobody looks before it is over
        await self.app.store.write(_hurry)
        settings, content = self.app.settings, yaml_text.load(WORKSPACE.read_text(encoding="utf-8"))
        log = SegmentWriter(settings.data / "log", self.app.board, segment_bytes=settings.segment_bytes).start()
        edits = _edits(content, self.now)
        await workspace_file.apply(self.app, content=content | {"campaigns": []})
        told: list[tuple[datetime, int]] = []  # (when it was received, where it begins on the log), not yet shown
        days = story.LENGTH.days
        for moment in _looks(self.begin, self.now):
            while edits and edits[0][0] <= moment:
                await workspace_file.apply(self.app, content=content | {"campaigns": [edits.pop(0)[1]]})
            if not told or told[-1][0] < moment:
                told += await self._append(log, until=moment + AT_ONCE)
                await self.app.store.write(partial(self._prepare, begin=moment))
            await self._look(moment, told, log)
            tell(min(days, (moment - self.begin).days), days)
        await log.close()
        await self.app.store.write(_settle)
        self.shown.close()
        (settings.data / "story.board").unlink()

    def lately(self) -> tuple[list[str], list[str]]:
        """(who can be asked but was not for long, who was asked in the last weeks, newest first)"""
        able = [each for each in self.people.values() if each.email and each.is_here(self.now) and not each.bounces]
        months = self.now - timedelta(days=100)
        quiet = [each.user_id for each in able if self.asked_at.get(each.user_id, self.begin) < months]
        lately = sorted((at, user_id) for user_id, at in self.asked_at.items() if at > self.now - timedelta(days=25))
        return quiet, [user_id for _, user_id in reversed(lately)]

    async def _append(self, log: SegmentWriter, *, until: datetime) -> list[tuple[datetime, int]]:
        """Put the requests up to `until`, and the one after, on the log."""
        sources = {source.name: source.id for source in self.app.directory.sources.values()}
        batch: list[Sent] = []
        for each in self.requests:
            batch.append(each)
            if each.at > until:
                break
        offsets = await asyncio.gather(*(log.append(_payload(each, sources[each.source])) for each in batch))
        return [(each.at, offset) for each, offset in zip(batch, offsets, strict=True)]

    def _prepare(self, connection: Connection, *, begin: datetime) -> None:
        """The tables of the days to come: made day by day, every connection would read the whole schema every day."""
        coming = {day_of(begin + timedelta(days=ahead)) for ahead in range(AT_ONCE.days + 2)}
        today = day_of(self.now)
        prepare(connection, {day for day in coming if day <= today}, self.app.store.days_made)

    async def _look(self, moment: datetime, told: list[tuple[datetime, int]], log: SegmentWriter) -> None:
        """What a server does that wakes at this moment, and what people did since it last did."""
        if self.now - moment < LOOKS[2][0]:
            await self.pipeline.advance(moment)
        else:
            self.app.clock.move_to(moment)
        shown = next((number for number, (at, _) in enumerate(told) if at > moment), len(told))
        self.shown.durable = told[shown][1] if shown < len(told) else log.durable
        del told[:shown]
        await self.pipeline.idle()
        for delivery, at in self.postbox.handed_over:
            ready = self.asked.pop(delivery)
            person = self.people.get(ready.delivery.user_id or "")
            if person is not None:
                self.asked_at[person.user_id] = at
                asked = (ready.reminds_of or ready.delivery).id  # a reminder asks for the answer to the first mail
                for each in self.respondents.mailed(person, asked, ready.delivery.event, at):
                    heapq.heappush(self.reactions, (each.at, next(self.number), each))
        self.postbox.handed_over.clear()
        due: list[Reaction] = []
        while self.reactions and self.reactions[0][0] <= moment:
            due.append(heapq.heappop(self.reactions)[2])
        if due:
            await self.app.store.write(lambda connection: [self._react(connection, each) for each in due])

    def _mail(self, ready: Ready, now: datetime) -> Mail:
        self.asked[ready.delivery.id] = ready
        return self.app.mail(ready, now)

    def _react(self, connection: Connection, reaction: Reaction) -> None:
        workspace = self.app.directory.workspace(None).id
        delivery = deliveries.by_id(connection, workspace, reaction.delivery)
        if delivery is None:
            return
        person = self.people[delivery.user_id or ""]
        client = f"203.0.113.{len(person.user_id) + person.seats % 200}"
        match reaction:
            case Click():
                agent = "MailScan/2.1" if reaction.method == "HEAD" else _agent(person)
                opened = clicks.Click(
                    at=reaction.at, method=reaction.method, link=clicks.Link.SCORE, value=reaction.value,
                    agent=agent, client=client,
                )  # fmt: skip
                click.clicked(connection, workspace, delivery.id, opened, directory=self.app.directory)
            case Answer():
                with suppress(NotFound, answers.Closed):
                    answers.answer(
                        connection, workspace, delivery.id, value=reaction.value, comment=reaction.comment,
                        agent=_agent(person), client=client, directory=self.app.directory,
                        now=_after(connection, delivery, reaction.at),
                    )  # fmt: skip
            case Leaves():
                known = contacts.by_id(connection, workspace, [delivery.contact])[delivery.contact]
                leave.subscribe(
                    connection, workspace, delivery.contact, known.email_key, on=True, cause=BY_LINK,
                    now=_after(connection, delivery, reaction.at),
                )  # fmt: skip


def _after(connection: Connection, delivery: Delivery, at: datetime) -> datetime:
    """Then, or right after what this look at the clock has just decided about them, or sent to them."""
    newest = dialects.fetch(
        connection,
        "SELECT max(at) FROM decisions INDEXED BY decisions_by_contact WHERE workspace_id = ? AND contact_id = ?"
        " UNION ALL SELECT max(at) FROM touches INDEXED BY touches_by_contact"
        " WHERE workspace_id = ? AND contact_id = ? AND state = 'made'",
        *(delivery.workspace, delivery.contact) * 2,
    )
    found = [types.moment(row[0]) for row in newest if row[0] is not None]
    return max([at, *(each + timedelta(milliseconds=1) for each in found if each >= at)])


def _looks(begin: datetime, now: datetime) -> Iterator[datetime]:
    """The moments at which the server looks, `now` last. A few minutes off the hour, as nothing happens on the dot."""
    random = Random(story.SEED)
    for number in range((now - begin).days + 2):
        midnight = (begin + timedelta(days=number)).replace(hour=0, minute=0, second=0, microsecond=0)
        hours = next(hours for ago, hours in LOOKS if now - midnight >= ago or not ago)
        for hour in hours:
            moment = midnight + timedelta(hours=hour, seconds=random.uniform(0, 300 if len(hours) > 24 else 900))
            if begin < moment < now:
                yield moment
    yield now


def _edits(content: dict[str, Any], now: datetime) -> list[tuple[datetime, dict[str, Any]]]:
    """What was changed about campaigns, and when: begun, paused, drafted a week ago."""
    lines = {line["name"]: line for line in content["campaigns"]}
    edits: list[tuple[datetime, dict[str, Any]]] = []
    for chapter in story.CHAPTERS:
        line = lines.pop(chapter.campaign)
        edits.append((now - chapter.began, line | {"status": "ready"}))
        if chapter.paused:
            edits.append((now - chapter.paused, line | {"status": "paused"}))
    edits += [(now - timedelta(days=6), line) for line in lines.values()]
    return sorted(edits, key=lambda edit: edit[0])


def _payload(sent: Sent, source: int) -> bytes:
    return accepted.encode(
        Accepted(
            source=source,
            kind=sent.kind,
            received_at=micros(sent.at),
            client=sent.client,
            agent=sent.agent,
            body=sent.body,
        )
    )


def _agent(person: Person) -> str:
    return BROWSERS[crc32(person.user_id.encode()) % len(BROWSERS)]


def _hurry(connection: Connection) -> None:
    """Not wait for the disk: an interrupted history is made again from its beginning, so there is nothing to lose."""
    _set_synchronous(connection, "OFF")


def _settle(connection: Connection) -> None:
    """From here on it is a database like any other, and on the disk."""
    _set_synchronous(connection, "FULL")
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _set_synchronous(connection: Connection, level: str) -> None:
    """SQLite changes it only between two transactions."""
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql(f"PRAGMA synchronous={level}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
