"""Whom of its list or its audience a campaign would ask, before it asks anybody, and the reasons of the others.

The rules and the placing are those of a wave, over people chunk by chunk, as if it began now; nothing is kept. Caps and
quota count what has really been invited and who comes first here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import GATHERED, Campaign, Status
from heard.contacts import traits
from heard.deliveries import gathered
from heard.deliveries.eligibility import Decline, Invite
from heard.deliveries.ledger import Touch, TouchKind, TouchState
from heard.deliveries.reasons import Reason
from heard.operations.campaigns_judged import IN_THE_SAMPLE, Judged, Preview, sample
from heard.steps import waves
from heard.steps.waves import PEOPLE
from heard.store.directory import Directory
from heard.store.recent import Look

MOST_PEOPLE = 20_000  # looked at while somebody waits for a page


def preview(
    connection: Connection, directory: Directory, campaign: Campaign, now: datetime, *, everyone: bool = False
) -> Preview:
    """Of the first `MOST_PEOPLE`; `look.whole` says whether those were all."""
    people = could = named = 0
    held: Counter[Reason] = Counter()
    some: list[Judged] = []
    wanted = judged(connection, directory, campaign, now, everyone=everyone) if campaign.recipients in GATHERED else ()
    whole = True
    for each in wanted:
        if people == MOST_PEOPLE:
            whole = False
            break
        people += 1
        could += each.due is not None
        if each.due is not None and each.contact is not None:
            named += traits.first_name(traits.decode(each.contact.traits)) is not None
        reason = each.objections[0].reason if each.objections else None
        if reason is not None:
            held[reason] += 1
        if (could if reason is None else held[reason]) <= IN_THE_SAMPLE:
            some.append(each)
    return Preview(
        events=0,
        matched=people,
        look=Look(since=now - timedelta(days=30), whole=whole),
        people=people,
        could=could,
        held=dict(held.most_common()),
        sample=sample(some, held),
        named=named,
    )


def judged(
    connection: Connection, directory: Directory, campaign: Campaign, now: datetime, *, everyone: bool
) -> Iterator[Judged]:
    """Every one of them in the order of a wave; `everyone`: also whoever the campaign has asked before."""
    running = msgspec.structs.replace(campaign, status=Status.ACTIVE, starts=None, ends=None)
    start = max(campaign.starts, now) if campaign.starts else now
    slices, position = gathered.Slices(waves.days_of(running, start)), 0
    invited = None
    while people := waves.members(connection, running, directory, after=position, limit=PEOPLE):
        known = waves.prepare(connection, campaign.workspace, people, directory)
        for contact in people:
            trigger = waves.trigger_of(contact, f"preview:{contact.id}", now)
            case = known.case(running, trigger, contact, now=now)
            invited = invited or case.invited
            asked_before = case.touches.live().first_asks().of_campaign(campaign.id)
            case = msgspec.structs.replace(case, invited=invited, already_invited=bool(asked_before and not everyone))
            placed, answer = gathered.place(case, slices, waves.opens_for(running, contact))
            if isinstance(answer, Invite):
                invited = invited.with_one_more(answer.at)
                known.learn_touch(_touch(running, contact.id, contact.email_key, answer.at))
            yield Judged(
                contact=contact,
                user_id=contact.user_id,
                happened_at=now,
                due=placed.due if isinstance(answer, Invite) else None,
                objections=answer.objections if isinstance(answer, Decline) else (),
            )
        position = people[-1].id


def _touch(campaign: Campaign, contact: int, email_key: str | None, at: datetime) -> Touch:
    """Whoever shares the mailbox is not asked as well."""
    return Touch(
        contact=contact,
        email_key=email_key,
        campaign=campaign.id,
        metric=campaign.metric,
        channel=campaign.channel.value,
        kind=TouchKind.FIRST,
        at=at,
        state=TouchState.RESERVED,
        delivery=f"preview of {campaign.id} for {contact}",
    )
