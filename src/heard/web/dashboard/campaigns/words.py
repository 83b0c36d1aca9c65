"""What the pages of a campaign say about it: what its lengths mean in real dates, how its texts read, who was held."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from heard import replace
from heard.accounts.workspace import Workspace
from heard.campaigns.campaign import Campaign, Recipients, Status
from heard.channels.email.headers import one_line
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.deliveries import reminder, schedule
from heard.deliveries.ledger import Touches
from heard.deliveries.reasons import Reason
from heard.scores.nps import interval
from heard.surveys.survey import Survey
from heard.web.dashboard import say
from heard.web.dashboard.named import named

LABELS: Mapping[Reason, str] = {
    Reason.CAMPAIGN_NOT_RUNNING: "Not running",
    Reason.CONDITIONS_NOT_MET: "Condition not met",
    Reason.EVENT_TOO_OLD: "Event too old",
    Reason.NOT_IDENTIFIED: "Never identified",
    Reason.NO_ADDRESS: "No address",
    Reason.UNSUBSCRIBED: "Unsubscribed",
    Reason.INACTIVE: "Set inactive",
    Reason.BOUNCED: "Bounced",
    Reason.COMPLAINED: "Complained",
    Reason.SUPPRESSED: "Privacy request",
    Reason.CONSENT_DENIED: "No consent",
    Reason.NOT_IN_AUDIENCE: "Not in the audience",
    Reason.TOO_NEW: "Known too briefly",
    Reason.SAMPLED_OUT: "Not in the sample",
    Reason.CAMPAIGN_THROTTLE: "Campaign throttle",
    Reason.METRIC_QUIET_PERIOD: "Metric quiet period",
    Reason.WORKSPACE_QUIET_PERIOD: "Workspace quiet period",
    Reason.ASKED_WITHIN_24H: "Asked within 24 hours",
    Reason.ALREADY_INVITED: "Already invited",
    Reason.ALREADY_ANSWERED: "Already answered",
    Reason.CAMPAIGN_DAILY_CAP: "Daily cap",
    Reason.QUOTA_REACHED: "Quota reached",
    Reason.INTAKE_LIMIT: "Intake limit",
}
RECIPIENTS = (  # value, what it is called, what it means
    ("event", "Whoever does an event", "The Segment way: a track of somebody identified leads to the survey."),
    (
        "list",
        "Everybody on a list",
        "From a CSV file, pasted or by a program; at once, on a date, or day by day.",
    ),
    ("audience", "Every member of an audience", "By what they did or are; at once, on a date, or day by day."),
    ("api", "Whom a program names", "By POST /api/campaigns/NAME/ask, with the same rules."),
    ("link", "Whoever follows its link", "In mails that your other tools send. Heard itself writes to nobody then."),
)
BADGES: Mapping[Status, tuple[str, str]] = {  # kind and icon
    Status.DRAFT: ("off", "edit"),
    Status.READY: ("good", "clock"),
    Status.ACTIVE: ("good", "check"),
    Status.PAUSED: ("warn", "pause"),
    Status.COMPLETE: ("off", "check"),
}
USUAL_RATE = 0.2  # of those who are asked answer
USUAL_SHARES = (0.5, 0.3, 0.2)  # promoters, passives, detractors: for the width of an interval to come


class Step(msgspec.Struct, frozen=True):
    """What happens when; `day` and `text` as the page writes them."""

    day: str
    text: str


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What the lengths of a campaign mean for an event of today. `wider` are the rules that stand over the campaign."""

    steps: list[Step]
    wider: list[str]
    zone: str


class Reads(msgspec.Struct, frozen=True, kw_only=True):
    """How the mail's texts read for somebody real, and without knowing anything of them."""

    who: str | None
    subject: str
    intro: str
    intro_bare: str | None  # only where it differs


class Yield(msgspec.Struct, frozen=True, kw_only=True):
    """What a month of asking would bring: mails a weekday, answers, and half the width of the score's interval."""

    a_weekday: int
    rate: float
    answers: int
    reach: int | None


def explained(campaign: Campaign, *, workspace: Workspace, quiet: timedelta | None, now: datetime) -> Explained:
    """`quiet`: the quiet period of the survey's kind. Times are those of the window's zone, else UTC."""
    zone = schedule.zone_of(campaign, None)
    asked = now + campaign.delay
    due = schedule.due(campaign, event_at=now, now=now, zone=zone)
    moved = "; the window moves it here" if due > asked else ""
    first = campaign.event or _FIRST[campaign.recipients]
    steps = [
        Step(_day(now, zone, now), f"{_clock(now, zone)}, {first}"),
        Step(_day(due, zone, now), f"{_clock(due, zone)}, asked if nothing objects by then{moved}"),
    ]
    if campaign.reminder:
        again = reminder.due(campaign, campaign.reminder, sent_at=due, touches=Touches(), zone=zone)
        steps.append(
            Step(_day(again, zone, now), f"{_clock(again, zone)}, reminded once if there is no answer by then")
        )
    periods = [period for period in (campaign.throttle, quiet, workspace.quiet_period) if period]
    if periods:
        again = due + max(periods)
        steps.append(Step(_day(again, zone, now), f"{_clock(again, zone)}, may be asked again"))
    wider = []
    if quiet:
        wider.append(f"{say.length(quiet)} between two {campaign.metric.upper()} questions")
    if workspace.quiet_period:
        wider.append(f"{say.length(workspace.quiet_period)} between any two surveys")
    wider.append("24 hours between any two mails")
    return Explained(steps=steps, wider=wider, zone=zone.key)


_FIRST: Mapping[Recipients, str] = {
    Recipients.EVENT: "the event",
    Recipients.API: "a program asks",
    Recipients.LIST: "it is activated",
    Recipients.AUDIENCE: "it is activated",
    Recipients.LINK: "somebody follows the link",
}


def quiet_of(surveys: Mapping[int, Survey], survey: Survey) -> timedelta | None:
    """The longest quiet period that any survey of its kind asks for: it holds for all of them."""
    alike = (each for each in surveys.values() if each.workspace == survey.workspace and each.kind == survey.kind)
    return max((each.quiet_period for each in alike if each.quiet_period), default=None)


def reads(subject: str, intro: str, *, brand: str, contact: Contact | None) -> Reads:
    known = traits.decode(contact.traits) if contact else {}
    said, bare = (replace.replace(intro, brand=brand, traits=each) for each in (known, dict[str, Any]()))
    return Reads(
        who=named(contact).name if contact else None,
        subject=one_line(replace.replace(subject, brand=brand, traits=known)),
        intro=said,
        intro_bare=bare if bare != said else None,
    )


def to_come(could: int, *, rate: float | None) -> Yield:
    """Of a month in which `could` are asked."""
    used = USUAL_RATE if rate is None else rate
    answers = round(could * used)
    reach = None
    if answers >= 10:
        low, high = interval(*(round(answers * share) for share in USUAL_SHARES))
        reach = round((high - low) / 2)
    return Yield(a_weekday=max(1, round(could / 21)), rate=used, answers=answers, reach=reach)


def _day(at: datetime, zone: Any, now: datetime) -> str:
    here = at.astimezone(zone)
    return f"{here:%a} {say.day(here, now)}"


def _clock(at: datetime, zone: Any) -> str:
    return say.clock(at.astimezone(zone))
