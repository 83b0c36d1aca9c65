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

from heard.accounts.mail_settings import NOTHING_SET
from heard.campaigns.campaign import Recipients
from heard.channels.email.refusals import MailboxRefused
from heard.contacts import address as addresses
from heard.contacts.contact import Contact
from heard.contacts.standing import Kind, Suppression
from heard.deliveries import reminder, schedule
from heard.deliveries.case import Case
from heard.deliveries.decision import Decision, Outcome, revised
from heard.deliveries.delivery import Delivery, HandedTo, ImpossibleMove, State, move, retry_at
from heard.deliveries.eligibility import Decline, Invite, reconsider
from heard.deliveries.ledger import Postponed, TouchKind, TouchState, Why
from heard.deliveries.notice import Notice, NoticeKind
from heard.deliveries.pacing import HandedOver, Pace, recipients_of
from heard.deliveries.reasons import Objection
from heard.deliveries.reminder import Later, Moot
from heard.destinations.identity import Claims
from heard.destinations.known import Known
from heard.errors import DeliveryFailed
from heard.steps import remind, turns
from heard.steps.capped import Caps
from heard.store import contacts, decisions, deliveries, funnel, handed_over, mail_events, tallies, touches
from heard.store.directory import Directory
from heard.store.mail_events import AT_ONCE

log = structlog.get_logger()
AFTER_A_FAULT = timedelta(hours=1)


class Ready(msgspec.Struct, frozen=True):
    """A delivery that nobody objects to, with the person it goes to."""

    delivery: Delivery
    contact: Contact
    reminds_of: Delivery | None = None  # of a reminder: the invitation


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
        if any(directory.campaigns[each.campaign].recipients is Recipients.LIST for each in batch):
            known.load_lists(people)
        told = decisions.by_id(connection, workspace, {delivery.decision for delivery in batch})
        firsts = remind.invitations(connection, workspace, batch, told)
        pace = _pace(connection, workspace, people.values(), directory, now)
        caps = Caps(known, batch, now)
        for delivery in batch:
            contact = people.get(delivery.contact)
            try:
                case = case_at(delivery, contact, known, now)
                wanted = judged(case, delivery, firsts.get(delivery.id))
                capped = caps.within(wanted, delivery, case)
                answer = _paced(capped, contact, pace)
            except Exception:  # our fault, and no reason to send nobody else anything
                log.exception("delivery_not_judged", delivery=delivery.id)
                error = "Heard could not judge it; the log says why."
                _put_off(connection, delivery, now + AFTER_A_FAULT, now=now, why=Why.FAILED, error=error)
                continue
            if isinstance(answer, Later):
                why = Why.RULES if answer is wanted else Why.CAP if answer is capped else Why.RATE
                _put_off(connection, delivery, answer.until, now=now, why=why, error=None)
                known.move_touch(delivery.id, answer.until)
            elif isinstance(answer, Decline):
                cancel(connection, delivery, told.get(delivery.decision), answer.objections, now)
                known.forget_touch(delivery.id)
            elif isinstance(answer, Moot):
                _withdraw(connection, delivery, answer.why, now)
                known.forget_touch(delivery.id)
            elif contact is not None and contact.email is not None:
                known.move_touch(delivery.id, now)
                caps.take(delivery)
                ready.append(Ready(_readdressed(connection, delivery, contact), contact, firsts.get(delivery.id)))
        handed_over.count(connection, workspace, pace)
    # They are asked now, not when it was due; whoever is judged next must see that, in this claim or another.
    touches.mark(connection, [(TouchState.RESERVED, now, each.delivery.workspace, each.delivery.id) for each in ready])
    return ready


