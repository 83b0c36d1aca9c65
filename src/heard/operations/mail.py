"""How a workspace hears of what became of its mails: the address for reports, and what they are signed with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.accounts.mail_settings import MailSettings
from heard.channels.email.reports.providers import BY_NAME
from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.store import audit, mail_events, mail_settings

LONGEST_SECRET = 2_000


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

    def change(settings: MailSettings) -> MailSettings:
        return msgspec.structs.replace(settings, turn=settings.turn + 1)

    await _change(app, workspace, change, by=by, what="mail.key_replaced", subject="reports")


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

    def change(settings: MailSettings) -> MailSettings:
        rest = {name: each for name, each in settings.secrets.items() if name != provider}
        return msgspec.structs.replace(settings, secrets=rest | ({provider: secret} if secret else {}))

    what = "mail.secret_kept" if secret else "mail.secret_removed"
    await _change(app, workspace, change, by=by, what=what, subject=known.title)


async def _change(
    app: Installation,
    workspace: int,
    change: Callable[[MailSettings], MailSettings],
    *,
    by: str,
    what: str,
    subject: str,
    **detail: Any,
) -> None:
    def work(connection: Connection) -> None:
        was = mail_settings.of(connection, workspace)
        becomes = change(was)
        if becomes == was:
            return
        mail_settings.keep(connection, workspace, becomes)
        audit.note(connection, workspace, by=by, what=what, subject=subject, at=app.clock.now(), detail=detail)

    await app.store.write(work)
    await app.reload()
