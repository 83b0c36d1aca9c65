"""The panel that says why somebody was, or was not, asked; and what each campaign would decide now."""

from __future__ import annotations

from datetime import datetime

import msgspec
from markupsafe import Markup

from heard.campaigns.campaign import Campaign
from heard.contacts.contact import Contact
from heard.deliveries.decision import Decision, Outcome
from heard.deliveries.delivery import Delivery
from heard.deliveries.eligibility import Decline, decide
from heard.deliveries.in_words import Names, Summary, Words, had_no_objection, in_words, label, summed_up, why_not_sent
from heard.deliveries.ledger import TouchKind
from heard.deliveries.reasons import Objection
from heard.destinations.known import Known
from heard.responses.response import Response
from heard.store.directory import Directory
from heard.store.story import Story
from heard.web.dashboard.contacts.axis import Span, axis_of, bar, labels


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    objection: Objection
    words: Words
    wait: Markup


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """One decision, whole. `delivery` and `response` are what became of an invitation."""

    decision: Decision
    campaign: Campaign | None
    name: str
    survey: str
    objections: list[Drawn]
    summary: Summary
    axis: Markup
    kept: list[str]
    delivery: Delivery | None
    reminder: Delivery | None
    why_no_reminder: str
    response: Response | None
    earlier: Decision | None  # the newest that was declined or held, where this one invited


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign would decide. `start` is the first moment at which nothing would object any more."""

    campaign: Campaign
    reasons: str
    invited: bool
    start: datetime | None


def why(decision: Decision, story: Story, directory: Directory, *, who: str | None, now: datetime) -> Why:
    names = names_for(decision, directory, who)
    reminder = next(
        (each for each in story.deliveries if (each.decision, each.kind) == (decision.id, TouchKind.REMINDER)), None
    )
    delivery = next((each for each in story.deliveries if each.id == decision.delivery), None)
    survey = directory.surveys.get(delivery.survey) if delivery else None
    spans = {each: Span(each.since or decision.at, each.until) for each in decision.objections}
    axis = axis_of(spans.values(), now)
    return Why(
        decision=decision,
        campaign=directory.campaigns.get(decision.campaign),
        name=names.campaign,
        survey=survey.name if survey else "a survey that is gone",
        objections=[
            Drawn(objection=each, words=in_words(each, names, at=decision.at), wait=bar(axis, span))
            for each, span in spans.items()
        ],
        summary=summed_up(decision.objections),
        axis=labels(axis),
        kept=had_no_objection(decision.objections),
        delivery=delivery,
        reminder=reminder,
        why_no_reminder=why_not_sent(reminder.error) if reminder else "",
        response=next((each for each in story.responses if each.delivery == decision.delivery and each.is_said), None),
        earlier=None
        if decision.outcome != Outcome.INVITED
        else next((each for each in story.decisions if each.outcome != Outcome.INVITED), None),
    )


def names_for(decision: Decision, directory: Directory, who: str | None) -> Names:
    campaign = directory.campaigns.get(decision.campaign)
    return Names(
        workspace=directory.workspaces[decision.workspace].name,
        campaign=campaign.name if campaign else "A campaign that is gone",
        metric=campaign.metric if campaign else "nps",
        campaigns={each.id: each.name for each in directory.campaigns_of(decision.workspace)},
        who=who,
    )


def decided_now(campaigns: list[Campaign], known: Known, contact: Contact, now: datetime) -> list[Now]:
    """Decided afresh and not kept: those who would ask first, then by when they could."""
    found = [_now(each, known, contact, now) for each in campaigns]
    return sorted(found, key=lambda each: (not each.invited, each.start is None, each.start or now))


def _now(campaign: Campaign, known: Known, contact: Contact, now: datetime) -> Now:
    answer = decide(known.case(campaign, None, contact, now=now))
    objections = answer.objections if isinstance(answer, Decline) else ()
    said = ", ".join(label(each.reason) for each in objections)
    return Now(
        campaign=campaign,
        reasons=said[:1].upper() + said[1:],
        invited=not objections,
        start=summed_up(objections).last,
    )
