"""`heard doctor`: whether mails of this installation can arrive, and links in them be opened. It looks, and no more."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import msgspec

from heard.accounts.workspace import Workspace
from heard.channels.email import published
from heard.channels.email.address import mailbox
from heard.channels.email.line import Dial, probe
from heard.channels.email.published import Finding, Verdict, good, warning, wrong
from heard.channels.email.relay import Relay, relay
from heard.errors import DeliveryFailed
from heard.installation import Installation
from heard.outgoing.exchange import NoAnswer
from heard.sealed import Unreadable

PATIENCE = 8.0  # seconds for the mail server
LEAST_ROOM, LITTLE_ROOM = 200 << 20, 2 << 30
OTHERS = 0o077  # what a file of ours lets nobody else do


async def doctor(app: Installation, *, workspace: str | None = None) -> dict[str, Any]:
    """`{"verdict", "checks": [{"workspace", "check", "verdict", "said", "fix"}]}`: first those of the installation
    (`workspace` null), then each workspace's, or those of the one that is named."""
    chosen = [app.directory.workspace(workspace)] if workspace else list(app.directory.workspaces.values())
    found = await asyncio.gather(of_installation(app), *(of_workspace(app, each) for each in chosen))
    lines = [(None, each) for each in found[0]]
    lines += [(whose.name, each) for whose, theirs in zip(chosen, found[1:], strict=True) for each in theirs]
    return {
        "verdict": worst([each for _, each in lines]).value,
        "checks": [{"workspace": name, **msgspec.to_builtins(each)} for name, each in lines],
    }


async def of_installation(app: Installation) -> list[Finding]:
    return [_base_url(app), await _mail_server(app), _secret(app), _room(app)]


async def of_workspace(app: Installation, workspace: Workspace) -> list[Finding]:
    """Of its own mail server, where it has one, and of the domain of `brand.from`."""
    domain, server = sender_domain(workspace), await _own_mail_server(app, workspace.id)
    if domain is None:
        said = "The workspace has no sender of its own, so mails are from feedback@localhost."
        return [*server, wrong("Sender", said, "Write From in Settings > Brand, or brand.from in the workspace file.")]
    mail = app.mail_of(workspace.id)
    key = mail.signs(domain) or mail.waits(domain)
    ask = app.dns.texts
    return [
        *server,
        *await asyncio.gather(
            _looked_up("SPF", partial(ask, domain), partial(published.spf, domain)),
            _dkim(app, domain, workspace.id),
            _dmarc(app, domain),
        ),
        published.alignment(domain, key),
    ]


def sender_domain(workspace: Workspace) -> str | None:
    """In ASCII; None = no sender is set."""
    return mailbox(workspace.brand.from_).domain.lower() if workspace.brand.from_ else None


def worst(findings: list[Finding]) -> Verdict:
    order = list(Verdict)
    return max((each.verdict for each in findings), key=order.index, default=Verdict.GOOD)


def _base_url(app: Installation) -> Finding:
    check, fix = "Address", "Set HEARD_BASE_URL to the https address at which people reach Heard."
    parts = urlsplit(app.base_url)
    host = parts.hostname or ""
    if app.settings.base_url is None:
        return wrong(check, f"HEARD_BASE_URL is not set, so links in mails lead to {app.base_url}.", fix)
    if _is_local(host):
        return wrong(check, f"Links in mails lead to {host}, which nobody else can open.", fix)
    if parts.scheme != "https":
        said = f"Links in mails begin with {app.base_url}, and mail providers only unsubscribe over https."
        return wrong(check, said, f"{fix} docs/how-to/https.md says how.")
    return good(check, f"Links in mails begin with {app.base_url}.")


def _is_local(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".test", ".invalid"))