def begin(
    connection: Connection, delivery: Delivery, *, over: HandedTo = HandedTo.SERVER, counts_opens: bool = False
) -> Delivery:
    """Committed before the hand-over: from here on a crash leaves it unknown, unless it is `over` the outbox.

    Raises:
        ImpossibleMove: it is scheduled no longer; then nothing is handed over.
    """
    sending = move(delivery, State.SENDING, attempts=delivery.attempts + 1, handed_to=over, counts_opens=counts_opens)
    deliveries.change(connection, sending, was=delivery.state)
    return sending


def sent(connection: Connection, delivery: Delivery, *, directory: Directory, now: datetime) -> None:
    """The mail server took it; whoever does not answer is reminded, where the campaign does that."""
    with suppress(ImpossibleMove):  # answered before the mail server's yes reached us: that settles it as well
        taken = move(delivery, State.SENT, sent_at=now, error=None)
        deliveries.change(connection, taken, was=delivery.state)
        remind.plan(connection, taken, directory=directory, now=now)
        turns.plan(connection, taken, directory=directory)
    _made(connection, delivery, now)


def failed(
    connection: Connection, delivery: Delivery, error: DeliveryFailed, *, directory: Directory, now: datetime
) -> None:
    """What a failure means: try again, give up and release the touch, or admit that nobody knows."""
    try:
        _failed(connection, delivery, error, directory, now)
    except ImpossibleMove:  # answered meanwhile, so it did arrive
        _made(connection, delivery, now)


def recover(connection: Connection, *, directory: Directory, now: datetime) -> int:
    """After a crash: what was being handed over. Gives how many there were.

    The outbox can be asked again without a second mail, so what it was to keep is scheduled again, whatever the
    workspace sends by now. What was given to a server may have gone out: it is shown as unknown and never sent again by
    itself.
    """
    interrupted = deliveries.in_state(connection, State.SENDING)
    for delivery in interrupted:
        if delivery.handed_to is HandedTo.OUTBOX:
            deliveries.change(connection, move(delivery, State.SCHEDULED), was=delivery.state)
        else:
            cut = "Heard stopped while this mail was handed over."
            _unknown(connection, delivery, cut, directory, now)
    return len(interrupted)


def _failed(
    connection: Connection, delivery: Delivery, error: DeliveryFailed, directory: Directory, now: datetime
) -> None:
    if error.ambiguous:
        _unknown(connection, delivery, str(error), directory, now)
        return
    again = None if error.permanent else retry_at(delivery, now=now)
    if isinstance(error, MailboxRefused):
        nobody = Suppression(kind=Kind.BOUNCED, on=True, at=now, email_key=addresses.key(delivery.address))
        contacts.suppress(connection, delivery.workspace, nobody, str(error))
        told = Notice(kind=NoticeKind.HARD, id=delivery.id, address=delivery.address, detail=str(error))
        name = mail_events.name_of(AT_ONCE, told)
        if not mail_events.known(connection, delivery.workspace, [name]):
            mail_events.keep(
                connection, delivery.workspace, [(name, AT_ONCE, told, delivery, nobody.email_key)], now=now
            )
    if again is None:
        deliveries.change(connection, move(delivery, State.FAILED, error=str(error)), was=delivery.state)
        touches.mark(connection, [(TouchState.RELEASED, now, delivery.workspace, delivery.id)])
    else:
        _put_off(connection, delivery, again, now=now, why=Why.FAILED, error=str(error))


def _unknown(connection: Connection, delivery: Delivery, why: str, directory: Directory, now: datetime) -> None:
    unknown = move(delivery, State.UNKNOWN, sent_at=now, error=why)
    deliveries.change(connection, unknown, was=delivery.state)
    remind.plan(connection, unknown, directory=directory, now=now)
    turns.plan(connection, unknown, directory=directory)
    _made(connection, delivery, now)


def _made(connection: Connection, delivery: Delivery, now: datetime) -> None:
    """They were asked, or may have been: the ledger and the tallies count it alike."""
    touches.mark(connection, [(TouchState.MADE, now, delivery.workspace, delivery.id)])
    funnel.handed_over(connection, delivery, now)


