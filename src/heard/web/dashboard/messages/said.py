"""What became of a message, in words: its badges, the sentence below them, and the route it took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

from heard.campaigns.campaign import Campaign
from heard.deliveries.decision import Decision, Outcome
from heard.deliveries.delivery import Delivery, State
from heard.deliveries.reasons import Objection, Reason
from heard.messages.events import canonical
from heard.operations.went import Went
from heard.store.directory import Directory
from heard.store.messages import Kept
from heard.web.dashboard import say
from heard.web.dashboard.messages.station import Badge, Became, Sentence, Step, with_code

ACCEPTED = Badge("Accepted")
NOTHING_CHANGED = {
    "no_user_id": "An identify without <code>userId</code> makes no contact. Send the id your events carry.",
    "sync_of_unknown_contact": "A computed trait about somebody unknown. Such calls make no contact.",
    "sync_of_unknown_group": "A computed trait about an unknown group. Such calls make no group.",
    "alias_of_itself": "Both its ids are the same, so nothing changes. analytics.js sends every alias so once it knows "
    "the user.",
    "alias_between_contacts": "<code>previousId</code> is a contact of its own. Two contacts are never made one; an "
    "alias says whose an anonymous id is.",
    "alias_of_nobody": "Its <code>previousId</code> is what programs write where they have no id. It stays nobody's.",
}
OVER_THE_LIMIT = "More came in than is taken in one day. It waits in its order for the next one, from midnight UTC on."
STOPS_WITH = {"no_user_id": "No contact was made", "sync_of_unknown_contact": "No contact was made"}
OURS = "Heard could not handle it. The fault is ours, not the sender's; the server's log tells more."


def became(
    kept: Kept,
    decided: Sequence[Decision],
    sent: dict[str, Delivery],
    *,
    ours: Went | None,
    workspace: int,
    directory: Directory,
    now: datetime,
) -> Became:
    """`decided` are its decisions, `sent` the deliveries of the workspace by id, `ours` what surveys had of it."""
    if kept.verdict == "rejected":
        code, detail = _rejected(kept)
        return Became(badges=[Badge("Rejected", "bad", "x")], said=[Sentence(text=detail, code=code)])
    if ours is not None and ours.refusal is not None:
        return Became(badges=[ACCEPTED], said=[Sentence(text=with_code(ours.refusal.detail), code=kept.reason)])
    if reason := NOTHING_CHANGED.get(kept.reason or ""):
        return Became(badges=[ACCEPTED], said=[Sentence(text=Markup(reason), code=kept.reason)])  # noqa: S704  one of our own
    if _is_over_the_limit(kept):
        return Became(
            badges=[Badge("Waits for the next day", "warn", "clock")],
            said=[Sentence(text=OVER_THE_LIMIT, code=kept.reason)],
        )
    if decided:
        return Became(
            badges=[verdict(each, directory) for each in decided],
            said=[_outcome(each, sent.get(each.delivery or ""), now) for each in decided],
        )
    if kept.type != "track" or not kept.event:
        return Became(badges=[ACCEPTED], said=[])
    if late := directory.triggered.get((workspace, canonical(kept.event))):
        names = " and ".join(each.name for each in late)
        return Became(badges=[ACCEPTED], said=[Sentence(text=f"{names} did not listen yet when it came.")])
    if alike := names_alike(kept.event, directory.campaigns_of(workspace)):
        return Became(
            badges=[Badge("Accepted, check the name", "warn", "warn")], said=[Sentence(text=_alike(kept, alike))]
        )
    return Became(badges=[ACCEPTED], said=[Sentence(text="No campaign listens to this event")])


def verdict(decision: Decision, directory: Directory) -> Badge:
    campaign = directory.campaigns.get(decision.campaign)
    name = campaign.name if campaign else "a campaign"
    match decision.outcome:
        case Outcome.INVITED:
            return Badge(f"Invited · {name}", "good", "check")
        case Outcome.HELD:
            return Badge("Held · not identified yet", "warn", "clock")
        case _:
            return Badge(f"Declined · {name}", "off", "no")


def names_alike(event: str, campaigns: Iterable[Campaign]) -> list[Campaign]:
    """Campaigns that listen to a name which differs in capitals, spaces, `_` and `-` alone."""
    return [each for each in campaigns if each.event and each.event != event and _bare(each.event) == _bare(event)]


def route(
    kept: Kept,
    decided: Sequence[Decision],
    sent: dict[str, Delivery],
    *,
    ours: Went | None,
    workspace: int,
    directory: Directory,
    now: datetime,
) -> list[Step]:
    """Station by station, from the collector to what surveys decided."""
    source = directory.sources.get(kept.source)
    steps = [
        Step(
            title="Collected",
            rest=f" from {source.name}" if source else "",
            text=f"Received {kept.received_at:%-d %b %Y, %H:%M:%S} UTC{_lag(kept)}",
        )
    ]
    if kept.verdict == "rejected":
        code, detail = _rejected(kept)
        steps.append(Step(title="Rejected", text=detail, code=code, sign="x", stops=True))
        return steps
    steps.append(
        Step(title="First of its id", text="No message with this messageId came on the same day or the day before")
    )
    if ours is not None and ours.refusal is not None:
        why = with_code(ours.refusal.detail)
        name = ours.destination.name
        steps.append(Step(title=f"Kept from {name}", text=why, code=kept.reason, sign="no", stops=True))
        return steps
    if _is_over_the_limit(kept):
        title = f"Waits to be taken by {_name(workspace, directory)}"
        steps.append(Step(title=title, text=OVER_THE_LIMIT, code=kept.reason, sign="clock", stops=True))
        return steps
    steps.append(Step(title=f"Routed to {_name(workspace, directory)}", text=_routed(kept)))
    for each in decided:
        outcome = _outcome(each, sent.get(each.delivery or ""), now)
        badge = verdict(each, directory)
        text = outcome.text
        if each.outcome == Outcome.DECLINED:
            text = Markup("<br>").join(escape(no.detail or no.reason.value) for no in each.objections)
        stops = each.outcome != Outcome.INVITED
        steps.append(Step(title=badge.text, text=text, sign=badge.sign, stops=stops, why=outcome.why))
    if kept.type == "track" and not decided:
        nobody = became(kept, decided, sent, ours=ours, workspace=workspace, directory=directory, now=now).said[0]
        steps.append(Step(title="Nobody is asked", text=nobody.text, sign="no", stops=True))
    if reason := NOTHING_CHANGED.get(kept.reason or ""):
        text = Markup(reason)  # noqa: S704  one of our own
        title = STOPS_WITH.get(kept.reason or "", "Nothing was changed")
        steps.append(Step(title=title, text=text, code=kept.reason, sign="warn", stops=True))
    return steps


def _outcome(decision: Decision, delivery: Delivery | None, now: datetime) -> Sentence:
    why = decision if decision.contact is not None else None
    match decision.outcome:
        case Outcome.INVITED:
            return Sentence(text=_mail(delivery, now))
        case Outcome.HELD:
            return Sentence(text=_held(decision, now))
        case _:
            return Sentence(text=objected(decision.objections, now), why=why)


def objected(objections: Sequence[Objection], now: datetime) -> str:
    """ "3 objections, the last lapses 12 Dec 2026." One objection tells its evidence instead."""
    untils = [each.until for each in objections if each.until]
    if len(objections) == 1:
        (only,) = objections
        lapse = f" It lapses {say.day(only.until, now)}." if only.until and only.until > now else ""
        return (only.detail or f"{only.reason.value.replace('_', ' ').capitalize()}.") + lapse
    said = f"{len(objections)} objections"
    if not untils or len(untils) < len(objections):
        return f"{said}, not all of which lapse by waiting."
    last = max(untils)
    return f"{said}, all lapsed by now." if last <= now else f"{said}, the last lapses {say.day(last, now)}."


def _is_over_the_limit(kept: Kept) -> bool:
    return kept.verdict == "held" and kept.reason == Reason.INTAKE_LIMIT


def _held(decision: Decision, now: datetime) -> str:
    until = decision.held_until
    who = decision.user_id or "whoever this anonymousId is"
    if until is None or until <= now:
        return f"Waited for an identify of {who}"
    return f"Waits {_wait(until - now)} more for an identify of {who}, then is declined"


def _mail(delivery: Delivery | None, now: datetime) -> str:
    if delivery is None:
        return "A mail was scheduled"
    at = delivery.sent_at or delivery.due_at
    said = f"{at:%a} {say.moment(at, now)}"
    match delivery.state:
        case State.SCHEDULED | State.SENDING:
            return f"Mail due {said}"
        case State.ANSWERED:
            return f"Mail sent {said}; answered"
        case State.FAILED | State.CANCELLED:
            return f"The mail was not sent: {delivery.error or delivery.state.value}"
        case State.UNKNOWN:
            return "Nobody knows whether the mail went out"
        case _:
            return f"Mail sent {said}"


def _wait(left: timedelta) -> str:
    """ "9 min 45 s", "45 s", "3 h 5 min" """
    seconds = max(int(left.total_seconds()), 1)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _rejected(kept: Kept) -> tuple[str, Markup | str]:
    code, _, detail = (kept.reason or "rejected").partition(": ")
    return code, OURS if code == "failed" else with_code(detail)


def _alike(kept: Kept, alike: Sequence[Campaign]) -> str:
    first = alike[0]
    wrong = "case matters" if (first.event or "").casefold() == (kept.event or "").casefold() else "spaces matter"
    return f"No campaign listens to “{kept.event}”. {first.name} listens to “{first.event}”; {wrong}."


def _bare(event: str) -> str:
    return "".join(canonical(event).casefold().split()).replace("_", "").replace("-", "")


def _lag(kept: Kept) -> str:
    """How long after it happened, where that is worth a word."""
    lag = kept.received_at - kept.at
    return f", {_wait(lag)} after it happened" if lag >= timedelta(seconds=1) else ""


def _routed(kept: Kept) -> str:
    match kept.type:
        case "identify":
            return "Its traits are kept with the contact"
        case "track":
            return "Campaigns that listen to its event decide"
        case "group":
            return "Its traits are kept with the group, and who belongs to it"
        case "alias":
            return "It says whose an anonymous id is"
        case _:
            return "Kept; campaigns listen to track calls"


def _name(workspace: int, directory: Directory) -> str:
    intake = directory.intakes.get(workspace)
    return intake.names[0] if intake else "Heard"


def label(kept: Kept, message: Any) -> str:
    """What a message is about, beside its call: the event, how many traits, the page."""
    fields: dict[str, Any] = message if isinstance(message, dict) else {}
    if kept.event:
        return kept.event
    match kept.type:
        case "identify":
            traits = _object(fields, "traits") or _object(_object(fields, "context"), "traits")
            return "1 trait" if len(traits) == 1 else f"{len(traits)} traits"
        case "page" | "screen":
            found = fields.get("name") or _object(fields, "properties").get("path") or kept.type
            return str(found)[:200]
        case "group":
            return str(fields.get("groupId") or "group")[:200]
        case "alias":
            return f"{fields.get('previousId') or '?'} is {fields.get('userId') or '?'}"[:200]
        case _:
            return kept.type or "unreadable"


def _object(fields: dict[str, Any], name: str) -> dict[str, Any]:
    found = fields.get(name)
    return found if isinstance(found, dict) else {}
