"""Should this person be surveyed now, and if not, why not?

RULES, read top to bottom, is the product's promise to the people it surveys. Nothing here reads a clock, a database or
a setting: whatever may influence the answer is a field of `Case`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta

import msgspec

from heard import durations
from heard.campaigns.campaign import GATHERED, Channel, Status, is_running
from heard.contacts.standing import LESS_OFTEN, Kind
from heard.deliveries import ledger, sampling
from heard.deliveries.case import Case, Membership
from heard.deliveries.ledger import Touches
from heard.deliveries.reasons import Objection, Reason

FLOOR = timedelta(hours=24)  # between any two touches, whatever the campaigns say


class Invite(msgspec.Struct, frozen=True):
    at: datetime


class Decline(msgspec.Struct, frozen=True):
    objections: tuple[Objection, ...]


def decide(case: Case) -> Invite | Decline:
    """Invite when no rule objects; otherwise decline with every objection, not only the first."""
    objections = objections_to(case, RULES_FOR_LINKS if case.campaign.channel is Channel.LINK else RULES)
    return Decline(objections) if objections else Invite(case.due)


def reconsider(case: Case) -> Invite | Decline:
    """The same promise at the moment of sending, the delivery's own touch left out of the case.

    The event was judged when it was received, and a cap counted this invitation when it was decided; what happened to
    the person since counts. A day that is full by now puts a mail off and declines nobody (`capping`). A
    paused campaign does not come here: its deliveries wait.
    """
    objections = objections_to(case, RULES_AT_SEND_TIME)
    return Decline(objections) if objections else Invite(case.due)


def objections_to(case: Case, rules: Sequence[Rule]) -> tuple[Objection, ...]:
    return tuple(objection for rule in rules if (objection := rule(case)))


def campaign_is_running(case: Case) -> Objection | None:
    """The campaign is ready or active, and now is inside its dates."""
    campaign = case.campaign
    if is_running(campaign, case.now):
        return None
    if campaign.status in (Status.DRAFT, Status.PAUSED, Status.COMPLETE):
        return Objection(Reason.CAMPAIGN_NOT_RUNNING, detail=f"{campaign.name} is {campaign.status}.")
    if campaign.starts and case.now < campaign.starts:
        return Objection(
            Reason.CAMPAIGN_NOT_RUNNING, campaign.starts, f"{campaign.name} starts {_day(campaign.starts)}."
        )
    return Objection(Reason.CAMPAIGN_NOT_RUNNING, detail=f"{campaign.name} has ended.")


def conditions_are_met(case: Case) -> Objection | None:
    """What the campaign demands of the event and the contact (`where`) is true."""
    if case.conditions_met:
        return None
    return Objection(Reason.CONDITIONS_NOT_MET, detail=f"Asked of events where {case.campaign.where}.")


def event_is_recent(case: Case) -> Objection | None:
    """It happened at most `max_event_age` before it was received: a backfill never mails last year's customers."""
    trigger = case.trigger
    if trigger is None or trigger.received_at - trigger.at <= case.policy.max_event_age:
        return None
    age = durations.in_words(case.policy.max_event_age)
    return Objection(
        Reason.EVENT_TOO_OLD, detail=f"It happened on {_day(trigger.at)}, more than {age} before it was received."
    )


def contact_was_identified(case: Case) -> Objection | None:
    """Somebody told us who this is: an identify with the same userId came first, or soon after."""
    if case.contact is not None:
        return None
    return Objection(Reason.NOT_IDENTIFIED, detail="No identify with this userId has been received.")


def contact_has_an_address(case: Case) -> Objection | None:
    """There is a way to reach them over the campaign's channel."""
    if case.contact is None or case.contact.email:
        return None
    return Objection(Reason.NO_ADDRESS, detail="The contact has no e-mail address that can be written to.")


def contact_wants_to_hear_from_us(case: Case) -> Objection | None:
    """Not unsubscribed, from all or from this survey: what somebody told us outranks every campaign."""
    if case.unwanted_survey is not None and Kind.UNSUBSCRIBED not in case.standing:
        return Objection(Reason.UNSUBSCRIBED, detail=f"They asked not to get {case.unwanted_survey} again.")
    return _standing(case, Kind.UNSUBSCRIBED, Reason.UNSUBSCRIBED, "They unsubscribed.")


def contact_is_active(case: Case) -> Objection | None:
    """Not set aside by a member."""
    return _standing(case, Kind.INACTIVE, Reason.INACTIVE, "A member set this contact to inactive.")


