"""What a provider reports of mails: each notice finds its delivery, and the mailbox is left alone where it has to be.

The Message-ID tells the delivery; where a report does not quote it, the latest mail to the address is meant. Of
mailboxes that this workspace never wrote to, nothing is kept: a provider's account may send for others too.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from heard.contacts import address as addresses
from heard.contacts.standing import Kind, Suppression, standing
from heard.deliveries import bouncing, protection
from heard.deliveries.delivery import Delivery, ImpossibleMove
from heard.deliveries.notice import Notice, NoticeKind
from heard.store import contacts, deliveries, mail_events

SKEW = timedelta(minutes=10)  # that a provider's clock may be behind ours
DELIVERY = 32  # hex digits before the @ of our Message-ID


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a report."""

    kept: int = 0
    repeated: int = 0  # told before
    not_ours: int = 0  # about mails that this workspace did not send
    to_judge: frozenset[int] = frozenset()  # the campaigns that may have to stop


class Meant(msgspec.Struct, frozen=True, kw_only=True):
    """A notice, with what it is about as far as that is known."""

    name: str
    notice: Notice
    delivery: Delivery | None
    email_key: str


def take(
    connection: Connection, workspace: int, provider: str, notices: Sequence[Notice], *, anybody: bool, now: datetime
) -> Taken:
    """Keep what is new, and what follows from it. `anybody`: anybody could have written it, so the address alone
    proves nothing."""
    named = {mail_events.name_of(provider, each): each for each in notices}
    old = mail_events.known(connection, workspace, named)
    new = {name: each for name, each in named.items() if name not in old}
    meant = _meant(connection, workspace, new, anybody=anybody, now=now)
    mail_events.keep(
        connection,
        workspace,
        [(each.name, provider, each.notice, each.delivery, each.email_key) for each in meant],
        now=now,
    )
    _follow(connection, workspace, meant, provider, now)
    return Taken(
        kept=len(meant),
        repeated=len(notices) - len(new),
        not_ours=len(new) - len(meant),
        to_judge=frozenset(
            each.delivery.campaign
            for each in meant
            if each.delivery is not None and each.notice.kind in protection.TELLING
        ),
    )


def _meant(
    connection: Connection, workspace: int, new: dict[str, Notice], *, anybody: bool, now: datetime
) -> list[Meant]:
    quoted = {name: _delivery_in(each.message_id) for name, each in new.items()}
    sent = deliveries.by_ids(connection, workspace, {each for each in quoted.values() if each})
    keys = {name: addresses.key(each.address) for name, each in new.items() if addresses.read(each.address)}
    loose = {keys[name] for name in new if not anybody and name in keys and quoted[name] not in sent}
    sends = mail_events.last_sends(connection, workspace, loose, before=now)
    contacts_of = contacts.by_email_key(connection, workspace, loose - set(sends))
    sent |= deliveries.by_ids(connection, workspace, {id_ for each in sends.values() for _, id_ in each})
    meant: list[Meant] = []
    for name, notice in new.items():
        delivery = sent.get(quoted[name] or "")
        if delivery is not None:  # whom we wrote to; the address in a report may be where they have it forwarded
            meant.append(Meant(name=name, notice=notice, delivery=delivery, email_key=addresses.key(delivery.address)))
        elif (key := keys.get(name)) in loose and (key in sends or key in contacts_of):
            before = next((id_ for at, id_ in sends.get(key, ()) if at <= (notice.at or now) + SKEW), None)
            meant.append(Meant(name=name, notice=notice, delivery=sent.get(before or ""), email_key=key))
    return meant


def _follow(connection: Connection, workspace: int, meant: Sequence[Meant], provider: str, now: datetime) -> None:
    """The deliveries change in the order of the reports; then each mailbox is judged by all that is known of it."""
    changed: dict[str, Delivery] = {}
    for each in meant:
        if each.delivery is not None:
            was = changed.get(each.delivery.id, each.delivery)
            changed[was.id] = _changed(connection, was, each.notice)
    judged = [each for each in meant if each.notice.kind in bouncing.POLICY]
    keys = {each.email_key for each in judged}
    if not keys:
        return
    sends = mail_events.last_sends(connection, workspace, keys, before=now)
    latest = {key: [id_ for _, id_ in sends.get(key, ())][: bouncing.LONGEST_RUN] for key in keys}
    told = mail_events.told_of(connection, workspace, {id_ for each in latest.values() for id_ in each})
    rows = contacts.suppressions_of(connection, workspace, (), keys)
    for each in judged:
        key, kind = each.email_key, each.notice.kind
        run = bouncing.in_a_row(latest[key], told) if kind is NoticeKind.SOFT else 1
        left_alone = bouncing.consequence(kind, run)
        if left_alone is None or left_alone in standing(row for row in rows if row.email_key == key):
            continue
        whom = each.delivery.contact if each.delivery is not None and left_alone is Kind.COMPLAINED else None
        row = Suppression(kind=left_alone, on=True, at=now, contact=whom, email_key=key)
        contacts.suppress(connection, workspace, row, _cause(each.notice, run, provider))
        rows.append(row)


def _changed(connection: Connection, was: Delivery, notice: Notice) -> Delivery:
    becomes = bouncing.after(was, notice)
    if becomes is was:
        return was
    with suppress(ImpossibleMove):  # answered meanwhile: that counts
        deliveries.change(connection, becomes, was=was.state)
        return becomes
    return was


def _cause(notice: Notice, run: int, provider: str) -> str:
    times = f" {run} mails in a row came back, the last one:" if run > 1 else ""
    return f"{provider} reports:{times} {bouncing.in_words(notice)}"


def _delivery_in(message_id: str | None) -> str | None:
    """`<id>@<domain>` -> the id, where it could be one of ours."""
    local = (message_id or "").partition("@")[0].lower()
    return local if len(local) == DELIVERY and not set(local) - set("0123456789abcdef") else None
