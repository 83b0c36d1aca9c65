"""Why somebody was (not) asked, in the terminal: the verdict as a sentence, then every objection with its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from heard.cli.show import day, distance
from heard.deliveries.in_words import summed_up
from heard.deliveries.reasons import Objection, Reason

FULL = Reason.INTAKE_LIMIT.value


def view(
    found: Mapping[str, Any],
    *,
    asked_for: str,
    now: datetime,
    console: Console,
    lately: Mapping[str, Any] | None = None,
) -> None:
    """`lately` (see `heard.operations.heard_of`) helps where nothing was decided: what came in, what was waited for."""
    console.print(_person(found, asked_for))
    for decision in found["decisions"]:
        console.print()
        _decision(decision, now, console)
    if not found["decisions"]:
        console.print("No event of theirs has matched a campaign yet, so nothing was decided.")
        if lately:
            _lately(lately, console)
    if found["now"]:
        console.print()
        console.print(Text("If a matching event came in now", style="bold"))
    for campaign in found["now"]:
        would = "would be invited." if campaign["outcome"] == "invited" else _objected(campaign["objections"], now)
        console.print(Text.assemble((f"{campaign['campaign']}: ", "bold"), would))
        _objections(campaign["objections"], now, console)


def _person(found: Mapping[str, Any], asked_for: str) -> Text:
    contact = found["contact"]
    if contact is None and any(_waits_for_a_day(each) for each in found["decisions"]):
        return Text.assemble((asked_for, "bold"), " is not known yet; an identify may wait for the next day as well.")
    if contact is None:
        return Text.assemble((asked_for, "bold"), " was never identified.")
    name = contact["user_id"] or f"id:{contact['id']}"
    since = day(datetime.fromisoformat(contact["created_at"] or contact["first_seen"]))
    return Text.assemble(
        (name, "bold"), f", {contact['email'] or 'no address'}, {contact['status']}, known since {since}"
    )


def _waits_for_a_day(decision: Mapping[str, Any]) -> bool:
    return decision["outcome"] == "held" and any(each["reason"] == "intake_limit" for each in decision["objections"])


def _lately(lately: Mapping[str, Any], console: Console) -> None:
    waiting = ", ".join(lately["waiting_for"])
    console.print(f"Campaigns wait for: {waiting or 'no event yet'}. Names are exact, case included.")
    if not lately["received"]:
        console.print("Nothing has been received from them.")
        return
    console.print("Received from them lately:")
    for each in lately["received"]:
        became = "" if each["verdict"] == "accepted" and not each["reason"] else f", {each['verdict']}"
        reason = f": {each['reason']}" if each["reason"] else ""
        console.print(Text.assemble(f"  • {each['event']} ({each['n']}){became}", (reason, "dim")))


def _decision(decision: Mapping[str, Any], now: datetime, console: Console) -> None:
    at = datetime.fromisoformat(decision["at"])
    about = f"{decision['campaign']}, after {decision['event']}: "
    console.print(Text.assemble((about, "bold"), verdict(decision, at, now)))
    _objections(decision["objections"], now, console)
    if reminder := decision.get("reminder"):
        console.print(f"  {_reminded(reminder)}")
    for revision in reversed(decision["revisions"]):
        until = day(datetime.fromisoformat(revision["at"]))
        console.print(Text(f"  Before {until} it was {revision['outcome']}; {revision['cause']}.", style="dim"))


def _reminded(reminder: Mapping[str, Any]) -> str:
    due = day(datetime.fromisoformat(reminder["due_at"]))
    if reminder["state"] in ("scheduled", "sending"):
        return f"The reminder is due on {due}, unless they answer before."
    if reminder["state"] in ("cancelled", "failed"):
        return f"No reminder: {(reminder['error'] or 'not sent').removeprefix('Not sent: ')}"
    sent = day(datetime.fromisoformat(reminder["sent_at"] or reminder["due_at"]))
    return (
        f"Reminded on {sent}." if reminder["state"] != "unknown" else f"Perhaps reminded on {sent}: {reminder['error']}"
    )


def verdict(decision: Mapping[str, Any], at: datetime, now: datetime) -> str:
    """`Declined on 22 Nov 2026: three rules objected. The last lapses on 20 Feb 2027, in 90 days.`"""
    if decision["outcome"] == "invited":
        return f"Invited on {day(at)}."
    if decision["outcome"] == "held":
        waits_for = "the next day" if any(each["reason"] == FULL for each in decision["objections"]) else "an identify"
        return f"Held since {day(at)}: it waits for {waits_for}."
    said = _objected(decision["objections"], now)
    return f"Declined on {day(at)}: {said[0].lower()}{said[1:]}"


def _objected(objections: Sequence[Mapping[str, Any]], now: datetime) -> str:
    summary = summed_up([msgspec.convert(each, Objection) for each in objections])
    alone = summary.count == 1
    if summary.last is None:
        return summary.said
    if summary.has_lapsed(now):
        return f"{summary.said} {'It has' if alone else 'All have'} lapsed by now."
    lapses = "It lapses" if alone else "The last lapses"
    return f"{summary.said} {lapses} on {day(summary.last)}, {distance(summary.last, now)}."


def _objections(objections: Sequence[Mapping[str, Any]], now: datetime, console: Console) -> None:
    for each in objections:
        until = datetime.fromisoformat(each["until"]) if each["until"] else None
        lapse = "" if until is None else " Lapsed." if until <= now else f" Until {day(until)}, {distance(until, now)}."
        console.print(Text.assemble(f"  • {each['detail']}{lapse} ", (each["reason"], "dim")))