def case_at(delivery: Delivery, contact: Contact | None, known: Known, now: datetime) -> Case:
    """The question of the moment of sending, the delivery's own touch left out."""
    campaign = known.directory.campaigns[delivery.campaign]
    case = known.case(campaign, None, contact, now=now)
    others = case.touches.without(delivery.id).without_reminders_after(now)
    return msgspec.structs.replace(case, due=now, touches=others)


def judged(case: Case, delivery: Delivery, first: Delivery | None) -> Invite | Decline | Later | Moot:
    """The rules' answer at this moment; `first` is what a reminder reminds of."""
    zone = schedule.zone_of(case.campaign, case.contact)
    if delivery.kind == TouchKind.REMINDER:
        return reminder.reconsider(case, first, zone=zone)
    opens = schedule.in_window(case.campaign, case.now, zone)
    return Later(opens) if opens > case.now else reconsider(case)  # a backlog does not go out at night


def _pace(
    connection: Connection, workspace: int, people: Iterable[Contact], directory: Directory, now: datetime
) -> Pace:
    """How many mails of a workspace may still go out; what went out is read only where that matters."""
    rates = directory.mail.get(workspace, NOTHING_SET).rates
    if rates == NOTHING_SET.rates:
        return Pace(rates, HandedOver(), now)
    to = {recipients_of(each.email) for each in people if each.email} if rates.domain is not None else ()
    return Pace(rates, handed_over.so_far(connection, workspace, now, to), now)


def _paced(
    answer: Invite | Decline | Later | Moot, contact: Contact | None, pace: Pace
) -> Invite | Decline | Later | Moot:
    """Who may be asked now, and for whom there is no room now, later."""
    if not isinstance(answer, Invite) or contact is None or contact.email is None:
        return answer
    opens = pace.turn_of(contact.email)
    return answer if opens is None else Later(opens)


def _readdressed(connection: Connection, delivery: Delivery, contact: Contact) -> Delivery:
    """To the address they have now; the ledger has to know which mailbox was asked."""
    if contact.email is None or contact.email == delivery.address:
        return delivery
    deliveries.readdress(connection, delivery, contact.email)
    touches.readdress(connection, delivery.workspace, delivery.id, contact.email_key)
    return msgspec.structs.replace(delivery, address=contact.email)


def _put_off(
    connection: Connection, delivery: Delivery, until: datetime, *, now: datetime, why: Why, error: str | None
) -> None:
    later = delivery if delivery.state == State.SCHEDULED else move(delivery, State.SCHEDULED)
    deliveries.change(connection, msgspec.structs.replace(later, due_at=until, error=error), was=delivery.state)
    postponed = Postponed(at=now, was=delivery.due_at, until=until, why=why)
    touches.put_off(connection, delivery.workspace, delivery.id, postponed)


def cancel(
    connection: Connection,
    delivery: Delivery,
    decision: Decision | None,
    objections: Iterable[Objection],
    now: datetime,
) -> None:
    """A change of mind is a revision with its reasons, and the touch is free again.

    Without a reminder they were asked all the same: what was decided stands, and the delivery says why there was none.
    """
    why = tuple(objections)
    _withdraw(connection, delivery, ", ".join(objection.reason for objection in why), now)
    if decision is not None and delivery.kind == TouchKind.FIRST:
        changed = revised(decision, at=now, cause="reconsidered when due", outcome=Outcome.DECLINED, objections=why)
        decisions.revise(connection, changed)
        tallies.add(connection, funnel.moved(changed))


def _withdraw(connection: Connection, delivery: Delivery, why: str, now: datetime) -> None:
    cancelled = move(delivery, State.CANCELLED, error=f"Not sent: {why}.")
    deliveries.change(connection, cancelled, was=delivery.state)
    touches.mark(connection, [(TouchState.RELEASED, now, delivery.workspace, delivery.id)])
