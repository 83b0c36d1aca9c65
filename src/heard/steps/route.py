"""A batch of the log becomes messages, contacts and decisions, and the offset moves with them.

The log delivers at least once; this is where it becomes once: what was seen before is dropped by (source, messageId),
and everything the rest led to is committed together with the offset.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection

from heard.deliveries.case import Trigger
from heard.deliveries.reasons import Reason
from heard.destinations import surveys
from heard.destinations.considered import Considered
from heard.destinations.identity import Claims
from heard.destinations.known import Known
from heard.log.log import Damage, Record
from heard.messages.accepted import Accepted
from heard.messages.events import canonical
from heard.messages.message import Message, Rejected
from heard.messages.parse import read
from heard.routing import reasons as refusals
from heard.routing.answer import Refusal, Routing, encode
from heard.routing.destination import Destination
from heard.steps import keep
from heard.steps.allowance import Allowance, allowance
from heard.steps.conflicts import conflicting
from heard.steps.on_record import row
from heard.steps.plans import as_it_gets_it, plan_of, shapes
from heard.steps.schema import Schema
from heard.steps.suppress import unless_suppressed
from heard.store import cursors, days, forwards, messages, tallies, waiting
from heard.store.directory import Directory
from heard.store.types import micros

log = structlog.get_logger()
_accepted = msgspec.msgpack.Decoder(Accepted)
Row = tuple[Any, ...]
NOT_FED = refusals.Reason.NOT_CONNECTED.value
NOBODY = Refusal(NOT_FED, "")


class Routed(msgspec.Struct, kw_only=True):
    """What a batch came to, for the loop and its counters."""

    messages: int = 0
    repeated: int = 0
    conflicting: Counter[int] = msgspec.field(default_factory=Counter)  # of the repeated, by source
    set_aside: int = 0
    activated: set[int] = msgspec.field(default_factory=set)  # campaigns that went from ready to active
    newest: datetime | None = None  # receipt of the last message
    due: bool = False  # something may have to go out
    forwarded: bool = False  # something goes to destinations outside


def route(
    connection: Connection,
    records: Sequence[Record | Damage],
    *,
    directory: Directory,
    now: datetime,
    days_made: set[int],
) -> Routed:
    """One batch, one transaction. What is wrong with one message is kept with its reason; the rest goes on."""
    routed = Routed()
    taken = _read(connection, records, directory, now, routed)
    days.prepare(connection, {days.day_of(moment) for moment in {each.received_at for each in taken}}, days_made)
    fresh = _without_repeats(connection, taken, directory, routed)
    kept = Kept()
    for workspace, batch in _by_workspace(fresh, directory).items():
        _consider(connection, workspace, batch, directory, now, kept, routed, days_made)
    first = {day: messages.keep(connection, day, rows) for day, rows in kept.rows.items()}
    for day, by_workspace in kept.waiting.items():
        for workspace, places in by_workspace.items():
            waiting.add(connection, workspace, day, [first[day] + place for place in places])
    for schema in kept.schemas:
        schema.keep(connection, first)
    tallies.add(connection, kept.counts)
    forwards.count(connection, kept.refused() + kept.taken)
    cursors.put(connection, cursors.ROUTER, records[-1].next_offset)
    routed.messages = len(fresh)
    routed.newest = taken[-1].received_at if taken else None
    return routed


class Kept:
    """What a batch leaves behind beside contacts and decisions."""

    def __init__(self) -> None:
        self.rows: dict[int, list[Row]] = defaultdict(list)  # by day
        self.waiting: dict[int, dict[int, list[int]]] = {}  # by day and workspace: which of the day's rows wait
        self.schemas: list[Schema] = []  # of each workspace
        self.counts: Counter[tuple[int, int, str]] = Counter()
        self.answers: Counter[tuple[int, int, Routing]] = Counter()  # by workspace and hour: those that refuse somebody
        self.taken: Counter[forwards.Count] = Counter()  # by our own engine, or dropped by its property filters

    def refused(self) -> Counter[forwards.Count]:
        """What kept messages from whom, for the pages of destinations; of those that their source feeds."""
        counts: Counter[forwards.Count] = Counter()
        for (workspace, hour, answer), n in self.answers.items():
            for destination, refusal in answer.refused:
                if refusal.reason != NOT_FED:
                    counts[workspace, destination, hour, f"{forwards.REFUSED}:{refusal.reason}"] += n
        return counts


def _read(
    connection: Connection, records: Iterable[Record | Damage], directory: Directory, now: datetime, routed: Routed
) -> list[Message | Rejected]:
    taken: list[Message | Rejected] = []
    for record in records:
        if isinstance(record, Damage):
            log.error("log_damaged", offset=record.offset, length=record.length, reason=record.reason)
            keep.aside(connection, record.offset, now, f"damaged: {record.reason}", record.data)
            routed.set_aside += 1
            continue
        try:
            accepted = _accepted.decode(record.payload)
            if accepted.source not in directory.sources:
                raise LookupError("its source was removed")
            messages_read = read(accepted, offset=record.offset)
            suppressed = directory.suppressed.get(directory.sources[accepted.source].workspace)
            if suppressed is not None:
                messages_read = [unless_suppressed(each, suppressed) for each in messages_read]
            taken += messages_read
        except Exception as error:  # one poisonous record never costs its neighbours
            log.error("record_set_aside", offset=record.offset, error=repr(error))
            keep.aside(connection, record.offset, now, repr(error), record.payload)
            routed.set_aside += 1
    return taken


def _without_repeats(
    connection: Connection, taken: Sequence[Message | Rejected], directory: Directory, routed: Routed
) -> Sequence[Message | Rejected]:
    """What was not accepted before, on the day of its receipt or the day before; the first of equals stays."""
    by_day: dict[int, dict[tuple[int, str], None]] = {}
    received: datetime | None = None
    ids: dict[tuple[int, str], None] = {}
    count = 0
    for each in taken:
        if isinstance(each, Message):
            count += 1
            if each.received_at is not received:  # the messages of one request share theirs
                received = each.received_at
                ids = by_day.setdefault(days.day_of(received), {})
            ids[each.source, each.id] = None
    new: set[tuple[int, str]] = set()
    for day, ids in by_day.items():
        asked = [key for key in ids if key not in new] if new else list(ids)
        known = messages.already_seen(connection, day, asked)
        unknown = [key for key in asked if key not in known] if known else asked
        messages.remember(connection, day, unknown)
        new.update(unknown)
    if len(new) == count:
        return taken
    routed.repeated += count - len(new)
    fresh: list[Message | Rejected] = []
    repeats: list[Message] = []
    for each in taken:
        if isinstance(each, Message):
            if (each.source, each.id) not in new:
                repeats.append(each)
                continue
            new.discard((each.source, each.id))
        fresh.append(each)
    routed.conflicting = conflicting(connection, repeats, fresh, directory)
    return fresh


def _by_workspace(fresh: Iterable[Message | Rejected], directory: Directory) -> dict[int, list[Message | Rejected]]:
    batches: dict[int, list[Message | Rejected]] = defaultdict(list)
    source = -1
    batch: list[Message | Rejected] = []
    for each in fresh:
        if each.source != source:  # the messages of one request share theirs
            source = each.source
            batch = batches[directory.sources[source].workspace]
        batch.append(each)
    return batches


def _consider(
    connection: Connection,
    workspace: int,
    batch: Sequence[Message | Rejected],
    directory: Directory,
    now: datetime,
    kept: Kept,
    routed: Routed,
    days_made: set[int],
) -> None:
    """Message by message, in order; what each led to is known to the next."""
    schema = Schema(directory, workspace, now)
    kept.schemas.append(schema)
    batch = schema.judged(batch)
    routed.set_aside += schema.failed
    known = load(connection, workspace, batch, directory)
    outcome, plan = Considered(), plan_of(directory, workspace)
    intake = directory.intakes.get(workspace)
    ours = directory.destinations[intake.destination] if intake else None
    shaping = ours if ours is not None and shapes(ours) else None
    has_others = any(each is not ours for each in directory.destinations_of(workspace))
    allowed = allowance(connection, workspace, intake, now)
    listens = bool(known.audiences.book.listening)
    held: dict[str, tuple[int, int]] = {}  # trigger -> where its row stands
    rows, counts = kept.rows, kept.counts
    received: datetime | None = None
    day = hour = received_us = source = 0
    came = ""
    for index, message in enumerate(batch):
        if message.received_at is not received:  # the messages of one request share theirs
            received = message.received_at
            day, hour, received_us = days.day_of(received), forwards.hour_of(received), micros(received)
        if message.source != source:
            source, came = message.source, f"{tallies.SOURCE}{message.source}"
        written = None
        if isinstance(message, Rejected):
            verdict, reason = "rejected", message.reason
        else:
            known.consents.learn(message, known.links)
            if listens and message.type == "track":
                _learn(message, known, now, routed)
            answer = plan.route(message)
            if has_others or answer.refused:
                written = encode(answer)
                if answer.refused:
                    kept.answers[workspace, hour, answer] += 1
                routed.forwarded |= bool(answer.to)
            refusal = answer.refusal(intake.destination) if intake else NOBODY
            if refusal is not None:
                verdict, reason = "accepted", refusals.NO_DESTINATION if refusal.reason == NOT_FED else refusal.reason
            else:
                verdict, reason = take(message, shaping, known, outcome, now, allowed)
                if reason == Reason.INTAKE_LIMIT:
                    kept.waiting.setdefault(day, {}).setdefault(workspace, []).append(len(rows[day]))
                elif verdict == "rejected":
                    routed.set_aside += 1
                elif intake is not None:
                    kept.taken[workspace, intake.destination, hour, name_of_count(reason)] += 1
        if reason == Reason.NOT_IDENTIFIED and verdict == "held" and isinstance(message, Message):
            held[surveys.trigger_key(message)] = (day, len(rows[day]))
        schema.place(index, day, len(rows[day]))
        rows[day].append(row(workspace, message, received_us, verdict, reason, written))
        counts[workspace, day, f"{verdict}:{reason}" if reason else verdict] += 1
        counts[workspace, day, came] += 1
    _settle_rows(connection, workspace, outcome, rows, held)
    if allowed is not None and allowed.used:
        counts[workspace, days.day_of(now), tallies.TAKEN] += allowed.used
    if telling := [*schema.telling, *keep.considered(connection, workspace, known, outcome, counts, now)]:
        days.prepare(connection, {days.day_of(now)}, days_made)
        rows[days.day_of(now)] += telling
        routed.forwarded = True
    routed.activated |= outcome.activated
    routed.due |= bool(outcome.deliveries)


def _learn(message: Message, known: Known, now: datetime, routed: Routed) -> None:
    try:
        known.audiences.learn(message, now)
    except Exception:  # as with every message: our fault, and no reason to lose it
        log.exception("message_not_counted", message_id=message.id, source=message.source)
        routed.set_aside += 1


def _wait(
    message: Message, known: Known, outcome: Considered, allowed: Allowance, now: datetime
) -> tuple[str, str | None]:
    """Over the daily limit: it is taken on the next day, and whoever asks why is told so."""
    if message.type == "track" and message.event:
        surveys.wait(message, known, outcome, now=now, until=allowed.until)
    return "held", Reason.INTAKE_LIMIT.value


def take(
    message: Message,
    shaping: Destination | None,
    known: Known,
    outcome: Considered,
    now: datetime,
    allowed: Allowance | None = None,
) -> tuple[str, str | None]:
    """One message into our own engine: (verdict, reason).

    `shaping`: our destination, where its filters take something from messages. `allowed`: what the day still allows.
    """
    try:
        left = message if shaping is None else as_it_gets_it(message, shaping)
        if left is None:
            return "accepted", refusals.Reason.FILTERED.value
        if allowed is not None and not allowed.take():
            return _wait(left, known, outcome, allowed, now)
        return surveys.consider(left, known, outcome, now=now)
    except Exception as error:  # our fault, not the sender's: keep the message, say so, go on
        log.exception("message_set_aside", message_id=message.id, source=message.source)
        return "rejected", f"failed: {type(error).__name__}"


def name_of_count(reason: str | None) -> str:
    """As what our own destination's page counts a message that `take` gave this reason."""
    return f"{forwards.REFUSED}:{reason}" if reason == refusals.Reason.FILTERED.value else forwards.DELIVERED


