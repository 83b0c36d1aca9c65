"""When a mailbox is left alone, because of what became of mails to it.

POLICY is all of it: how many sends in a row have to come to this, and what the mailbox then counts as. Kinds that are
not in it change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import msgspec

from heard.contacts.standing import Kind
from heard.deliveries.delivery import NEXT, Delivery, State, move
from heard.deliveries.notice import Notice, NoticeKind


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    sends: int  # in a row, the latest one included
    then: Kind
    fails: bool = False  # the mail did not arrive, and never will


POLICY: Mapping[NoticeKind, Rule] = {
    NoticeKind.HARD: Rule(sends=1, then=Kind.BOUNCED, fails=True),
    NoticeKind.SOFT: Rule(sends=3, then=Kind.BOUNCED),
    NoticeKind.COMPLAINT: Rule(sends=1, then=Kind.COMPLAINED),
}
LONGEST_RUN = max(rule.sends for rule in POLICY.values())
SAID: Mapping[NoticeKind, str] = {
    NoticeKind.HARD: "It bounced",
    NoticeKind.SOFT: "It came back",
    NoticeKind.COMPLAINT: "They reported it as spam",
}


def consequence(kind: NoticeKind, in_a_row: int) -> Kind | None:
    """What the mailbox counts as from now on; None = nothing changes. `in_a_row` sends have come to this."""
    rule = POLICY.get(kind)
    return rule.then if rule is not None and in_a_row >= rule.sends else None


def in_a_row(sends: Sequence[str], told: Mapping[str, Set[NoticeKind]]) -> int:
    """How many of the latest sends came back, one after the other. `sends` are a mailbox's deliveries, newest first,
    and `told` what was told of each: one that was delivered, or of which nothing was told, ends the run."""
    run = 0
    for delivery in sends:
        kinds = told.get(delivery, frozenset())
        if NoticeKind.DELIVERED in kinds or not kinds & {NoticeKind.SOFT, NoticeKind.HARD}:
            break
        run += 1
    return run


def after(delivery: Delivery, notice: Notice) -> Delivery:
    """The delivery as the notice leaves it: failed, settled, or what it was with a word about it."""
    rule = POLICY.get(notice.kind)
    if rule is not None and rule.fails and State.FAILED in NEXT[delivery.state]:
        return move(delivery, State.FAILED, error=in_words(notice))
    if notice.kind in SAID and delivery.state in (State.SENT, State.UNKNOWN):
        return msgspec.structs.replace(delivery, error=in_words(notice))
    if notice.kind is NoticeKind.DELIVERED and delivery.state is State.UNKNOWN:
        return move(delivery, State.SENT, error=None)
    if notice.kind is NoticeKind.DELIVERED and delivery.state is State.SENT and not _complained(delivery):
        return msgspec.structs.replace(delivery, error=None)
    return delivery


def in_words(notice: Notice) -> str:
    """`It bounced: 550 5.1.1 no such user`."""
    return f"{SAID[notice.kind]}: {notice.detail}" if notice.detail else f"{SAID[notice.kind]}."


def _complained(delivery: Delivery) -> bool:
    return (delivery.error or "").startswith(SAID[NoticeKind.COMPLAINT])
