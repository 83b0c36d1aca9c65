"""How a workspace sends mails and hears what became of them: the keys that sign, the address for reports."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.accounts.mail_settings import DkimKey, MailSettings, Rates
from heard.channels.email import dkim
from heard.channels.email.published import is_published
from heard.channels.email.reports.providers import BY_NAME
from heard.deliveries import pacing
from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations.doctor import sender_domain
from heard.outgoing.exchange import NoAnswer
from heard.store import audit, handed_over, mail_events, mail_settings

LONGEST_SECRET = 2_000
HIGHEST_RATE = 1_000_000_000


class Reports(msgspec.Struct, frozen=True, kw_only=True):
    """`heard_of`: when each provider told something last."""

    key: str
    signed: frozenset[str]  # the providers whose secret is kept
    heard_of: dict[str, datetime]


async def reports(app: Installation, workspace: int) -> Reports:
    heard_of = await app.store.read(lambda connection: mail_events.last_received(connection, workspace))
    return Reports(key=app.report_key(workspace), signed=frozenset(app.mail_of(workspace).secrets), heard_of=heard_of)


async def new_key(app: Installation, workspace: int, *, by: str) -> None:
    """The address so far is refused from now on."""

    def becomes(settings: MailSettings) -> MailSettings:
        return msgspec.structs.replace(settings, turn=settings.turn + 1)

    await change(app, workspace, becomes, by=by, what="mail.key_replaced", subject="reports")


async def keep_secret(app: Installation, workspace: int, *, provider: str, secret: str, by: str) -> None:
    """What this provider signs with; "" forgets it, and its reports are taken unsigned.

    Raises:
        NotFound: the provider signs nothing that could be checked.
        Invalid: it cannot be such a secret.
    """
    known = BY_NAME.get(provider)
    if known is None or known.proof is None:
        raise NotFound(f"{provider} signs no reports.")
    secret = "".join(secret.split())
    if len(secret) > LONGEST_SECRET or not secret.isascii():
        raise Invalid(f"Copy the {known.secret} from {known.title}: it is one line of plain letters.", field=provider)
    if secret:
        known.proof(b"{}", {}, secret)  # which refuses what is no key at all

    def becomes(settings: MailSettings) -> MailSettings:
        rest = {name: each for name, each in settings.secrets.items() if name != provider}
        return msgspec.structs.replace(settings, secrets=rest | ({provider: secret} if secret else {}))

    what = "mail.secret_kept" if secret else "mail.secret_removed"
    await change(app, workspace, becomes, by=by, what=what, subject=known.title)


async def make_dkim_key(app: Installation, workspace: int, *, by: str) -> DkimKey:
    """A key for the sender's domain, which waits until it is published. One that waits already is given back.

    Raises:
        Invalid: the workspace has no sender.
    """
    domain = _domain(app, workspace)
    if (waits := app.mail_of(workspace).waits(domain)) is not None:
        return waits
    private, public = await asyncio.to_thread(dkim.make_key)
    key = DkimKey(
        domain=domain,
        selector=f"heard-{secrets.token_hex(4)}",
        private_key=private,
        public_key=public,
        made_at=app.clock.now(),
    )

    def becomes(settings: MailSettings) -> MailSettings:
        return settings if settings.waits(domain) else msgspec.structs.replace(settings, dkim=(*settings.dkim, key))

    await change(app, workspace, becomes, by=by, what="mail.dkim_key_made", subject=domain, name=key.name)
    return app.mail_of(workspace).waits(domain) or key


async def begin_to_sign(app: Installation, workspace: int, *, by: str) -> DkimKey:
    """Once the waiting key is published. The one before it is forgotten.

    Raises:
        Invalid: no key waits, or it is not published, or nobody could say.
    """
    domain = _domain(app, workspace)
    key = app.mail_of(workspace).waits(domain)
    if key is None:
        raise Invalid("No key waits to be published. Make one first.")
    try:
        texts = await app.dns.texts(key.name)
    except NoAnswer as failure:
        raise Invalid(str(failure)) from None
    if not is_published(key, texts):
        seen = "Something else is published there." if texts else "Nothing is published there."
        raise Invalid(f"The record at {key.name} is not this key. {seen} New records take minutes to hours to be seen.")
    active = msgspec.structs.replace(key, active_since=app.clock.now())

    def becomes(settings: MailSettings) -> MailSettings:
        others = tuple(each for each in settings.dkim if each.domain != domain)
        return msgspec.structs.replace(settings, dkim=(*others, active))

    await change(app, workspace, becomes, by=by, what="mail.dkim_begun", subject=domain, name=key.name)
    return active


async def stop_signing(app: Installation, workspace: int, *, by: str) -> None:
    """Forget the keys of the sender's domain; to sign again takes a new one."""
    domain = _domain(app, workspace)

    def becomes(settings: MailSettings) -> MailSettings:
        return msgspec.structs.replace(settings, dkim=tuple(each for each in settings.dkim if each.domain != domain))

    await change(app, workspace, becomes, by=by, what="mail.dkim_ended", subject=domain)


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """How many mails went out in this hour and today (UTC), how many are put off, and what limits the day now."""

    hour: int
    day: int
    waiting: int
    of_day: int | None
    warm_up_day: int | None  # 1 on its first day; None where no warm-up limits the day


