"""What was known of a workspace at a past moment, for asking the rules again as they were asked then.

It answers like `Known`, and moves through the past: `now` is set before each question. What really happened is read
from what is only added to; the campaign that is rehearsed has its own asks, in the place of those it really made.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from itertools import count

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign
from heard.contacts.consent import History, Said, Speaker
from heard.contacts.contact import Contact
from heard.contacts.standing import Kind, Suppression, Wishes, standing, wishes
from heard.deliveries.case import Invited, Membership
from heard.deliveries.ledger import Touch, Touches, TouchKind
from heard.destinations.consents import Consents
from heard.destinations.known import Known
from heard.store import consents, contacts, lists, lives, then
from heard.store.directory import Directory
from heard.store.lives import Before, PastTouch, Turn


class Then(Known):
    """`campaign` is the one that is rehearsed; its real asks from `since` on are left out of the ledger."""

    def __init__(
        self,
        connection: Connection,
        directory: Directory,
        campaign: Campaign,
        *,
        since: datetime,
        people: Collection[Contact],
    ) -> None:
        super().__init__(connection, directory, campaign.workspace)
        self.consents = _Unminded(connection, self.workspace)
        self.now = since
        self.before: int | None = None  # of what was decided at this very moment, only what came before this one
        self.turn: Turn | None = None  # of what was looked at in this very moment, only what came before this one
        self.unsaid: datetime | None = None  # what was said at that very moment comes after
        self.received: datetime | None = None  # of what was routed at this very moment, only what was received by then
        self.rehearsed, self.since = campaign, since
        self._real = {each.user_id: each for each in people if each.user_id is not None}
        self._numbers = count(1)
        ids = {each.id for each in people}
        keys = {each.email_key for each in people if each.email_key}
        self._past: dict[int | str, list[PastTouch]] = {}
        self._own: dict[int | str, dict[str, Touch]] = defaultdict(dict)
        self._rows: dict[int | str, list[Suppression]] = defaultdict(list)
        self._loaded: set[int | str] = set()
        self._load(ids, keys)
        self._counts: Counter[date] = Counter()
        self._total = 0
        self._by_delivery: dict[str, Touch] = {}
        self._before = Before()
        if campaign.daily_cap is not None or campaign.quota is not None:
            self._before = lives.before(connection, self.workspace, campaign.id, since)
        self._histories: Mapping[Speaker, History] = {}
        if self.policy.consent_categories:
            speakers = [Speaker(each.user_id, False) for each in people if each.user_id is not None]
            self._histories = consents.of(connection, self.workspace, speakers)
        audience = self.audiences.book.by_name.get(campaign.audience or "")
        self._members = then.memberships(connection, self.workspace, audience.id, ids) if audience else {}
        if campaign.list:
            self._lists = lists.of_contacts(connection, self.workspace, ids)
        self._listed = ids

    # ── as it was ──

    def touches(self, contact: Contact) -> Touches:
        found: dict[str, Touch] = {}
        for key in self._ensured(contact):
            for past in self._past.get(key, ()):
                if past.touch.campaign == self.rehearsed.id and past.decided_at >= self.since:
                    continue  # it is asked anew
                if (there := past.at(self.now, self.before, self.turn)) is not None:
                    found[there.delivery] = there
            found |= self._own.get(key, {})
        return Touches(found.values())

    def standing(self, contact: Contact) -> frozenset[Kind]:
        return standing(self._said_by(contact))

    def wishes(self, contact: Contact) -> Wishes:
        return wishes(self._said_by(contact))

    def _said_by(self, contact: Contact) -> set[Suppression]:
        return {
            row
            for key in self._ensured(contact)
            for row in self._rows.get(key, ())
            if row.at <= self.now and row.at != self.unsaid
        }

    def wished_until(self, contact: Contact, until: datetime) -> list[Suppression]:
        """What they will wish from now on, in order."""
        wishes = {row for key in self._ensured(contact) for row in self._rows.get(key, ()) if row.on}
        return sorted((row for row in wishes if self.now < row.at <= until), key=lambda row: row.at)

    def invited(self, campaign: Campaign, now: datetime) -> Invited:  # noqa: ARG002
        if campaign.daily_cap is None and campaign.quota is None:
            return Invited()
        before = self._before.at(self.now)
        days = Counter(each.at.astimezone(UTC).date() for each in before)
        return Invited(total=self._before.settled + len(before) + self._total, by_day=days + self._counts)

    def _consent(self, contact: Contact | None) -> Mapping[str, Said]:
        if contact is None or contact.user_id is None or not self.policy.consent_categories:
            return {}
        history = self._histories.get(Speaker(contact.user_id, False))
        until = self.now if self.received is None else min(self.received, self.now)
        words = [word for word in history.words if (word.heard_at or word.at) <= until] if history else []
        return History(words).now

    def _membership(self, campaign: Campaign, contact: Contact | None, now: datetime) -> Membership:
        if campaign.audience is None or contact is None:
            return Membership.IN
        stretches = self._members.get(contact.id, ())
        is_in = any(entered <= now and (left is None or now < left) for entered, left in stretches)
        return Membership.IN if is_in else Membership.OUT

    def load_people(self, contacts: Iterable[int], email_keys: Iterable[str]) -> None:
        """All were loaded at once, but for mailboxes that somebody had before."""
        ids, keys = set(contacts) - self._loaded, set(email_keys) - self._loaded
        if ids or keys:
            self._load(ids, keys)

    def _load(self, ids: Collection[int], keys: Collection[str]) -> None:
        self._loaded |= {*ids, *keys}
        found = lives.of(self.connection, self.workspace, ids, keys)
        self._past |= {key: lives for key, lives in found.items() if key in ids or key in keys}
        for row in contacts.suppressions_of(self.connection, self.workspace, ids, keys):
            for key in {row.contact, row.email_key} & {*ids, *keys}:
                if key is not None:
                    self._rows[key].append(row)

    # ── as it would have been ──

    def next_decision(self) -> int:
        return next(self._numbers)

    def number_for(self, user_id: str | None) -> int:
        """The number that the contact really has: whom a sample takes goes by it."""
        real = self._real.get(user_id) if user_id is not None else None
        return real.id if real else -next(self._numbers)

    def learn_touch(self, touch: Touch) -> None:
        for key in (touch.contact, touch.email_key):
            if key is not None:
                self._own[key][touch.delivery] = touch
        self._count(touch, 1)

    def move_touch(self, delivery: str, at: datetime) -> None:
        if (touch := self._take(delivery)) is not None:
            self.learn_touch(msgspec.structs.replace(touch, at=at))

    def forget_touch(self, delivery: str) -> None:
        self._take(delivery)

    def _take(self, delivery: str) -> Touch | None:
        touch = self._by_delivery.pop(delivery, None)
        if touch is not None:
            for key in (touch.contact, touch.email_key):
                if key is not None:
                    self._own[key].pop(delivery, None)
            self._count(touch, -1)
        return touch

    def _count(self, touch: Touch, change: int) -> None:
        if change > 0:
            self._by_delivery[touch.delivery] = touch
        if touch.kind is TouchKind.FIRST:
            self._counts[touch.at.astimezone(UTC).date()] += change
            self._total += change


class _Unminded(Consents):
    """What was said of consent is read from its history."""

    def join(self, anonymous_id: str, user_id: str, at: datetime) -> None:
        """Nothing is learned by it."""
