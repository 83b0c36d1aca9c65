"""The surveys destination's daily limit: what is over it waits, and is taken in its order when the next day begins.

Whoever comes while others wait waits behind them, so that nobody's track overtakes its identify.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from heard.destinations import surveys
from heard.destinations.considered import Considered
from heard.messages.again import again
from heard.steps import keep, told
from heard.steps.allowance import left
from heard.steps.plans import shapes
from heard.steps.route import load, name_of_count, take
from heard.store import forwards, messages, tallies, waiting
from heard.store.days import day_of
from heard.store.directory import Directory

MOST_AT_ONCE = 1000
UNREADABLE = "rejected", "failed: it cannot be read any more"


class Taken(msgspec.Struct, kw_only=True):
    messages: int = 0
    activated: set[int] = msgspec.field(default_factory=set)
    due: bool = False
    forwarded: bool = False  # something goes to destinations outside


def take_waiting(connection: Connection, *, directory: Directory, now: datetime) -> Taken:
    """As many of those that wait as the day allows, a batch a workspace."""
    taken = Taken()
    for workspace in waiting.workspaces(connection):
        room = min(MOST_AT_ONCE, left(connection, workspace, directory.intakes[workspace], now))
        if room > 0:
            _take(connection, workspace, room, directory, now, taken)
    return taken


def _take(connection: Connection, workspace: int, room: int, directory: Directory, now: datetime, taken: Taken) -> None:
    places = waiting.first(connection, workspace, room)
    found = messages.placed(connection, places)
    ours = directory.destinations[directory.intakes[workspace].destination]
    shaping = ours if shapes(ours) else None
    read = {number: again(each.kept, each.kept.message_id) for number, each in found.items()}
    batch = [message for message in read.values() if message is not None]
    known = load(connection, workspace, batch, directory)
    tracks = [each.kept for each in found.values() if each.kept.type == "track"]
    known.load_waiting(surveys.key_of(each.source, each.message_id) for each in tracks)
    outcome = Considered()
    verdicts: list[tuple[str, str | None, int, int]] = []
    for day, number in places:
        if number not in found:
            continue
        message = read[number]
        verdict, reason = take(message, shaping, known, outcome, now) if message is not None else UNREADABLE
        verdicts.append((verdict, reason, day, number))
    surveys.let_go(known, outcome, now=now)
    counts: Counter[tuple[int, int, str]] = Counter({(workspace, day_of(now), tallies.TAKEN): len(verdicts)})
    telling = keep.considered(connection, workspace, known, outcome, counts, now)
    tallies.add(connection, counts)
    names = Counter(name_of_count(reason) for verdict, reason, _, _ in verdicts if verdict != "rejected")
    forwards.count(connection, {(workspace, ours.id, forwards.hour_of(now), name): n for name, n in names.items()})
    messages.judge(connection, verdicts)
    told.keep(connection, telling, now)
    taken.forwarded |= bool(telling)
    messages.settle(connection, workspace, outcome.settled)
    waiting.remove(connection, workspace, [number for _, number in places])
    taken.messages += len(places)
    taken.activated |= outcome.activated
    taken.due |= bool(outcome.deliveries)
