"""What a campaign would have done over the messages that are kept, side by side with what really happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from heard import config, durations
from heard.board import Board
from heard.campaigns.campaign import GATHERED, Campaign, Recipients
from heard.clock import Clock
from heard.deliveries.decision import Decision, Outcome
from heard.deliveries.reasons import Reason
from heard.errors import HeardError, Invalid
from heard.operations import campaigns_eligible
from heard.operations.moments import moment_in
from heard.operations.why import objections
from heard.retention import Kind
from heard.scores.window import rfc3339
from heard.steps import waves
from heard.steps.rehearse import Progress, Rehearsal
from heard.store import dialects, directory, removals, schema, then
from heard.store.directory import Directory

SINCE = timedelta(days=30)
SAMPLE, MOST_DIFFERENT = 5, 20  # people of each reason, and decisions that differ, that are listed


def look(
    *, data: Path | None, campaign: str, since: str | None = None, workspace: str | None = None
) -> Iterator[Progress | dict[str, Any]]:
    """The same for a command: it reads the data folder itself, so that a server beside it serves on.

    Raises:
        HeardError: there is no Heard in that folder, or its database is of another version.
    """
    settings = config.read(data=data)
    if not (settings.data / "heart.lock").exists():
        raise HeardError(f"There is no Heard in {settings.data}. Run `heard init`, or name another folder with --data.")
    now, engine = Clock(Board(settings.data / "board")).now(), dialects.open_engine(settings.database_url, writer=False)
    try:
        with engine.connect() as connection:
            if (found := schema.version(connection)) != schema.CURRENT:
                raise HeardError(f"The database is of schema {found}, ours is {schema.CURRENT}. Run `heard migrate`.")
            known = directory.load(connection)
            asked = known.campaign(known.workspace(workspace).id, campaign)
            yield from result(connection, known, asked, begin(since, now), now)
    finally:
        engine.dispose()


def begin(since: str | None, now: datetime) -> datetime:
    return moment_in(since, "since", now) if since else now - SINCE


def last(steps: Iterable[Progress | dict[str, Any]]) -> dict[str, Any]:
    *_, found = steps
    assert isinstance(found, dict)
    return found


def result(
    connection: Connection, known: Directory, campaign: Campaign, since: datetime, now: datetime
) -> Iterator[Progress | dict[str, Any]]:
    """A word now and then of how far it is, and at last the whole:

    `{"campaign", "since", "until", "messages", "people", "would": SIDE, "really": SIDE, "same", "different",
    "differences": [{"message_id", "user_id", "contact", "at", "would", "did"}], "sample": [...],
    "could_not_know": [sentence]}`,
    where SIDE is `{"decided", "invited", "declined", "held", "sent", "reminded", "reasons": {reason: n},
    "by_day": [{"day", "invited"}]}`, days without an invitation left out.

    Raises:
        Invalid: no event leads to this campaign (field `campaign`).
    """
    if campaign.recipients in GATHERED:
        yield from _eligible(connection, known, campaign, since, now)
        return
    if campaign.recipients is Recipients.LINK:
        said = "asks whoever follows its link, and no message says who will. Its page says who did."
        raise Invalid(f"{campaign.name} {said}", field="campaign")
    if campaign.recipients is not Recipients.EVENT or not campaign.event:
        raise Invalid(f"{campaign.name} asks whom a program names, and no message is kept of that.", field="campaign")
    rehearsal = Rehearsal(connection, known, campaign, since=since, now=now)
    yield from rehearsal.run()
    would = {each.trigger: each for each in rehearsal.decisions.values()}
    did = {trigger: each for trigger, each in rehearsal.really.items() if _by_a_message(trigger)}
    different = [
        (would.get(trigger), did.get(trigger))
        for trigger in sorted(would.keys() | did.keys())
        if _answer(would.get(trigger)) != _answer(did.get(trigger))
    ]
    yield {
        "campaign": campaign.name,
        "since": rfc3339(since),
        "until": rfc3339(now),
        "messages": rehearsal.messages,
        "people": len({each.user_id or each.anonymous_id for each in would.values()}),
        "would": _side(would.values()) | {"sent": len(rehearsal.sent), "reminded": len(rehearsal.reminded)},
        "really": _side(did.values())
        | then.sent_of(connection, campaign.workspace, campaign.id, [each.id for each in did.values()]),
        "same": len(would.keys() & did.keys()) - sum(1 for a, b in different if a and b),
        "different": len(different),
        "differences": [_difference(*each) for each in different[:MOST_DIFFERENT]],
        "sample": _sample(rehearsal),
        "could_not_know": list(_could_not_know(connection, rehearsal)),
    }


def _by_a_message(trigger: str) -> bool:
    """`1:m17` is a message of source 1; a turn, or what a program asked, is none."""
    return trigger.partition(":")[0].isdecimal()


def _answer(decision: Decision | None) -> tuple[Any, ...] | None:
    if decision is None:
        return None
    return decision.outcome, tuple(sorted(each.reason for each in decision.objections))


def _side(made: Iterable[Decision]) -> dict[str, Any]:
    decided = list(made)
    outcomes = Counter(each.outcome for each in decided)
    reasons = Counter(each.objections[0].reason.value for each in decided if each.outcome is Outcome.DECLINED)
    by_day = Counter(f"{each.at:%Y-%m-%d}" for each in decided if each.outcome is Outcome.INVITED)
    return {
        "decided": len(decided),
        **{outcome.value: outcomes.get(outcome, 0) for outcome in Outcome},
        "reasons": dict(reasons.most_common()),
        "by_day": _by_day(by_day),
    }


def _by_day(invited: Counter[str]) -> list[dict[str, Any]]:
    return [{"day": day, "invited": n} for day, n in sorted(invited.items())]


def _difference(would: Decision | None, did: Decision | None) -> dict[str, Any]:
    either = would or did
    assert either is not None
    return {
        "message_id": either.message_id,
        "user_id": either.user_id,
        "contact": _number(did or either),
        "at": rfc3339(either.event_at),
        "would": _shown(would),
        "did": _shown(did),
    }


def _shown(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    return {"outcome": decision.outcome.value, "objections": objections(decision.objections)}


def _number(decision: Decision) -> int | None:
    """The contact's; who is a contact in the rehearsal alone has none."""
    return decision.contact if decision.contact is not None and decision.contact > 0 else None


