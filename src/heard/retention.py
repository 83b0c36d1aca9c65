"""How long each kind of data is kept: its setting, what holds without one, and the shortest time that loses nothing.

What is left out here is kept for ever on purpose: contacts, decisions, invitations and touches. They are the promise
that nobody is asked twice, and the answer to why; they go with their person, by a privacy request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from heard import durations
from heard.errors import Invalid

DAY = timedelta(days=1)
FOREVER = "forever"
HELD_BACK_AT_MOST = timedelta(days=7)
"""How much longer messages are kept for a destination that does not take them: it is down, or switched off."""


class Kind(StrEnum):
    MESSAGES = "messages"
    DEAD_LETTERS = "dead_letters"
    COUNTS = "counts"
    REPLAYS = "replays"
    VIOLATIONS = "violations"
    SET_ASIDE = "set_aside"
    MAILS = "mails"
    CLICKS = "clicks"
    MAIL_EVENTS = "mail_events"
    ANSWERS = "answers"
    AUDIT = "audit"
    REQUESTS = "requests"
    SIGN_INS = "sign_ins"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`default` None: for ever, or `like` another kind. Shorter than `least` is refused, for `because`."""

    kind: Kind
    title: str
    help: str
    least: timedelta
    because: str
    default: timedelta | None = None
    like: Kind | None = None

    @property
    def setting(self) -> str:
        return f"HEARD_KEEP_{self.kind.value.upper()}"

    @property
    def without(self) -> str:
        """What holds without the setting, as the reference says it."""
        if self.like is not None:
            return f"(as long as `{BY_KIND[self.like].setting}`)"
        return durations.write(self.default) if self.default else FOREVER


RULES: tuple[Rule, ...] = (
    Rule(
        kind=Kind.MESSAGES,
        title="Messages",
        help="Messages as accepted, whole days of them (UTC), with what became of each at its destinations.",
        least=7 * DAY,
        because="events wait in them for an identify, for the next day's intake, and for destinations that are down",
    ),
    Rule(
        kind=Kind.DEAD_LETTERS,
        title="Dead letters",
        help="Messages that a destination never took, with each try; at the longest as long as the messages.",
        least=DAY,
        because="a destination that is down for a night would leave nothing to send again",
        like=Kind.MESSAGES,
    ),
    Rule(
        kind=Kind.COUNTS,
        title="Counts of destinations",
        help="How many messages each destination took, by hour. They say nothing about anybody.",
        least=8 * DAY,
        because="the pages of destinations look back a week",
        default=400 * DAY,
    ),
    Rule(
        kind=Kind.REPLAYS,
        title="Replays",
        help="Which window was sent to which destination again, once that is over.",
        least=DAY,
        because="somebody still looks at how it went",
    ),
    Rule(
        kind=Kind.VIOLATIONS,
        title="Violations of tracking plans",
        help="How often messages were not as their source's plan has it, by day. They quote no value.",
        least=8 * DAY,
        because="the pages of sources look back a week",
        default=90 * DAY,
    ),
    Rule(
        kind=Kind.SET_ASIDE,
        title="Requests set aside",
        help="What was accepted and could not be read, whole, with the reason.",
        least=DAY,
        because="somebody has to see it first",
        like=Kind.MESSAGES,
    ),
    Rule(
        kind=Kind.MAILS,
        title="Mails in the outbox",
        help="Files in DATA/outbox, where no mail server is set.",
        least=DAY,
        because="a mail is looked for there when a crash left open whether it was kept",
    ),
    Rule(
        kind=Kind.CLICKS,
        title="Network addresses and browsers",
        help="From where, and with which program, a link of a survey was opened or an answer was given. That it was, "
        "and when, stays.",
        least=DAY,
        because="without them nobody can tell a mail scanner from a person",
        default=90 * DAY,
    ),
    Rule(
        kind=Kind.MAIL_EVENTS,
        title="What became of mails",
        help="Bounces, complaints and deliveries, as providers and mail servers report them. What followed from them "
        "stays: the invitation that failed, the mailbox that is left alone.",
        least=31 * DAY,
        because="a mailbox is left alone after several mails in a row came back, and they are weeks apart",
        default=400 * DAY,
    ),
    Rule(
        kind=Kind.ANSWERS,
        title="Answers",
        help="Answers with their comments, every version of them, and the traits frozen with them, from when they were "
        "first given. Scores count them no longer.",
        least=31 * DAY,
        because="an answer can be changed for 30 days",
    ),
    Rule(
        kind=Kind.AUDIT,
        title="Log of changes",
        help="Who changed what.",
        least=30 * DAY,
        because="whoever looks for the cause of a change needs it",
    ),
    Rule(
        kind=Kind.REQUESTS,
        title="Finished privacy requests",
        help="That they were made and what they removed. They do not say about whom. Who is suppressed stays so.",
        least=30 * DAY,
        because="they are the proof that a request was carried out",
    ),
    Rule(
        kind=Kind.SIGN_INS,
        title="Sign-ins that are over",
        help="Sessions that ended by themselves, and invitations of members that were used or ran out.",
        least=DAY,
        because="somebody who was invited yesterday may still ask what became of it",
        default=30 * DAY,
    ),
)
BY_KIND: Mapping[Kind, Rule] = {rule.kind: rule for rule in RULES}


class Keep(msgspec.Struct, frozen=True):
    """How long each kind is kept; a kind that is not in `times` is kept for ever."""

    times: Mapping[Kind, timedelta] = {}

    def of(self, kind: Kind) -> timedelta | None:
        """None = for ever."""
        return self.times.get(kind)

    def before(self, kind: Kind, now: datetime) -> datetime | None:
        """What is older than this moment may go; None = nothing."""
        length = self.of(kind)
        return None if length is None else now - length

    def __iter__(self) -> Iterator[tuple[Rule, timedelta | None]]:
        for rule in RULES:
            yield rule, self.of(rule.kind)


def read(given: Mapping[str, str]) -> Keep:
    """From environment variables; `forever` keeps for ever what has another default.

    Raises:
        Invalid: it is no length of time, or shorter than what still needs it, or a part is kept longer than the whole.
    """
    times: dict[Kind, timedelta] = {}
    for rule in RULES:
        text = (given.get(rule.setting) or "").strip()
        if text.lower() == FOREVER:
            length = None
        elif text:
            length = _length(text, rule)
        else:
            length = times.get(rule.like) if rule.like else rule.default
        if length is not None:
            times[rule.kind] = length
    whole = times.get(Kind.MESSAGES)
    part = times.get(Kind.DEAD_LETTERS)
    if whole is not None and (part is None or part > whole):
        name = BY_KIND[Kind.DEAD_LETTERS].setting
        raise Invalid(
            f"{name}: a dead letter goes with its message, and messages are kept {durations.in_words(whole)}"
            f" (HEARD_KEEP_MESSAGES). Write {durations.write(whole)} or less.",
            field=name,
        )
    return Keep(times)


def _length(text: str, rule: Rule) -> timedelta:
    try:
        length = durations.parse(text)
    except Invalid as problem:
        raise Invalid(f"{rule.setting}: {problem} {FOREVER!r} keeps them.", field=rule.setting) from None
    if length < rule.least:
        raise Invalid(
            f"{rule.setting}={text} is too short: {rule.because}. Write {durations.write(rule.least)} or more.",
            field=rule.setting,
        )
    return length
