"""Objections as a person reads them: what stood in the way, the evidence, and what would change it.

The sentences of the page and of `heard why` come from here; the reason's code stays beside them, so that people and the
API share a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from heard import durations
from heard.deliveries.reasons import Objection, Reason

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Place(StrEnum):
    """Where what stood in the way can be changed."""

    CAMPAIGN = "campaign"
    SURVEY = "survey"
    WORKSPACE = "workspace"
    SOURCES = "sources"


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What the sentences may name."""

    workspace: str
    campaign: str  # the one that decided
    metric: str  # nps
    campaigns: Mapping[int, str] = {}  # by id, to say which one asked
    who: str | None = None  # a first name; "they" without one


class Words(msgspec.Struct, frozen=True):
    """One objection: a heading, its evidence in a sentence or two, and what to do about it where there is something."""

    title: str
    text: str
    mend: str | None = None
    place: Place | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All objections of a decision at once. `last` is when the last one lapses; None when waiting does not help."""

    said: str  # "Three rules objected."
    count: int
    never: int  # how many do not lapse by themselves
    last: datetime | None

    def has_lapsed(self, now: datetime) -> bool:
        return self.last is not None and self.last <= now


def in_words(objection: Objection, names: Names, *, at: datetime) -> Words:
    """`at`: when the decision was made. What is written about asks counts from there, not from today."""
    return WORDS[objection.reason](objection, names, at)


def summed_up(objections: Sequence[Objection]) -> Summary:
    count = len(objections)
    never = sum(each.until is None for each in objections)
    untils = [each.until for each in objections if each.until is not None]
    return Summary(
        said=f"{number(count).capitalize()} {'rule' if count == 1 else 'rules'} objected.",
        count=count,
        never=never,
        last=max(untils) if untils and not never else None,
    )


def label(reason: Reason) -> str:
    """A reason in two or three words, for a list of them: `campaign throttle`."""
    return reason.value.replace("_", " ").replace("24h", "24 hours")


def why_not_sent(error: str | None) -> str:
    """Why a delivery was cancelled or failed, from its `error`: `Not sent: already_answered.` -> `Already answered`."""
    told = (error or "").removeprefix("Not sent: ").rstrip(".")
    words = ", ".join(label(Reason(each)) if each in frozenset(Reason) else each for each in told.split(", "))
    return words[:1].upper() + words[1:]


def number(count: int) -> str:
    """Small numbers as words: three, 12."""
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def had_no_objection(objections: Iterable[Objection]) -> list[str]:
    """What the other rules found, in the order they were asked; of somebody unknown, only those about the event."""
    objected = {each.reason for each in objections}
    unknown = Reason.NOT_IDENTIFIED in objected
    return [said for reason, said in KEPT.items() if reason not in objected and not (unknown and reason in OF_A_PERSON)]


KEPT: Mapping[Reason, str] = {
    Reason.CAMPAIGN_NOT_RUNNING: "The campaign was running",
    Reason.CONDITIONS_NOT_MET: "The campaign’s condition was met",
    Reason.EVENT_TOO_OLD: "The event was recent",
    Reason.NOT_IDENTIFIED: "Identified by an identify",
    Reason.NO_ADDRESS: "Has an e-mail address",
    Reason.UNSUBSCRIBED: "Not unsubscribed",
    Reason.INACTIVE: "Not set inactive",
    Reason.BOUNCED: "The mailbox takes mail",
    Reason.COMPLAINED: "No complaint of spam",
    Reason.SUPPRESSED: "No privacy request",
    Reason.CONSENT_DENIED: "No consent was refused",
    Reason.NOT_IN_AUDIENCE: "In the campaign’s audience",
    Reason.TOO_NEW: "Known long enough",
    Reason.SAMPLED_OUT: "In the campaign’s sample",
    Reason.CAMPAIGN_THROTTLE: "Not asked by this campaign too recently",
    Reason.METRIC_QUIET_PERIOD: "No survey of this kind too recently",
    Reason.WORKSPACE_QUIET_PERIOD: "No other survey too recently",
    Reason.ASKED_WITHIN_24H: "24 hours since the last ask",
    Reason.ALREADY_INVITED: "Not invited for this event yet",
    Reason.CAMPAIGN_DAILY_CAP: "The day had room",
    Reason.QUOTA_REACHED: "The quota had room",
}
"""What each rule found when it had no objection, in the order of `eligibility.RULES`."""

OF_A_PERSON = frozenset(KEPT) - {
    Reason.CAMPAIGN_NOT_RUNNING,
    Reason.EVENT_TOO_OLD,
    Reason.CONSENT_DENIED,
    Reason.ALREADY_INVITED,
    Reason.CAMPAIGN_DAILY_CAP,
    Reason.QUOTA_REACHED,
}

Say = Callable[[Objection, Names, datetime], Words]


def _plain(title: str, mend: str | None = None, place: Place | None = None) -> Say:
    """A heading that needs no evidence but its own; `{who}` is the person, `{campaign}` the campaign."""

    def say(objection: Objection, names: Names, _: datetime) -> Words:
        who, has = (names.who, "has") if names.who else ("they", "have")
        said = title.format(who=who, has=has, campaign=names.campaign)
        return Words(said[0].upper() + said[1:], objection.detail, mend, place)

    return say


def _throttle(objection: Objection, names: Names, at: datetime) -> Words:
    mend = "Wait, or lower how long the campaign waits between two questions."
    if objection.since is None or objection.period is None:
        return Words("This campaign asked them too recently", objection.detail, mend, Place.CAMPAIGN)
    period = durations.in_words(objection.period)
    last = "last asked" if objection.since <= at else "asks next"
    text = f"{names.campaign} waits {period} between two questions to one person. It {last} on {day(objection.since)}."
    return Words(_asked("This campaign", objection.since, names, at), text, mend, Place.CAMPAIGN)


def _metric(objection: Objection, names: Names, at: datetime) -> Words:
    mend, kind = "Wait, or lower the survey’s quiet period.", names.metric.upper()
    if objection.since is None or objection.period is None:
        return Words(f"Another {kind} question asked them too recently", objection.detail, mend, Place.SURVEY)
    period = durations.in_words(objection.period)
    text = f"{kind} questions keep {period} apart, over all campaigns. {_by_whom(objection, names, at)}"
    article = "An" if kind[:1] in "AEFHILMNORSX" else "A"  # as its letters are said: an NPS, a CSAT
    return Words(_asked(f"{article} {kind} question", objection.since, names, at), text, mend, Place.SURVEY)


def _workspace(objection: Objection, names: Names, at: datetime) -> Words:
    mend = "Wait, or lower the workspace’s quiet period."
    if objection.since is None or objection.period is None:
        return Words("Another survey asked them too recently", objection.detail, mend, Place.WORKSPACE)
    period = durations.in_words(objection.period)
    if objection.by_wish:
        who = names.who[:1].upper() + names.who[1:] if names.who else "They"
        text = f"{who} asked for at most one survey in {period}. {_by_whom(objection, names, at)}"
        undo = "They can take it back by the link in every mail."
        return Words(f"{who} asked to be asked less often", text, f"Wait. {undo}")
    text = (
        f"{names.workspace} keeps {period} between any two surveys, over all channels. {_by_whom(objection, names, at)}"
    )
    return Words(_asked("A survey", objection.since, names, at), text, mend, Place.WORKSPACE)


def _floor(objection: Objection, names: Names, at: datetime) -> Words:
    mend = "Wait: no setting turns this off."
    if objection.since is None:
        return Words("Something else asked them within 24 hours", objection.detail, mend)
    text = f"Nobody is asked or reminded twice within 24 hours. {_by_whom(objection, names, at)}"
    return Words(_asked("A survey or reminder", objection.since, names, at), text, mend)


def _too_new(objection: Objection, names: Names, at: datetime) -> Words:
    mend = "Wait, or send the trait createdAt if they are older than Heard knows."
    who = names.who or "they"
    if objection.since is None or objection.period is None:
        return Words("Known for too short a time", objection.detail, mend, Place.CAMPAIGN)
    known = durations.in_words(objection.period)
    verb = "is" if names.who else "are"
    text = (
        f"{names.campaign} asks people who are known for {known}. {who.capitalize() if not names.who else who} {verb}"
        f" known since {day(objection.since)}."
    )
    return Words(f"Known for {_length(at - objection.since)} only", text, mend, Place.CAMPAIGN)


def _asked(what: str, since: datetime, names: Names, at: datetime) -> str:
    """`This campaign asked Mara 68 days before`; `... asks Mara 3 days later`, where that was planned already."""
    who = names.who or "them"
    if since <= at:
        return f"{what} asked {who} {_length(at - since)} before"
    return f"{what} asks {who} {_length(since - at)} later"


def _by_whom(objection: Objection, names: Names, at: datetime) -> str:
    if objection.since is None:
        return objection.detail
    asker = names.campaigns.get(objection.campaign or 0, "A campaign")
    return f"{asker} {'asked' if objection.since <= at else 'asks'} on {day(objection.since)}."


def _length(length: timedelta) -> str:
    for unit, word in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute")):
        if length >= unit:
            count = round(length / unit)
            return f"{count} {word}" + ("" if count == 1 else "s")
    return "less than a minute"


def day(moment: datetime) -> str:
    """`12 Dec 2026`"""
    return f"{moment.day} {moment:%b %Y}"


_IDENTIFY = "Call identify with this userId, at best before the track."
_THEIRS = "Nothing: it is their decision."

WORDS: Mapping[Reason, Say] = {
    Reason.CAMPAIGN_NOT_RUNNING: _plain(
        "{campaign} was not running", "Make the campaign ready, or look at its dates.", Place.CAMPAIGN
    ),
    Reason.CONDITIONS_NOT_MET: _plain(
        "The event did not meet the campaign’s condition",
        "Compare the condition with the event as it was received.",
        Place.CAMPAIGN,
    ),
    Reason.EVENT_TOO_OLD: _plain(
        "The event was too old when it was received",
        "Usually right: a backfill asks nobody. Raise max_event_age if events arrive late.",
        Place.SOURCES,
    ),
    Reason.NOT_IDENTIFIED: _plain("Nobody had said who this is", _IDENTIFY, Place.SOURCES),
    Reason.NO_ADDRESS: _plain("{who} {has} no e-mail address", "Send the trait email by an identify.", Place.SOURCES),
    Reason.UNSUBSCRIBED: _plain("{who} unsubscribed", f"{_THEIRS} They can take it back by the link in every mail."),
    Reason.INACTIVE: _plain("A member set this contact aside", "Make the contact active again."),
    Reason.BOUNCED: _plain(
        "The mailbox does not take mail", "Identify them with an address that works.", Place.SOURCES
    ),
    Reason.COMPLAINED: _plain("{who} reported a mail as spam", "Nothing: we never write to them again."),
    Reason.SUPPRESSED: _plain("A privacy request stands against it", "Nothing, unless the request is taken back."),
    Reason.CONSENT_DENIED: _plain("Consent was not given", _THEIRS),
    Reason.NOT_IN_AUDIENCE: _plain("Not in the campaign’s audience", "Look at the audience.", Place.CAMPAIGN),
    Reason.TOO_NEW: _too_new,
    Reason.SAMPLED_OUT: _plain(
        "Not in the campaign’s sample", "Raise the sample; whoever is in stays in.", Place.CAMPAIGN
    ),
    Reason.CAMPAIGN_THROTTLE: _throttle,
    Reason.METRIC_QUIET_PERIOD: _metric,
    Reason.WORKSPACE_QUIET_PERIOD: _workspace,
    Reason.ASKED_WITHIN_24H: _floor,
    Reason.ALREADY_INVITED: _plain("Invited for this event already", "Nothing: the message was sent twice."),
    Reason.ALREADY_ANSWERED: _plain("{who} {has} answered already"),
    Reason.CAMPAIGN_DAILY_CAP: _plain("The day was full", "Raise the most invitations a day.", Place.CAMPAIGN),
    Reason.QUOTA_REACHED: _plain("The campaign’s quota is used up", "Raise the quota.", Place.CAMPAIGN),
    Reason.INTAKE_LIMIT: _plain(
        "More came in that day than is taken in one day",
        "Wait: it is taken in its order from midnight UTC on. Or raise the daily limit of the surveys destination.",
        Place.SOURCES,
    ),
}