def mailbox_takes_mail(case: Case) -> Objection | None:
    """No hard bounce."""
    return _standing(case, Kind.BOUNCED, Reason.BOUNCED, "A mail to this address bounced.")


def nobody_complained(case: Case) -> Objection | None:
    """Never again after a complaint of spam."""
    return _standing(case, Kind.COMPLAINED, Reason.COMPLAINED, "They reported a mail as spam.")


def contact_is_not_suppressed(case: Case) -> Objection | None:
    """No privacy request stands against it."""
    return _standing(case, Kind.SUPPRESSED, Reason.SUPPRESSED, "A privacy request suppresses this person.")


def consent_was_given(case: Case) -> Objection | None:
    """Of every category that surveys need: no refusal on record, and a yes in the event where it speaks of consent.

    What the person never spoke of is not enforced.
    """
    said = case.trigger.consent if case.trigger else None
    refused: list[str] = []
    for name in case.policy.consent_categories:
        on_record = case.consent.get(name)
        if on_record is not None and not on_record.yes:
            refused.append(f"{name} since {_day(on_record.since)}")
        elif said is not None and said.get(name) is not True:
            refused.append(name)
    return Objection(Reason.CONSENT_DENIED, detail=f"No consent to {', '.join(refused)}.") if refused else None


def contact_is_in_the_audience(case: Case) -> Objection | None:
    """At this very moment a member of the campaign's audience, where it has one, and on the list, where it asks one."""
    if not case.is_listed:
        return Objection(Reason.NOT_IN_AUDIENCE, detail=f"They are not on the list {case.campaign.list}.")
    match case.membership:
        case Membership.IN:
            return None
        case Membership.OUT:
            detail = f"They are not in {case.campaign.audience}."
        case Membership.UNKNOWN:
            detail = f"{case.campaign.audience} is still being computed."
    return Objection(Reason.NOT_IN_AUDIENCE, detail=detail)


def contact_is_known_long_enough(case: Case) -> Objection | None:
    """At least `older_than` since `createdAt`, else since first seen, when the survey would arrive."""
    if case.contact is None or case.campaign.older_than is None:
        return None
    old_enough = case.contact.since + case.campaign.older_than
    if case.due >= old_enough:
        return None
    since = case.contact.since
    return Objection(Reason.TOO_NEW, old_enough, f"Known since {_day(since)}.", since, case.campaign.older_than)


def contact_is_in_the_sample(case: Case) -> Objection | None:
    """Sticky: a person is in a campaign's sample or not, for ever."""
    if case.contact is None or sampling.position(case.campaign.id, case.contact.id) < case.campaign.sample:
        return None
    return Objection(Reason.SAMPLED_OUT, detail=f"The campaign asks {case.campaign.sample:.0%} of contacts.")


def no_other_touch_is_too_near(case: Case) -> Objection | None:
    """At most one ask per contact per `campaign.throttle`, looking both ways from the due moment."""
    touches = case.touches.first_asks().of_campaign(case.campaign.id)
    return _distance(case, touches, case.campaign.throttle, Reason.CAMPAIGN_THROTTLE, "this campaign")


def metric_is_quiet(case: Case) -> Objection | None:
    """The survey's own quiet period: at least this long between two asks of the same metric, over all campaigns."""
    touches = case.touches.first_asks().of_metric(case.campaign.metric)
    kind = f"a survey of this kind ({case.campaign.metric})"
    return _distance(case, touches, case.metric_quiet_period, Reason.METRIC_QUIET_PERIOD, kind)


def workspace_is_quiet(case: Case) -> Objection | None:
    """The workspace's quiet period: over every survey and every channel; a longer one for whoever asked for it."""
    if case.less_often and (case.policy.quiet_period or timedelta()) < LESS_OFTEN:
        return they_are_asked_less_often(case)
    touches = case.touches.first_asks()
    return _distance(case, touches, case.policy.quiet_period, Reason.WORKSPACE_QUIET_PERIOD, "any survey")


def they_are_asked_less_often(case: Case) -> Objection | None:
    """Whoever asked for it gets at most one survey in 180 days, and no reminder of it."""
    if not case.less_often:
        return None
    touches = case.touches.first_asks()
    found = _distance(case, touches, LESS_OFTEN, Reason.WORKSPACE_QUIET_PERIOD, "any survey")
    if found is None:
        return None
    detail = f"They asked to be asked less often. {found.detail}"
    return msgspec.structs.replace(found, detail=detail, by_wish=True)


