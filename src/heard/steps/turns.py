"""A campaign that recurs asks the same contact again, so long after it asked them last.

The turn waits in a table of its own and not on the ledger: an ask that may come in three months must not keep another
survey from anybody today. When its day comes the rules are asked as for everybody. Who must wait is asked when they
need wait no longer; who may not be asked has the next turn a whole round later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign, is_running
from heard.deliveries.delivery import Delivery
from heard.deliveries.eligibility import Decline, Invite, decide
from heard.deliveries.ledger import TouchKind
from heard.destinations.considered import Considered
from heard.destinations.decided import answered, undecided
from heard.steps import keep, told
from heard.steps.waves import Asked, prepare, trigger_of
from heard.store import contacts, funnel, tallies, turns
from heard.store.directory import Directory
from heard.store.turns import Turn
from heard.store.types import micros

PEOPLE = 500  # decided about in one go
SOONEST = timedelta(hours=1)  # between two looks at somebody who must wait


def plan(connection: Connection, first: Delivery, *, directory: Directory) -> None:
    """When somebody was asked, or may have been: their next turn, where the campaign recurs."""
    campaign = directory.campaigns[first.campaign]
    if campaign.recurring is None or first.sent_at is None or first.kind is not TouchKind.FIRST:
        return
    at = first.sent_at
    turn = Turn(
        workspace=first.workspace,
        campaign=first.campaign,
        contact=first.contact,
        asked_at=at,
        due_at=at + campaign.recurring,
    )
    turns.keep(connection, [turn])


def take(connection: Connection, *, directory: Directory, now: datetime) -> Asked:
    """Some of those whose turn it is."""
    for campaign in _recurring(directory, now):
        due = turns.due(connection, campaign.id, now, PEOPLE)
        if due:
            return _decide(connection, campaign, due, directory, now)
    return Asked()


def anything(connection: Connection, *, directory: Directory, now: datetime) -> bool:
    """Whether it is somebody's turn; a look that writes nothing."""
    due = next_due(connection, directory=directory, now=now)
    return due is not None and due <= now


def next_due(connection: Connection, *, directory: Directory, now: datetime) -> datetime | None:
    return turns.next_due(connection, [each.id for each in _recurring(directory, now)])


def _recurring(directory: Directory, now: datetime) -> list[Campaign]:
    """Those that ask again; where one did so before and does no more, its turns stay until it does."""
    return [each for each in directory.campaigns.values() if each.recurring and is_running(each, now)]


def _decide(
    connection: Connection, campaign: Campaign, due: Iterable[Turn], directory: Directory, now: datetime
) -> Asked:
    assert campaign.recurring is not None
    workspace, later = campaign.workspace, list[Turn]()
    mine: dict[int, Turn] = {}
    for turn in due:
        longer = turn.asked_at + campaign.recurring  # it may recur less often than when this was planned
        if longer > now and turn.due_at < longer:
            later.append(msgspec.structs.replace(turn, due_at=longer))
        else:
            mine[turn.contact] = turn
    found = contacts.by_id(connection, workspace, mine)
    people = [found[number] for number in mine if number in found]
    turns.remove(connection, [turn for number, turn in mine.items() if number not in found])
    known, outcome = prepare(connection, workspace, people, directory), Considered()
    known.reserve(contacts=0, decisions=len(people))
    for contact in people:
        turn = mine[contact.id]
        trigger = trigger_of(contact, f"turn:{contact.id}:{micros(turn.due_at)}", now)
        decision = undecided(campaign, trigger, contact, known, now=now)
        case = known.case(campaign, trigger, contact, now=now)
        answer = decide(case)
        outcome.decisions[decision.id] = (answered(decision, answer, case, known, outcome), None)
        later.append(msgspec.structs.replace(turn, due_at=_next(answer, campaign.recurring, now)))
    counts: Counter[funnel.Key] = Counter()
    telling = keep.considered(connection, workspace, known, outcome, counts, now)
    told.keep(connection, telling, now)
    tallies.add(connection, counts)
    turns.keep(connection, later)
    return Asked(worked=True, changed=bool(outcome.activated), due=bool(outcome.deliveries), told=bool(telling))


def _next(answer: Invite | Decline, round_: timedelta, now: datetime) -> datetime:
    """When they are thought of again. Who is invited now has their turn moved once more when the mail is out."""
    if isinstance(answer, Decline):
        waits = [each.until for each in answer.objections]
        if all(waits):
            return max(now + SOONEST, *(until for until in waits if until is not None))
    return now + round_