async def sending(app: Installation, workspace: int) -> Sending:
    now, rates = app.clock.now(), app.mail_of(workspace).rates
    so_far = await app.store.read(lambda connection: handed_over.so_far(connection, workspace, now))
    return Sending(
        hour=so_far.hour,
        day=so_far.day,
        waiting=await app.store.read(lambda connection: handed_over.waiting(connection, workspace, now)),
        of_day=pacing.of_day(rates, now.date()),
        warm_up_day=pacing.warm_up_day(rates, now.date()),
    )


async def set_rates(app: Installation, workspace: int, *, written: Mapping[str, str], by: str) -> None:
    """As a form has them: `hour`, `day`, `domain`, `warm_up`; "" = no limit. What waits already keeps its moment.

    Raises:
        Invalid: one of them is no such number or day; it names which.
    """
    rates = Rates(
        hour=_rate(written, "hour"),
        day=_rate(written, "day"),
        domain=_rate(written, "domain"),
        warm_up=_day(written, "warm_up"),
    )

    def becomes(settings: MailSettings) -> MailSettings:
        return msgspec.structs.replace(settings, rates=rates)

    await change(app, workspace, becomes, by=by, what="mail.rates_set", subject="mails")


async def set_opens(app: Installation, workspace: int, *, on: bool, by: str) -> None:
    """Whether mails that go out from now on tell that they are opened."""

    def becomes(settings: MailSettings) -> MailSettings:
        return msgspec.structs.replace(settings, count_opens=on)

    await change(
        app, workspace, becomes, by=by, what="mail.opens_counted" if on else "mail.opens_left", subject="mails"
    )


def _rate(written: Mapping[str, str], field: str) -> int | None:
    text = written[field].replace(",", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= HIGHEST_RATE):
        raise Invalid("Write a whole number from 1 on, or leave it empty for no limit.", field=field)
    return int(text)


def _day(written: Mapping[str, str], field: str) -> date | None:
    text = written[field].strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("Write a day like 2027-01-31, or leave it empty for no warm-up.", field=field) from None


def _domain(app: Installation, workspace: int) -> str:
    domain = sender_domain(app.directory.workspaces[workspace])
    if domain is None:
        raise Invalid("Mails are signed for the domain of the sender. Write From in Settings > Brand first.")
    return domain


async def change(
    app: Installation,
    workspace: int,
    becomes: Callable[[MailSettings], MailSettings],
    *,
    by: str,
    what: str,
    subject: str,
    **detail: Any,
) -> None:
    """Change what is set, note who did it, and have it in effect when this returns."""

    def work(connection: Connection) -> None:
        was = mail_settings.of(connection, workspace)
        wanted = becomes(was)
        if wanted == was:
            return
        mail_settings.keep(connection, workspace, wanted)
        audit.note(connection, workspace, by=by, what=what, subject=subject, at=app.clock.now(), detail=detail)

    await app.store.write(work)
    await app.reload()
