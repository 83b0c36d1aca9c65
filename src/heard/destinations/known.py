"""What a batch of one workspace needs to know. It is loaded at once, and learns each outcome so that the next message
of the batch sees it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
from sqlalchemy import Connection

from heard import fql
from heard.audiences.person import SETTLED
from heard.campaigns.campaign import Campaign, Recipients
from heard.contacts import address as addresses
from heard.contacts import traits
from heard.contacts.consent import Said
from heard.contacts.contact import Contact
from heard.contacts.identity import Links
from heard.contacts.standing import Kind, Suppression, Wishes, standing, wishes
from heard.deliveries import schedule
from heard.deliveries.case import Case, Invited, Membership, Policy, Trigger
from heard.deliveries.decision import Decision, Outcome
from heard.deliveries.ledger import Touch, Touches
from heard.destinations.audiences import People
from heard.destinations.consents import Consents
from heard.destinations.groups import Groups
from heard.destinations.identity import Claims
from heard.store import anonymous, cursors
from heard.store import contacts as stored_contacts
from heard.store import decisions as stored_decisions
from heard.store import groups as stored_groups
from heard.store import lists as stored_lists
from heard.store import touches as stored_touches
from heard.store.directory import Directory

Held = tuple[Decision, Trigger]


class Known:
    """One workspace, as far as a batch is concerned. Queries happen in the `load` methods, one a table."""

    def __init__(self, connection: Connection, directory: Directory, workspace: int) -> None:
        self.connection = connection
        self.directory = directory
        self.workspace = workspace
        self.contacts: dict[str, Contact] = {}
        self.changed: dict[int, Contact] = {}
        self.decided: set[tuple[int, str]] = set()
        self.waiting: dict[tuple[int, str], Decision] = {}  # by (campaign, trigger): held by the daily limit until now
        self.held: dict[str, list[Held]] = defaultdict(list)  # by userId
        self.held_anonymous: dict[str, list[Held]] = defaultdict(list)  # by anonymousId, while that is nobody's
        self.links = Links()
        self.groups = Groups()
        self.audiences = People(connection, workspace, directory.book(workspace))
        self.consents = Consents(connection, workspace)
        self._adoptable: dict[str, list[Contact]] = {}
        self._touches: dict[int | str, list[Touch]] = defaultdict(list)
        self._keys_of: dict[str, set[int | str]] = defaultdict(set)  # of each delivery: under which its touch stands
        self._suppressions: dict[int | str, list[Suppression]] = defaultdict(list)
        self._asked_about: set[int | str] = set()
        self._invited: dict[int, Invited] = {}
        self._lists: dict[str, set[int]] = {}  # who of those asked about is on it
        self._listed: set[int] = set()  # those asked about
        self._new_contacts: Iterable[int] = iter(())
        self._new_decisions: Iterable[int] = iter(())

    # ── loading ──

    def load_claims(self, claims: Claims) -> None:
        """Whose the anonymous ids are that matter, and the groups; nothing where the batch speaks of none."""
        if ids := claims.asking | claims.speaking | claims.linking.keys():
            self.links = Links(anonymous.users_of(self.connection, self.workspace, ids))
        if claims.groups:
            found = stored_groups.by_group_id(self.connection, self.workspace, claims.groups)
            new = len(claims.groups) - len(found)
            first = cursors.take(self.connection, "groups", new) if new else 0
            self.groups = Groups(found, range(first, first + new))

    def load_contacts(self, user_ids: set[str], emails_of_identified: dict[str, str]) -> None:
        """The users of the batch. `emails_of_identified`: userId -> address, for those an identify speaks of."""
        self.contacts = stored_contacts.by_user_id(self.connection, self.workspace, user_ids, lock=True)
        strangers = {user: email for user, email in emails_of_identified.items() if user not in self.contacts}
        if keys := {addresses.key(email) for email in strangers.values()}:
            found = stored_contacts.by_email_key(self.connection, self.workspace, keys)
            self._adoptable = {key: [each for each in people if each.user_id is None] for key, people in found.items()}

    def reserve(self, *, contacts: int, decisions: int) -> None:
        """Numbers for what the batch may create; those that are not used are simply never used."""
        for name, count in (("contacts", contacts), ("decisions", decisions)):
            if count:
                first = cursors.take(self.connection, name, count)
                setattr(self, f"_new_{name}", iter(range(first, first + count)))

    def load_decisions(self, triggers: Iterable[str], identified: Iterable[str], linking: Iterable[str] = ()) -> None:
        """What was decided about these triggers before, and what waits for these users and anonymous ids."""
        if keys := list(triggers):
            self.decided = stored_decisions.triggers_decided(self.connection, self.workspace, keys)
        if users := list(identified):
            for decision, waiting in stored_decisions.held_for(self.connection, self.workspace, users):
                self.wait(decision, msgspec.json.decode(waiting, type=Trigger))
        if ids := list(linking):
            for decision, waiting in stored_decisions.held_for_anonymous(self.connection, self.workspace, ids):
                self.wait(decision, msgspec.json.decode(waiting, type=Trigger))

    def load_waiting(self, triggers: Iterable[str]) -> None:
        """What was held by the daily limit, of these triggers: it may be decided now."""
        for made in stored_decisions.led_to(self.connection, self.workspace, triggers).values():
            self.waiting |= {(each.campaign, each.trigger): each for each in made if _waits_for_its_day(each)}

    def load_people(self, contacts: Iterable[int], email_keys: Iterable[str]) -> None:
        """The touches and suppressions of these contacts and mailboxes, those not loaded yet."""
        ids = {each for each in contacts if each not in self._asked_about}
        keys = {each for each in email_keys if each not in self._asked_about}
        if not ids and not keys:
            return
        self._asked_about |= ids | keys
        for touch in stored_touches.of(self.connection, self.workspace, ids, keys):
            self._learn_touch(touch, ids, keys)
        for row in stored_contacts.suppressions_of(self.connection, self.workspace, ids, keys):
            for key in {row.contact, row.email_key} & (ids | keys):
                if key is not None:
                    self._suppressions[key].append(row)

    def load_lists(self, contacts: Iterable[int]) -> None:
        """On which lists these contacts are; for campaigns that ask one."""
        ids = set(contacts) - self._listed
        if ids:
            for name, members in stored_lists.of_contacts(self.connection, self.workspace, ids).items():
                self._lists.setdefault(name, set()).update(members)
        self._listed |= ids

    def load_consents(self, claims: Claims, asked: Iterable[str]) -> None:
        """What those who speak of consent said before; of whom something is decided, only where surveys mind it."""
        self.consents.load(self.links, claims.linking, asked if self.policy.consent_categories else ())

    # ── what is known ──

    def next_contact(self) -> int:
        return next(iter(self._new_contacts))

    def number_for(self, user_id: str | None) -> int:  # noqa: ARG002
        """Of somebody new."""
        return self.next_contact()

    def next_decision(self) -> int:
        return next(iter(self._new_decisions))

    def about(self, claims: Claims) -> set[str]:
        """The users whom something is decided about that came, or waits, under an anonymous id."""
        users = {user for each in claims.asking if (user := self.links.of(each)) is not None}
        for anonymous_id, claiming in claims.linking.items():
            if anonymous_id in claims.asking or anonymous_id in self.held_anonymous:
                users |= claiming
        return users

    def adoptable(self, email: str | None) -> Contact | None:
        """The one contact without userId behind this address; None when there is none, or more than one."""
        people = self._adoptable.get(addresses.key(email), []) if email else []
        return people[0] if len(people) == 1 else None

    def adopt(self, contact: Contact) -> None:
        if contact.email_key:
            self._adoptable.pop(contact.email_key, None)

    def touches(self, contact: Contact) -> Touches:
        """Everything on the ledger about this person, by contact or by mailbox, each touch once."""
        mine = {touch.delivery: touch for key in self._ensured(contact) for touch in self._touches[key]}
        return Touches(mine.values())

    def standing(self, contact: Contact) -> frozenset[Kind]:
        return standing({row for key in self._ensured(contact) for row in self._suppressions[key]})

    def wishes(self, contact: Contact) -> Wishes:
        return wishes({row for key in self._ensured(contact) for row in self._suppressions[key]})

    def invited(self, campaign: Campaign, now: datetime) -> Invited:
        """Counted only for campaigns that have a cap or a quota."""
        if campaign.daily_cap is None and campaign.quota is None:
            return Invited()
        if campaign.id not in self._invited:
            self._invited[campaign.id] = stored_touches.invited(self.connection, self.workspace, campaign.id, now)
        return self._invited[campaign.id]

    def case(self, campaign: Campaign, trigger: Trigger | None, contact: Contact | None, *, now: datetime) -> Case:
        """The whole question, from what is known."""
        people = traits.decode(contact.traits) if contact else {}
        zone = schedule.zone_of(campaign, contact)
        wished = self.wishes(contact) if contact else Wishes()
        due = schedule.due(campaign, event_at=trigger.at if trigger else now, now=now, zone=zone)
        return Case(
            campaign=campaign,
            policy=self.policy,
            now=now,
            due=due,
            trigger=trigger,
            contact=contact,
            standing=self.standing(contact) if contact else frozenset(),
            less_often=wished.less_often,
            unwanted_survey=self.directory.surveys[campaign.survey].name if campaign.survey in wished.surveys else None,
            touches=self.touches(contact) if contact else Touches(),
            metric_quiet_period=self._quiet_period(campaign),
            conditions_met=conditions_met(campaign, trigger, people if contact else None),
            invited=self.invited(campaign, now),
            membership=self._membership(campaign, contact, now),
            is_listed=self._is_listed(campaign, contact),
            consent=self._consent(contact),
        )

    def _consent(self, contact: Contact | None) -> Mapping[str, Said]:
        if contact is None or not self.policy.consent_categories:
            return {}
        return self.consents.of(contact.user_id)

    def _is_listed(self, campaign: Campaign, contact: Contact | None) -> bool:
        if campaign.recipients is not Recipients.LIST or contact is None:
            return True
        self.load_lists([contact.id])
        return contact.id in self._lists.get(campaign.list or "", ())

    def _membership(self, campaign: Campaign, contact: Contact | None, now: datetime) -> Membership:
        if campaign.audience is None or contact is None:
            return Membership.IN
        audience = self.audiences.book.by_name.get(campaign.audience)
        if audience is not None and audience.phase not in SETTLED:
            return Membership.UNKNOWN
        return Membership.IN if self.audiences.is_member(campaign.audience, contact, now) else Membership.OUT

    @property
    def everybodys_list(self) -> str | None:
        """The list on which everybody is put who is identified."""
        intake = self.directory.intakes.get(self.workspace)
        return intake.list if intake else None

    @property
    def policy(self) -> Policy:
        intake = self.directory.intakes.get(self.workspace)
        return intake.policy if intake else Policy(quiet_period=self.directory.workspaces[self.workspace].quiet_period)

    # ── learning ──

    def learn_contact(self, contact: Contact) -> None:
        if contact.user_id is not None:
            if contact.user_id not in self.contacts:
                self.audiences.met.add(contact.user_id)
            self.contacts[contact.user_id] = contact
        self.changed[contact.id] = contact

    def wait(self, decision: Decision, trigger: Trigger) -> None:
        """Held: for its user, or until it is known whose its anonymous id is."""
        if decision.user_id is not None:
            self.held[decision.user_id].append((decision, trigger))
        elif decision.anonymous_id is not None:
            self.held_anonymous[decision.anonymous_id].append((decision, trigger))

    def learn_touch(self, touch: Touch) -> None:
        keys = {touch.contact} | ({touch.email_key} if touch.email_key else set())
        self._learn_touch(touch, keys, keys)
        if touch.campaign in self._invited:
            self._invited[touch.campaign] = self._invited[touch.campaign].with_one_more(touch.at)

    def move_touch(self, delivery: str, at: datetime) -> None:
        """It happens at another moment than it was reserved for."""
        for key in self._keys_of.get(delivery, ()):
            self._touches[key] = [
                msgspec.structs.replace(touch, at=at) if touch.delivery == delivery else touch
                for touch in self._touches[key]
            ]

    def forget_touch(self, delivery: str) -> None:
        """It was released: it stands in nobody's way any more."""
        for key in self._keys_of.pop(delivery, ()):
            self._touches[key] = [touch for touch in self._touches[key] if touch.delivery != delivery]

    def _learn_touch(self, touch: Touch, ids: Iterable[int | str], keys: Iterable[int | str]) -> None:
        for key in (touch.contact, touch.email_key):
            if key is not None and (key in ids or key in keys):
                self._touches[key].append(touch)
                self._keys_of[touch.delivery].add(key)

    def _ensured(self, contact: Contact) -> tuple[int | str, ...]:
        """What they are known by. An address that only this batch brought may not be loaded yet."""
        key, asked = contact.email_key, self._asked_about
        if contact.id not in asked or (key and key not in asked):
            self.load_people([contact.id], [key] if key else [])
        return (contact.id, key) if key else (contact.id,)

    def _quiet_period(self, campaign: Campaign) -> timedelta | None:
        """The longest quiet period that any survey of this metric asks for."""
        periods = [
            survey.quiet_period
            for survey in self.directory.surveys.values()
            if survey.workspace == self.workspace and survey.kind == campaign.metric and survey.quiet_period
        ]
        return max(periods, default=None)


def conditions_met(campaign: Campaign, trigger: Trigger | None, person: dict[str, object] | None) -> bool:
    """`campaign.where` on the event, with the contact's traits beside it.

    Without an event there is nothing to judge; about somebody not identified yet, traits cannot be judged either, nor
    can the userId of somebody anonymous, and the decision that is held is made again when they are.
    """
    if campaign.where is None or trigger is None:
        return True
    if person is None and _speaks_of(campaign.where, "traits"):
        return True
    if trigger.user_id is None and _speaks_of(campaign.where, "userId"):
        return True
    return fql.predicate(campaign.where)({**trigger.document, "traits": person or {}})


@lru_cache(maxsize=1000)
def _speaks_of(condition: str, name: str) -> bool:
    return any(path[0] == name for path in fql.fields(fql.parse(condition)))


def _waits_for_its_day(decision: Decision) -> bool:
    return decision.outcome == Outcome.HELD and decision.held_until is None