def _sample(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    """The newest few who would be invited, and of each reason."""
    taken: Counter[Reason | None] = Counter()
    found: list[dict[str, Any]] = []
    for decision in sorted(rehearsal.decisions.values(), key=lambda each: -each.id):
        reason = decision.objections[0].reason if decision.objections else None
        taken[reason] += 1
        if taken[reason] <= SAMPLE:
            due = rehearsal.due.get(decision.id)
            found.append(
                {
                    "user_id": decision.user_id,
                    "contact": _number(decision),
                    "event": decision.event,
                    "at": rfc3339(decision.event_at),
                    "due_at": rfc3339(due) if due and decision.outcome is Outcome.INVITED else None,
                    "outcome": decision.outcome.value,
                    "objections": objections(decision.objections),
                }
            )
    return found


def _could_not_know(connection: Connection, rehearsal: Rehearsal) -> Iterator[str]:
    """Where the past cannot be made again, in words."""
    gone = removals.gone_before(connection, Kind.MESSAGES)
    if gone is not None and gone > rehearsal.since:
        yield f"Messages from before {gone:%Y-%m-%d} are kept no longer."
    if rehearsal.unsure:
        n = len(rehearsal.unsure)
        yield (
            f"Of {n:,} contact{'' if n == 1 else 's'} the first identify is kept no longer: their older traits are"
            " taken as they are today."
        )
    campaign = rehearsal.campaign
    for at in then.changes(connection, campaign.workspace, campaign.id, rehearsal.since) if campaign.id else ():
        yield f"The campaign was changed, paused or resumed on {at:%Y-%m-%d}; this is its present form throughout."
    policy = rehearsal.policy
    if policy.quiet_period is not None:
        yield (
            f"Quiet periods, {durations.in_words(policy.quiet_period)} for any survey, are taken as they are today;"
            " what they were is not kept."
        )


def _eligible(
    connection: Connection, known: Directory, campaign: Campaign, since: datetime, now: datetime
) -> Iterator[Progress | dict[str, Any]]:
    """Nothing has to happen first: whom it would ask if it began now."""
    invited: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    sample: list[dict[str, Any]] = []
    people, everybody = 0, waves.size(connection, campaign, known)
    for each in campaigns_eligible.judged(connection, known, campaign, now, everyone=False):
        people += 1
        if people % waves.PEOPLE == 0:
            yield Progress(people, max(people, everybody), "people")
        why = each.objections[0].reason.value if each.objections else ""
        if each.due is not None:
            invited[f"{each.due:%Y-%m-%d}"] += 1
        else:
            reasons[why] += 1
        taken[why] += 1
        if taken[why] <= SAMPLE:
            sample.append(
                {
                    "user_id": each.user_id,
                    "contact": each.contact.id if each.contact else None,
                    "event": None,
                    "at": rfc3339(now),
                    "due_at": rfc3339(each.due) if each.due else None,
                    "outcome": (Outcome.INVITED if each.due else Outcome.DECLINED).value,
                    "objections": objections(each.objections),
                }
            )
    would = {
        "decided": people,
        "invited": sum(invited.values()),
        "declined": sum(reasons.values()),
        "held": 0,
        "sent": 0,
        "reminded": 0,
        "reasons": dict(reasons.most_common()),
        "by_day": _by_day(invited),
    }
    yield {
        "campaign": campaign.name,
        "since": rfc3339(since),
        "until": rfc3339(now),
        "messages": 0,
        "people": people,
        "would": would,
        "really": None,
        "same": 0,
        "different": 0,
        "differences": [],
        "sample": sample,
        "could_not_know": ["It asks a list or an audience: this is whom it would ask if it began now."],
    }
