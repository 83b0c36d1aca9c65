"""Sending what is due, each mail once.

The rules are asked again at the moment of sending; `sending` is committed before a mail is handed over and the outcome
after it, so a crash leaves at most as many unknown deliveries as there were hand-overs under way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy import Connection

from heard.channels.email.refusals import MailboxRefused
from heard.contacts import address as addresses
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.contacts.standing import Kind, Suppression
from heard.deliveries import schedule
from heard.deliveries.case import Case
from heard.deliveries.decision import Decision, Outcome, revised
from heard.deliveries.delivery import Delivery, ImpossibleMove, State, move, retry_at
from heard.deliveries.eligibility import Decline, reconsider
from heard.deliveries.ledger import TouchState
from heard.deliveries.reasons import Objection
from heard.destinations.identity import Claims
from heard.destinations.known import Known
from heard.errors import DeliveryFailed
from heard.store import contacts, decisions, deliveries, funnel, tallies, touches
from heard.store.directory import Directory

log = structlog.get_logger()
AFTER_A_FAULT = timedelta(hours=1)


class Ready(msgspec.Struct, frozen=True):
    """A delivery that nobody objects to, with the person it goes to."""

    delivery: Delivery
    contact: Contact


def still_wanted(
    connection: Connection, claimed: Sequence[Delivery], *, directory: Directory, now: datetime
) -> list[Ready]:
    """Ask the rules again about everything claimed; what changed its mind is cancelled here, with the reasons kept."""
    ready: list[Ready] = []
    by_workspace: dict[int, list[Delivery]] = defaultdict(list)
    for delivery in claimed:
        by_workspace[delivery.workspace].append(delivery)
    for workspace, batch in by_workspace.items():
        known = Known(connection, directory, workspace)
        people = contacts.by_id(connection, workspace, {delivery.contact for delivery in batch})
        keys = {contact.email_key for contact in people.values() if contact.email_key}
        known.load_people(people, keys)
        users = [each.user_id for each in people.values() if each.user_id]
        known.audiences.load(users)
        known.load_consents(Claims(), users)
        told = decisions.by_id(connection, workspace, {delivery.decision for delivery in batch})
        for delivery in batch:
            contact = people.get(delivery.contact)
            try:
                later = _outside_the_window(delivery, contact, directory, now)
                answer = reconsider(_case(delivery, contact, known, directory, now))
            except Exception:  # our fault, and no reason to send nobody else anything
                log.exception("delivery_not_judged", delivery=delivery.id)
                _put_off(connection, delivery, now + AFTER_A_FAULT, error="Heard could not judge it; the log says why.")
                continue
            if later is not None:
                _put_off(connection, delivery, later, error=None)
            elif isinstance(answer, Decline):
                cancel(connection, delivery, told.get(delivery.decision), answer.objections, now)
                known.forget_touch(delivery.id)
            elif contact is not None and contact.email is not None:
                known.move_touch(delivery.id, now)
                ready.append(Ready(_readdressed(connection, delivery, contact), contact))
    # They are asked now, not when it was due; whoever is judged next must see that, in this claim or another.
    touches.mark(connection, [(TouchState.RESERVED, now, each.delivery.workspace, each.delivery.id) for each in ready])
    return ready


def begin(connection: Connection, delivery: Delivery) -> Delivery:
    """Committed before the hand-over: from here on a crash leaves it unknown.

    Raises:
        ImpossibleMove: it is scheduled no longer; then nothing is handed over.
    """
    sending = move(delivery, State.SENDING, attempts=delivery.attempts + 1)
    deliveries.change(connection, sending, was=delivery.state)
    return sending


def sent(connection: Connection, delivery: Delivery, *, now: datetime) -> None:
    with suppress(ImpossibleMove):  # answered before the mail server's yes reached us: that settles it as well
        deliveries.change(connection, move(delivery, State.SENT, sent_at=now, error=None), was=delivery.state)
    _made(connection, delivery, now)


def failed(connection: Connection, delivery: Delivery, error: DeliveryFailed, *, now: datetime) -> None:
    """What a failure means: try again, give up and release the touch, or admit that nobody knows."""
    try:
        _failed(connection, delivery, error, now)
    except ImpossibleMove:  # answered meanwhile, so it did arrive
        _made(connection, delivery, now)


def recover(connection: Connection, *, now: datetime, certain: bool) -> int:
    """After a crash: what was being handed over. Gives how many there were.

    `certain`: the channel can be asked again without a second mail (the outbox), so they are scheduled again. Otherwise
    nobody knows whether they went out: they are shown as unknown and never sent again by themselves.
    """
    interrupted = deliveries.in_state(connection, State.SENDING)
    for delivery in interrupted:
        if certain:
            deliveries.change(connection, move(delivery, State.SCHEDULED), was=delivery.state)
        else:
            cut = "Heard stopped while this mail was handed over."
            unknown = move(delivery, State.UNKNOWN, sent_at=now, error=cut)
            deliveries.change(connection, unknown, was=delivery.state)
            _made(connection, delivery, now)
    return len(interrupted)


def _failed(connection: Connection, delivery: Delivery, error: DeliveryFailed, now: datetime) -> None:
    if error.ambiguous:
        unknown = move(delivery, State.UNKNOWN, sent_at=now, error=str(error))
        deliveries.change(connection, unknown, was=delivery.state)
        _made(connection, delivery, now)
        return
    again = None if error.permanent else retry_at(delivery, now=now)
    if isinstance(error, MailboxRefused):
        nobody = Suppression(kind=Kind.BOUNCED, on=True, at=now, email_key=addresses.key(delivery.address))
        contacts.suppress(connection, delivery.workspace, nobody, str(error))
    if again is None:
        deliveries.change(connection, move(delivery, State.FAILED, error=str(error)), was=delivery.state)
        touches.mark(connection, [(TouchState.RELEASED, now, delivery.workspace, delivery.id)])
    else:
        _put_off(connection, delivery, again, error=str(error))


def _made(connection: Connection, delivery: Delivery, now: datetime) -> None:
    """They were asked, or may have been: the ledger and the tallies count it alike."""
    touches.mark(connection, [(TouchState.MADE, now, delivery.workspace, delivery.id)])
    funnel.sent(connection, delivery.workspace, delivery.campaign, now)


def _case(delivery: Delivery, contact: Contact | None, known: Known, directory: Directory, now: datetime) -> Case:
    campaign = directory.campaigns[delivery.campaign]
    case = known.case(campaign, None, contact, now=now)
    return msgspec.structs.replace(case, due=now, touches=case.touches.without(delivery.id))


def _outside_the_window(
    delivery: Delivery, contact: Contact | None, directory: Directory, now: datetime
) -> datetime | None:
    """The next moment the campaign may send, when now is not one: a backlog does not go out at night."""
    campaign = directory.campaigns[delivery.campaign]
    if campaign.window is None:
        return None
    zone = schedule.zone_of(campaign, traits.decode(contact.traits) if contact else {})
    opens = schedule.in_window(campaign, now, zone)
    return opens if opens > now else None


def _readdressed(connection: Connection, delivery: Delivery, contact: Contact) -> Delivery:
    """To the address they have now; the ledger has to know which mailbox was asked."""
    if contact.email is None or contact.email == delivery.address:
        return delivery
    deliveries.readdress(connection, delivery, contact.email)
    touches.readdress(connection, delivery.workspace, delivery.id, contact.email_key)
    return msgspec.structs.replace(delivery, address=contact.email)


def _put_off(connection: Connection, delivery: Delivery, until: datetime, *, error: str | None) -> None:
    later = delivery if delivery.state == State.SCHEDULED else move(delivery, State.SCHEDULED)
    put_off = msgspec.structs.replace(later, due_at=until, error=error)
    deliveries.change(connection, put_off, was=delivery.state)
    touches.mark(connection, [(TouchState.RESERVED, until, delivery.workspace, delivery.id)])


def cancel(
    connection: Connection,
    delivery: Delivery,
    decision: Decision | None,
    objections: Iterable[Objection],
    now: datetime,
) -> None:
    """A change of mind is a revision with its reasons, and the touch is free again."""
    why = tuple(objections)
    said = ", ".join(objection.reason for objection in why)
    cancelled = move(delivery, State.CANCELLED, error=f"Not sent: {said}.")
    deliveries.change(connection, cancelled, was=delivery.state)
    touches.mark(connection, [(TouchState.RELEASED, now, delivery.workspace, delivery.id)])
    if decision is not None:
        changed = revised(decision, at=now, cause="reconsidered when due", outcome=Outcome.DECLINED, objections=why)
        decisions.revise(connection, changed)
        tallies.add(connection, funnel.moved(changed))