async def _mail_server(app: Installation) -> Finding:
    check, url = "Mail server", app.settings.smtp_url
    if url is None and app.lanes.apart and len(app.lanes.apart) == len(app.directory.workspaces):
        return good(check, "Every workspace sends through a mail server of its own.")
    if url is None:
        said = "HEARD_SMTP_URL is not set: mails go to the outbox, and to nobody."
        return wrong(check, said, "Set it, like smtp://user:password@mail.example:587.")
    return await _probed(check, relay(url), "HEARD_SMTP_URL")


async def _own_mail_server(app: Installation, workspace: int) -> list[Finding]:
    """Of a workspace that names one."""
    check, server, place = "Mail server", app.mail_server_of(workspace), "the mail server in Settings > Mail"
    if server is None:
        return []
    try:
        to = app.relay_of(workspace, server)
    except Unreadable:
        said = f"The password for {server.shown} was kept under another HEARD_SECRET, so no mail goes out."
        return [wrong(check, said, "Write the password again in Settings > Mail.")]
    return [await _probed(check, to, place, app.outgoing.dial)]


async def _probed(check: str, to: Relay, place: str, dial: Dial | None = None) -> Finding:
    where = f"{to.host}:{to.port}"
    try:
        offers = await probe(to, patience=PATIENCE, dial=dial)
    except DeliveryFailed as problem:
        return wrong(check, str(problem), f"Check {place} with its password, and any firewall between.")
    if to.user and not offers.login:
        said = f"{where} offers no login, so the user and the password of {place} are not used."
        return warning(check, said, "Most servers offer it on port 587 or 465.")
    if not offers.encrypted and not _is_local(to.host):
        return warning(check, f"{where} takes mails, unencrypted.", "Use a server that offers STARTTLS, or smtps://.")
    how = [*(["encrypted"] if offers.encrypted else []), *(["logged in"] if to.user else [])]
    return good(check, f"{where} takes mails{', ' if how else ''}{' and '.join(how)}.")


def _secret(app: Installation) -> Finding:
    check, path = "Secret", app.settings.secret_file
    if app.settings.secret:
        return good(check, "HEARD_SECRET is set.")
    if path.stat().st_mode & OTHERS:
        said = f"Others than its owner can read {path}, and so write links like ours."
        return wrong(check, said, f"Run chmod 600 {path}.")
    return good(check, "Only its owner can read the secret. Keep a copy: links that were sent need it.")


def _room(app: Installation) -> Finding:
    check, free = "Disk", shutil.disk_usage(app.settings.data).free
    said = f"{free / (1 << 30):.1f} GB are free where the data is kept."
    fix = "Make room, or keep things shorter: docs/how-to/how-long-things-are-kept.md."
    if free < LEAST_ROOM:
        return wrong(check, said, fix)
    return warning(check, said, fix) if free < LITTLE_ROOM else good(check, said)


async def _dkim(app: Installation, domain: str, workspace: int) -> Finding:
    mail = app.mail_of(workspace)
    key = mail.signs(domain) or mail.waits(domain)
    if key is None:
        return published.dkim(domain, None, ())
    return await _looked_up("DKIM", partial(app.dns.texts, key.name), partial(published.dkim, domain, key))


async def _dmarc(app: Installation, domain: str) -> Finding:
    """The domain's own record, else that of the nearest domain above it that has one."""
    labels = domain.split(".")
    try:
        for start in range(max(1, len(labels) - 1)):
            name = f"_dmarc.{'.'.join(labels[start:])}"
            texts = await app.dns.texts(name)
            if any(text.strip().lower().startswith("v=dmarc1") for text in texts):
                return published.dmarc(domain, name, texts)
    except NoAnswer as failure:
        return _not_known("DMARC", failure)
    return published.dmarc(domain, f"_dmarc.{domain}", ())


async def _looked_up(
    check: str, ask: Callable[[], Awaitable[list[str]]], judge: Callable[[list[str]], Finding]
) -> Finding:
    try:
        return judge(await ask())
    except NoAnswer as failure:
        return _not_known(check, failure)


def _not_known(check: str, failure: NoAnswer) -> Finding:
    return warning(check, str(failure), "Look again later, or name a server that can be asked with HEARD_DNS_SERVER.")
