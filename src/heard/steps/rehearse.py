"""What a campaign would have done: the messages that are kept, once more past the same rules, by a clock of then.

Nothing is kept and nobody is written to. What the campaign's own asks would have changed is followed: they stand on the
ledger, are thought over when they are due, and are reminded of. What others did, and what people said, is as it was.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy import Connection

from heard import ids
from heard.campaigns.campaign import Campaign, Status
from heard.contacts import traits
from heard.contacts.contact import Contact
from heard.contacts.identity import Links
from heard.deliveries import reminder, schedule
from heard.deliveries.case import Policy
from heard.deliveries.decision import Decision, Outcome, revised
from heard.deliveries.delivery import Delivery, State
from heard.deliveries.eligibility import Decline, Invite
from heard.deliveries.ledger import Postponed, Touch, TouchKind, TouchState, Why
from heard.deliveries.reasons import Objection
from heard.deliveries.reminder import Later
from heard.destinations import surveys
from heard.destinations.considered import Considered
from heard.destinations.then import Then
from heard.messages.again import again
from heard.messages.events import canonical, spellings
from heard.messages.message import OURS, Message
from heard.steps import leave, send
from heard.steps.lapse import not_identified_in_time
from heard.steps.plans import as_it_gets_it, shapes
from heard.store import contacts, then
from heard.store.directory import Directory
from heard.store.lives import Turn

log = structlog.get_logger()
NO_TRACKS = ("",)  # no track is called so
MOMENT = timedelta(microseconds=1)  # what is due now is included
LAG = timedelta(days=1)  # at most, mostly, between receipt and routing
CHUNK = 2000  # messages between two looks up


class Progress(msgspec.Struct, frozen=True):
    """How far it is."""

    done: int
    of: int
    unit: str = "days"  # of messages; or people


class Rehearsal:
    """`run` goes through the days; afterwards the rest says what came of it."""

    def __init__(
        self, connection: Connection, directory: Directory, campaign: Campaign, *, since: datetime, now: datetime
    ) -> None:
        self.campaign = msgspec.structs.replace(campaign, status=Status.ACTIVE)
        self.since, self.now = since, now
        self.messages = 0  # that name the event
        self.decisions: dict[int, Decision] = {}
        self.happened: dict[int, datetime] = {}  # decision -> when its message was received
        self.due: dict[int, datetime] = {}  # decision -> when its mail was, or is, due
        self.sent: dict[str, datetime] = {}  # invitations that went out
        self.reminded: dict[str, datetime] = {}
        self.unsure: set[int] = set()  # contacts of whom the first identify is kept no longer
        self.really = then.really(connection, campaign.workspace, campaign.id, since, now) if campaign.id else {}
        self._connection = connection
        self._names = spellings(campaign.event or "")
        key = (campaign.workspace, canonical(campaign.event or ""))
        self._survey = directory.surveys[campaign.survey].name
        self._directory = msgspec.structs.replace(
            directory, campaigns={**directory.campaigns, campaign.id: self.campaign}, triggered={key: (self.campaign,)}
        )
        self._waiting: list[tuple[datetime, Turn, Delivery, tuple[Objection, ...] | None]] = []
        self._held: list[tuple[datetime, int]] = []

    @property
    def policy(self) -> Policy:
        return self._known.policy

    def run(self) -> Iterator[Progress]:
        """Day by day, with a word after each piece of the way."""
        connection, workspace = self._connection, self.campaign.workspace
        days = then.days_since(connection, self.since - LAG)
        users, unnamed = self._who(days)
        links = then.links(connection, workspace, unnamed)
        users |= {user for user, _ in links.values()}
        spoken: set[str] = set()  # users of whom an identify is kept
        for day in then.days_since(connection):
            for user, browser in then.identified(connection, workspace, day):
                spoken.add(user)
                if browser in unnamed:
                    users.add(user)
        found = contacts.by_user_id(connection, workspace, users)
        self._known = Then(connection, self._directory, self.campaign, since=self.since, people=found.values())
        before = {browser: user for browser, (user, at) in links.items() if at < self.since}
        self._known.links = Links(before)
        self._looks = then.looks(connection, workspace, self.campaign.id, self.since)
        self._answers = then.answers(connection, workspace, self.campaign.id)
        intake = self._directory.intakes.get(workspace)
        ours = self._directory.destinations[intake.destination] if intake else None
        self._shaping = ours if ours is not None and shapes(ours) else None
        past = [day for day in then.days_since(connection) if day not in set(days)]
        total = len(past) + len(days)
        self._silent = {user: each for user, each in found.items() if user not in spoken}
        yield from self._meet(past, found, total)
        for number, day in enumerate(days):
            kept = then.messages(connection, workspace, day, self._names, users=users)
            for index, each in enumerate(kept):
                if (message := again(each, each.message_id)) is not None and message.source != OURS:
                    self._take(message)
                if index % CHUNK == CHUNK - 1:
                    yield Progress(len(past) + number, total)
            yield Progress(len(past) + number + 1, total)
        self._pass_time(self.now + MOMENT)

    def _who(self, days: list[int]) -> tuple[set[str], set[str]]:
        users: set[str] = set()
        unnamed: set[str] = set()
        for day in days:
            named, others = then.asking(self._connection, self.campaign.workspace, day, self._names, self.since - LAG)
            users |= named
            unnamed |= others
        return users, unnamed

    def _meet(self, past: list[int], found: dict[str, Contact], total: int) -> Iterator[Progress]:
        """Who was a contact before the time that is looked at, with the traits of then."""
        known_then = {user for user, each in found.items() if each.first_seen < self.since}
        met: set[str] = set()
        for number, day in enumerate(past):
            kept = then.messages(self._connection, self.campaign.workspace, day, NO_TRACKS, users=known_then)
            for each in kept:
                if each.type == "identify" and each.user_id in known_then and (said := again(each, each.message_id)):
                    self._identify(said, found[said.user_id or ""], met)
            yield Progress(number + 1, total)
        for user in known_then - met:
            self._take_for_known(found[user])

    def _take_for_known(self, contact: Contact) -> None:
        """What was said of them is kept no longer: they are as they are today."""
        if contact.user_id not in self._known.contacts:
            self._known.learn_contact(contact)
            self.unsure.add(contact.id)

    def _identify(self, message: Message, today: Contact, met: set[str]) -> None:
        user = message.user_id or ""
        if user not in met:
            met.add(user)
            first = min(message.at, message.received_at)
            if today.first_seen < first:  # it is not the first word about them
                self.unsure.add(today.id)
            blank = msgspec.structs.replace(today, email=None, traits=traits.EMPTY, created_at=None, zone=None)
            self._known.learn_contact(blank)
        surveys.consider(message, self._known, Considered(), now=message.received_at)

    def _take(self, message: Message) -> None:
        """At the moment at which it was really routed, where that is known by a decision."""
        made = self.really.get(surveys.trigger_key(message)) if message.type == "track" else None
        now = made.at if made else message.received_at
        if now < self.since and message.type == "track":
            return
        now = max(self._known.now, now)
        self.messages += message.type == "track"
        self._pass_time(now)
        if (silent := self._silent.get(message.user_id or "")) is not None and silent.first_seen <= now:
            self._take_for_known(silent)
        self._known.now, self._known.before, self._known.turn = now, made.id if made else None, None
        self._known.received, self._known.unsaid = message.received_at, None
        left = message if self._shaping is None else as_it_gets_it(message, self._shaping)
        if left is None:
            return
        outcome = Considered()
        try:
            surveys.consider(left, self._known, outcome, now=now)
        except Exception:  # as with every message: no reason to stop
            log.exception("message_not_rehearsed", message_id=message.id)
            return
        self._note(outcome, now)

    def _note(self, outcome: Considered, at: datetime) -> None:
        for decision, _ in outcome.decisions.values():
            self.decisions[decision.id] = decision
            self.happened[decision.id] = at
            if decision.held_until is not None:
                heapq.heappush(self._held, (decision.held_until, decision.id))
        for decision, _ in outcome.revised.values():
            self.decisions[decision.id] = decision
        for decision in outcome.moved.values():
            if decision.id not in outcome.revised:
                self.decisions[decision.id] = decision
        for delivery in outcome.deliveries:
            self._schedule(delivery, delivery.due_at)

    def _schedule(self, delivery: Delivery, due: datetime) -> None:
        if delivery.kind is TouchKind.FIRST:
            self.due[delivery.decision] = due
        self._wait(msgspec.structs.replace(delivery, due_at=due), due)

    def _wait(self, delivery: Delivery, look: datetime) -> None:
        """It is looked at then, unless it is taken back before."""
        until, why = self._taken_back(delivery, look)
        heapq.heappush(self._waiting, (until, (delivery.due_at, delivery.id), delivery, why))

    def _taken_back(self, delivery: Delivery, due: datetime) -> tuple[datetime, tuple[Objection, ...] | None]:
        """When it is taken back and why, where it is: an answer, or what somebody wishes, is heeded at once."""
        if delivery.kind is TouchKind.REMINDER:
            answered = self._answers.get(self.decisions[delivery.decision].delivery or "")
            if answered is not None and answered <= due:
                return max(answered, self._known.now), ()
        contact = self._known.contacts.get(delivery.user_id or "")
        for wish in self._known.wished_until(contact, due) if contact else ():
            if (why := leave.objection(wish, delivery, self._survey)) is not None:
                return wish.at, (why,)
        return due, None

    def _pass_time(self, until: datetime) -> None:
        """What falls due, or has waited long enough, before the next message."""
        while True:
            held = self._held[0][0] if self._held else None
            due = self._waiting[0][0] if self._waiting else None
            if held is not None and held < until and (due is None or held <= due):
                self._lapse(*heapq.heappop(self._held))
            elif due is not None and due < until:
                at, turn, delivery, why = heapq.heappop(self._waiting)
                self._known.now, self._known.before, self._known.turn = at, None, turn
                self._known.received = self._known.unsaid = None
                if why is None:
                    self._deliver(delivery, at)
                else:
                    self._decline(delivery, why, at)
            else:
                return

    def _lapse(self, at: datetime, number: int) -> None:
        decision = self.decisions[number]
        if decision.outcome is Outcome.HELD and decision.held_until is not None and decision.held_until <= at:
            self.decisions[number] = not_identified_in_time(decision, at)

    def _deliver(self, delivery: Delivery, now: datetime) -> None:
        known = self._known
        contact = known.contacts.get(delivery.user_id or "")
        looks = self._looks.get(delivery.id, then.NEVER)
        look, put_off = looks.next(now), looks.put_off_at(now)
        if look is not None and look > now:  # nobody looked, the mail server was away, or many were due
            self._wait(delivery, look)
            return
        taken = looks.taken or look != looks.over
        known.unsaid = None if taken else now  # what it was refused for is known only by that
        first = None
        if delivery.kind is TouchKind.REMINDER:
            first = self._first_of(delivery, now)
        answer = send.judged(send.case_at(delivery, contact, known, now), delivery, first)
        later = _later(answer, put_off)
        if later is not None:
            known.move_touch(delivery.id, later)
            self._schedule(delivery, later)
        elif not isinstance(answer, Invite):
            self._decline(delivery, answer.objections if isinstance(answer, Decline) else None, now)
        elif not taken:
            known.forget_touch(delivery.id)
        else:
            known.move_touch(delivery.id, now)
            if delivery.kind is TouchKind.REMINDER:
                self.reminded[delivery.id] = now
                return
            self.due[delivery.decision] = self.sent[delivery.id] = now
            if contact is not None:
                self._plan_reminder(delivery, contact, now)

    def _decline(self, delivery: Delivery, objections: Iterable[Objection] | None, now: datetime) -> None:
        self._known.forget_touch(delivery.id)
        if objections is not None and delivery.kind is TouchKind.FIRST:
            self.decisions[delivery.decision] = revised(
                self.decisions[delivery.decision],
                at=now,
                cause="reconsidered when due",
                outcome=Outcome.DECLINED,
                objections=tuple(objections),
            )

    def _first_of(self, delivery: Delivery, now: datetime) -> Delivery | None:
        """The invitation that a reminder reminds of, answered where that has really happened by then."""
        name = self.decisions[delivery.decision].delivery
        if name is None or name not in self.sent:
            return None
        answered = self._answers.get(name)
        is_answered = answered is not None and answered <= now
        return msgspec.structs.replace(
            delivery,
            id=name,
            kind=TouchKind.FIRST,
            state=State.ANSWERED if is_answered else State.SENT,
            sent_at=self.sent[name],
        )

    def _plan_reminder(self, first: Delivery, contact: Contact, now: datetime) -> None:
        if self.campaign.reminder is None:
            return
        zone = schedule.zone_of(self.campaign, contact)
        touches = self._known.touches(contact)
        due = reminder.due(self.campaign, self.campaign.reminder, sent_at=now, touches=touches, zone=zone)
        trigger = self.decisions[first.decision].trigger
        name = ids.delivery_id(first.campaign, first.contact, trigger, TouchKind.REMINDER.value)
        second = msgspec.structs.replace(first, id=name, kind=TouchKind.REMINDER)
        self._known.learn_touch(
            Touch(
                contact=contact.id,
                email_key=contact.email_key,
                campaign=self.campaign.id,
                metric=self.campaign.metric,
                channel=first.channel,
                kind=TouchKind.REMINDER,
                at=due,
                state=TouchState.RESERVED,
                delivery=name,
            )
        )
        self._schedule(second, due)


def _later(answer: object, put_off: Postponed | None) -> datetime | None:
    """Until when it is put off: by the rules' answer, or as it was for what is not asked again: a rate, a failure."""
    if put_off is not None and put_off.why is Why.RESUMED:
        return put_off.until
    if isinstance(answer, Later):
        return answer.until
    if isinstance(answer, Invite) and put_off is not None and put_off.why is not Why.RULES:
        return put_off.until
    return None
