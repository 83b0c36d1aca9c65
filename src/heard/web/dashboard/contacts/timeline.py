"""One contact's story as a list of moments, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from heard.campaigns.campaign import Channel
from heard.contacts.standing import Kind
from heard.deliveries.decision import Decision, Outcome
from heard.deliveries.delivery import Delivery, State
from heard.deliveries.in_words import label, number, why_not_sent
from heard.deliveries.ledger import Postponed, TouchKind, Why
from heard.deliveries.reasons import Objection
from heard.responses.clicks import Link
from heard.responses.response import OF_PEOPLE, Answer, Response, Verdict
from heard.scores import nps
from heard.store.directory import Directory
from heard.store.messages import Kept
from heard.store.story import Opened, Story, Wish
from heard.web.dashboard import say
from heard.web.dashboard.contacts.moment import Moment

SHOWS = ("all", "asked", "messages")
FIELDS_SHOWN = 4
LONGEST_VALUE = 60  # characters
LATE = timedelta(hours=1)  # between happening and being received, worth a word
UNTIL = {"identified": "until the identify arrived", "the day's allowance": "until a day had room for it"}


def asked(story: Story, directory: Directory) -> list[Moment]:
    """All that has to do with asking, in no order."""
    return [
        *(moment for each in story.decisions for moment in _decision(each, directory)),
        *(moment for each in story.deliveries for moment in _delivery(each, story, directory)),
        *(
            _put_off(each, postponed, directory)
            for each in story.deliveries
            for postponed in story.postponed.get(each.id, ())
        ),
        *(_click(each, story, directory) for each in story.clicks),
        *(moment for each in story.responses for moment in _answer(each, story, directory)),
        *map(_wish, story.wishes),
    ]


def said(messages: list[Kept], directory: Directory) -> list[Moment]:
    """Messages; an identify says what it changed against the one before it, as far as that is among them."""
    oldest_first = sorted(messages, key=lambda each: each.id)
    known: dict[str, Any] = {}
    found: list[Moment] = []
    for message in oldest_first:
        body = _object(message.body)
        traits = body.get("traits")
        told = dict(traits) if message.type == "identify" and isinstance(traits, dict) else {}
        found.append(_message(message, body, told, known, directory))
        known |= told
    return found


def _decision(decision: Decision, directory: Directory) -> Iterable[Moment]:
    """The decision as it was made, and each change of mind; a wait for an identify is one line with what came of it."""
    versions = [
        *((each.outcome, each.objections, each) for each in decision.revisions),
        (decision.outcome, decision.objections, None),
    ]
    at, note = decision.at, ""
    for outcome, objections, change in versions:
        if outcome == Outcome.HELD and change is not None:
            came = UNTIL.get(change.cause, f"then {change.cause}")
            note, at = f"Held for {_length(change.at - at)}, {came}", change.at
            continue
        cause = "" if at == decision.at or note else _after_change(decision, at)
        yield _decided(decision, outcome, objections, at=at, note=note or cause, directory=directory)
        at, note = change.at if change else at, ""


def _after_change(decision: Decision, at: datetime) -> str:
    cause = next((each.cause for each in decision.revisions if each.at == at), "")
    return cause[:1].upper() + cause[1:]


def _decided(
    decision: Decision,
    outcome: Outcome,
    objections: tuple[Objection, ...],
    *,
    at: datetime,
    note: str,
    directory: Directory,
) -> Moment:
    sign, tone = {"invited": ("check", "good"), "held": ("clock", "warn"), "declined": ("no", "")}[outcome.value]
    count = len(objections)
    reasons = ", ".join(label(each.reason) for each in objections)
    badge = f"{number(count).capitalize()} objection{'' if count == 1 else 's'}"
    return Moment(
        at=at,
        sign=sign,
        tone=tone,
        bold=outcome.value.capitalize(),
        rest=" by ",
        campaign=decision.campaign,
        campaign_name=_campaign(decision.campaign, directory),
        event=decision.event,
        badge=(badge, "", "") if count and outcome == Outcome.DECLINED else None,
        note=" · ".join(each for each in (reasons, note) if each) or "No objection",
        decision=decision.id,
    )


def _delivery(delivery: Delivery, story: Story, directory: Directory) -> Iterable[Moment]:
    """When it went out, or is to; an invitation that was cancelled is told by its decision, by link by its answer."""
    if delivery.channel == Channel.LINK:
        return
    is_reminder = delivery.kind == TouchKind.REMINDER
    mail = "Reminder" if is_reminder else "Mail"
    named: dict[str, Any] = {
        "campaign": delivery.campaign,
        "campaign_name": _campaign(delivery.campaign, directory),
        "delivery": delivery.id,
        "rest": ", ",
    }
    note = f"To {delivery.address}"
    match delivery.state:
        case State.SCHEDULED | State.SENDING:
            again = f" · tried {delivery.attempts} times: {delivery.error}" if delivery.attempts else ""
            yield Moment(
                at=delivery.due_at, sign="clock", tone="warn", bold=f"{mail} planned", note=note + again, **named
            )
        case State.FAILED:
            yield Moment(
                at=delivery.sent_at or delivery.due_at,
                sign="warn",
                tone="warn",
                bold=f"{mail} failed",
                note=delivery.error or note,
                badge=("Failed", "bad", "warn"),
                **named,
            )
        case State.CANCELLED if is_reminder:
            at = _taken_back(delivery, story)
            yield Moment(at=at, sign="no", bold="No reminder", note=why_not_sent(delivery.error), **named)
        case State.CANCELLED:
            return
        case _:
            badge = (
                None
                if is_reminder and delivery.state == State.EXPIRED
                else {
                    State.ANSWERED: ("Answered", "good", "check"),
                    State.EXPIRED: ("Expired", "off", ""),
                    State.UNKNOWN: ("Outcome unknown", "warn", "warn"),
                }.get(delivery.state)
            )
            sent_at = delivery.sent_at or delivery.due_at
            came_back = f" · {delivery.error}" if delivery.error and delivery.state == State.SENT else ""
            yield Moment(at=sent_at, sign="mail", bold=f"{mail} sent", badge=badge, note=note + came_back, **named)


PUT_OFF = {
    Why.RULES: "its campaign does not send at that hour",
    Why.RATE: "no more mails were to go out then",
    Why.CAP: "its campaign had asked as many that day as its daily cap allows",
    Why.FAILED: "the mail server did not take it",
    Why.RESUMED: "its campaign went on after a pause",
    Why.ASKED_AGAIN: "what it reminds of had just gone out once more",
}


def _put_off(delivery: Delivery, postponed: Postponed, directory: Directory) -> Moment:
    is_reminder = delivery.kind == TouchKind.REMINDER
    why = PUT_OFF[postponed.why]
    if is_reminder and postponed.why is Why.RULES:
        why = "its campaign does not send at that hour, or another mail was too near"
    return Moment(
        at=postponed.at,
        sign="clock",
        bold=f"{'Reminder' if is_reminder else 'Mail'} put off",
        rest=", ",
        campaign=delivery.campaign,
        campaign_name=_campaign(delivery.campaign, directory),
        note=f"Until {say.moment(postponed.until, postponed.at)}: {why}",
        delivery=delivery.id,
    )


def _taken_back(reminder: Delivery, story: Story) -> datetime:
    """An answer and an unsubscription take it back at once; everything else when it was due."""
    asked = {each.id for each in story.deliveries if each.decision == reminder.decision}
    moments = [each.answered_at for each in story.responses if each.delivery in asked and each.is_said]
    moments += [each.at for each in story.wishes if each.kind == Kind.UNSUBSCRIBED and each.on]
    return min((each for each in moments if reminder.event_at <= each <= reminder.due_at), default=reminder.due_at)


LINKS = {
    Link.HIDDEN: "The hidden link, which no person sees",
    Link.LEAVE: "The link to stop surveys",
    Link.SURVEY: "The survey’s page, no score preselected",
}


def _click(click: Opened, story: Story, directory: Directory) -> Moment:
    """A link that was opened counts for nothing; the form that a person sent after it does."""
    delivery = next((each for each in story.deliveries if each.id == click.delivery), None)
    response = next((each for each in story.responses if each.delivery == click.delivery), None)
    after = [
        each
        for each in story.revisions
        if response and each.response == response.id and each.at >= click.at and each.verdict in OF_PEOPLE
    ]
    first = min(after, key=lambda each: each.at, default=None)
    value = _said(first.answers, "score") if first and click.link is Link.SCORE else None
    parts = [
        LINKS.get(click.link) or f"Score {click.value} preselected",
        "" if value is None else f"{value} was answered",
        _campaign(delivery.campaign, directory) if delivery else "",
    ]
    is_get, is_score = click.method == "GET", click.link is Link.SCORE
    is_bots = is_score and response is not None and response.verdict is Verdict.BOT
    is_machine = not is_get or click.link is Link.HIDDEN or is_bots
    waits = is_get and is_score and first is None and not is_machine
    return Moment(
        at=click.at,
        sign="search" if is_machine else "clock",
        tone="warn" if waits else "",
        bold="Link opened" if is_get else "Link looked up",
        rest=", by a machine" if is_machine else ", not counted yet" if waits else "",
        note=" · ".join(part for part in parts if part),
        delivery=click.delivery,
        response=response.id if response else None,
    )


def _answer(response: Response, story: Story, directory: Directory) -> Iterable[Moment]:
    """The first answer, and every change of it; each as it was said then. What was only opened is told by its clicks,
    until something comes of it."""
    versions = sorted((each for each in story.revisions if each.response == response.id), key=lambda each: each.at)
    survey = directory.surveys.get(response.survey)
    before: float | str | None = None
    said = False
    for version in versions:
        if version.verdict is Verdict.PROVISIONAL:
            continue
        value, comment = _said(version.answers, "score"), _said(version.answers, "comment")
        changed = f" changed from {before:g}" if isinstance(before, int | float) and before != value else " changed"
        counts = version.verdict is Verdict.HUMAN
        note = "Confirmed by a person" if counts else "Left out of scores"
        if version.by:
            note = f"{version.by} said that it was {'a person' if counts else 'a machine'}"
        elif version.at == versions[-1].at and response.evidence:
            note = " ".join(each.said for each in response.evidence)
        yield Moment(
            at=version.at,
            sign="reply" if version.verdict in OF_PEOPLE else "no",
            tone="good" if version.verdict in OF_PEOPLE else "",
            bold=survey.name if survey else response.metric.upper(),
            rest=changed if said else f" by {'e-mail' if response.channel == 'email' else response.channel}",
            score=(value, nps.category(int(value)), 10) if isinstance(value, int | float) else None,
            quote=str(comment) if comment else None,
            note=note,
            badge=BADGES.get(version.verdict),
            delivery=response.delivery,
            response=response.id,
        )
        if version.verdict in OF_PEOPLE:
            before, said = value, True


BADGES = {Verdict.BOT: ("Machine", "off", "no"), Verdict.TEST: ("Test", "off", "")}


def _wish(wish: Wish) -> Moment:
    on = {
        Kind.UNSUBSCRIBED: "Unsubscribed",
        Kind.INACTIVE: "Set inactive",
        Kind.BOUNCED: "The mailbox refused a mail",
        Kind.COMPLAINED: "Reported as spam",
        Kind.SUPPRESSED: "Suppressed by a privacy request",
        Kind.LESS_OFTEN: "Asked to be asked less often",
        Kind.NOT_THIS_ONE: "Asked for one survey no more",
    }[wish.kind]
    off = {Kind.UNSUBSCRIBED: "Wishes mail again", Kind.BOUNCED: "The mailbox takes mail again"}
    return Moment(
        at=wish.at,
        sign="no" if wish.on else "check",
        tone="warn" if wish.on else "good",
        bold=on if wish.on else off.get(wish.kind, f"{on}: taken back"),
        note=wish.cause[:1].upper() + wish.cause[1:],
    )


def _message(
    message: Kept, body: Mapping[str, Any], told: Mapping[str, Any], known: Mapping[str, Any], directory: Directory
) -> Moment:
    source = directory.sources.get(message.source)
    late = message.received_at - message.at
    changes = [
        f"{name} from {_short(known[name])} to {_short(value)}"
        for name, value in told.items()
        if name in known and known[name] != value
    ]
    new = _fields({name: value for name, value in told.items() if name not in known})
    parts = [
        *(new if message.type == "identify" else _fields(_told_by(message, body))),
        source.name if source else "",
        f"happened {message.at.day} {message.at:%b %Y, %H:%M}" if late > LATE else "",
        "" if message.verdict == "accepted" else message.verdict,
        (message.reason or "").replace("_", " "),
    ]
    return Moment(
        at=message.received_at,
        sign="person" if message.type == "identify" else "messages",
        bold=message.event or message.type,
        rest=f" changed {', '.join(changes[:FIELDS_SHOWN])}" if changes else "",
        badge=_badge(message),
        note=" · ".join(each for each in parts if each),
    )


def _told_by(message: Kept, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a call other than identify has to say: its properties, a group and its traits, or the id before."""
    match message.type:
        case "group":
            traits = body.get("traits")
            return {"groupId": body.get("groupId"), **(traits if isinstance(traits, dict) else {})}
        case "alias":
            return {"previousId": body.get("previousId")}
        case _:
            properties = body.get("properties")
            return properties if isinstance(properties, dict) else {}


def _badge(message: Kept) -> tuple[str, str, str] | None:
    if message.verdict == "rejected":
        return message.verdict.capitalize(), "warn", "warn"
    return ("Anonymous", "off", "") if message.user_id is None else None


def _fields(values: Mapping[str, Any]) -> list[str]:
    plain = [f"{name} {_short(value)}" for name, value in values.items() if not isinstance(value, dict | list)]
    return plain[:FIELDS_SHOWN]


def _short(value: object) -> str:
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _said(answers: Iterable[Answer], question: str) -> int | float | str | None:
    return next((each.value for each in answers if each.question_id == question), None)


def _campaign(campaign: int, directory: Directory) -> str:
    found = directory.campaigns.get(campaign)
    return found.name if found else "a campaign that is gone"


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _length(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} minutes"