def a_day_has_passed(case: Case) -> Objection | None:
    """24 hours between any two touches, reminders included. No setting turns this off."""
    return _distance(case, case.touches, FLOOR, Reason.ASKED_WITHIN_24H, "any survey or reminder")


def not_invited_for_this_already(case: Case) -> Objection | None:
    """One trigger, one invitation, however often it is repeated; of a list, only whoever was never asked."""
    if not case.already_invited:
        return None
    if case.campaign.recipients in GATHERED:
        return Objection(Reason.ALREADY_INVITED, detail="This campaign has asked them before.")
    return Objection(Reason.ALREADY_INVITED, detail="This event has already led to an invitation.")


def not_answered_already(case: Case) -> Objection | None:
    """Nobody is reminded of what they have answered."""
    if not case.already_answered:
        return None
    return Objection(Reason.ALREADY_ANSWERED, detail="They have answered this survey.")


def day_has_room(case: Case) -> Objection | None:
    """At most `daily_cap` invitations due on one UTC day."""
    cap, day = case.campaign.daily_cap, case.due.astimezone(UTC).date()
    if cap is None or case.invited.by_day.get(day, 0) < cap:
        return None
    while case.invited.by_day.get(day, 0) >= cap:
        day += timedelta(days=1)
    return Objection(
        Reason.CAMPAIGN_DAILY_CAP, datetime.combine(day, time(), tzinfo=UTC), f"At most {cap} invitations a day."
    )


def quota_has_room(case: Case) -> Objection | None:
    """At most `quota` invitations in the campaign's whole life."""
    quota = case.campaign.quota
    if quota is None or case.invited.total < quota:
        return None
    return Objection(Reason.QUOTA_REACHED, detail=f"All {quota} invitations of this campaign are used.")


Rule = Callable[[Case], Objection | None]

RULES: tuple[Rule, ...] = (
    campaign_is_running,
    conditions_are_met,
    event_is_recent,
    contact_was_identified,
    contact_has_an_address,
    contact_wants_to_hear_from_us,
    contact_is_active,
    mailbox_takes_mail,
    nobody_complained,
    contact_is_not_suppressed,
    consent_was_given,
    contact_is_in_the_audience,
    contact_is_known_long_enough,
    contact_is_in_the_sample,
    no_other_touch_is_too_near,
    metric_is_quiet,
    workspace_is_quiet,
    a_day_has_passed,
    not_invited_for_this_already,
    day_has_room,
    quota_has_room,
)

_SETTLED_WHEN_DECIDED = (
    conditions_are_met,
    event_is_recent,
    not_invited_for_this_already,
    day_has_room,
    quota_has_room,
)
RULES_AT_SEND_TIME: tuple[Rule, ...] = tuple(rule for rule in RULES if rule not in _SETTLED_WHEN_DECIDED)

RULES_FOR_REMINDERS: tuple[Rule, ...] = (
    campaign_is_running,
    contact_was_identified,
    contact_has_an_address,
    contact_wants_to_hear_from_us,
    contact_is_active,
    mailbox_takes_mail,
    nobody_complained,
    contact_is_not_suppressed,
    consent_was_given,
    not_answered_already,
    they_are_asked_less_often,
    a_day_has_passed,
)

# Whoever follows a link comes by themselves: nobody writes to them, and what they say is not to be lost. So neither
# an unsubscription nor a quiet period objects; a person's one answer, and what was promised of their data, does.
RULES_FOR_LINKS: tuple[Rule, ...] = (
    campaign_is_running,
    contact_was_identified,
    contact_is_not_suppressed,
    consent_was_given,
    no_other_touch_is_too_near,
    quota_has_room,
)


def _distance(case: Case, touches: Touches, period: timedelta | None, reason: Reason, of: str) -> Objection | None:
    if period is None:
        return None
    live = touches.live()
    near = live.near(case.due, period)
    if not near:
        return None
    nearest = min(near, key=lambda touch: abs(touch.at - case.due))
    verb = "Asked" if nearest.at <= case.now else "Will be asked"
    return Objection(
        reason,
        ledger.first_free_moment(live, case.due, period),
        f"{verb} by {of} on {_day(nearest.at)}; at most once in {durations.in_words(period)}.",
        nearest.at,
        period,
        nearest.campaign,
    )


def _standing(case: Case, kind: Kind, reason: Reason, detail: str) -> Objection | None:
    return Objection(reason, detail=detail) if kind in case.standing else None


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"