def load(connection: Connection, workspace: int, batch: Iterable[Message | Rejected], directory: Directory) -> Known:
    """Everything the batch may need of this workspace, one query a table."""
    known = Known(connection, directory, workspace)
    identified: dict[str, str | None] = {}
    triggering: dict[str, str | None] = {}
    claims = Claims()
    counted: set[str] = set()  # users of whom an audience counts something
    decisions = 0
    for message in batch:
        if isinstance(message, Rejected):
            continue
        if (unnamed := known.consents.hear(message)) is not None:
            claims.speaking.add(unnamed)
        if message.type == "identify":
            if message.user_id is not None:
                identified[message.user_id] = surveys.email_in(message) or identified.get(message.user_id)
                if message.anonymous_id is not None:
                    claims.take(message)
        elif message.type == "track" and message.event:
            if message.user_id is not None and known.audiences.listens_to(message):
                counted.add(message.user_id)
            campaigns = directory.triggered.get((workspace, canonical(message.event)), ())
            if campaigns:
                triggering[surveys.trigger_key(message)] = message.user_id
                decisions += len(campaigns)
                if message.user_id is None:
                    claims.take(message)
        elif message.type in ("group", "alias"):
            claims.take(message)
    known.load_claims(claims)
    users = {user for user in triggering.values() if user is not None} | known.about(claims)
    named = identified.keys() | users | claims.users | counted
    known.load_contacts(named, {user: email for user, email in identified.items() if email})
    known.reserve(contacts=sum(user not in known.contacts for user in identified), decisions=decisions)
    known.load_decisions(triggering, identified, claims.linking)
    users |= known.about(claims) | set(known.held)
    asked = {user: known.contacts[user] for user in users if user in known.contacts}
    known.audiences.load(identified.keys() | users | counted)
    if asked:
        keys = [contact.email_key for contact in asked.values() if contact.email_key]
        known.load_people([contact.id for contact in asked.values()], keys)
    known.load_consents(claims, users)
    return known


def _settle_rows(
    connection: Connection,
    workspace: int,
    outcome: Considered,
    rows: dict[int, list[Row]],
    held: dict[str, tuple[int, int]],
) -> None:
    """Messages that are held no longer: in this batch's rows, or in the table of their day."""
    elsewhere: list[Trigger] = []
    for trigger in outcome.settled:
        if place := held.get(trigger.key):
            day, index = place
            row = rows[day][index]
            rows[day][index] = (*row[:9], "accepted", None, *row[11:])
        else:
            elsewhere.append(trigger)
    messages.settle(connection, workspace, elsewhere)
