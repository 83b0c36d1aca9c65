"""A workspace's own mail server: set, tried with a mail to oneself, and taken away again.

A member chooses where we connect to, so it is held to the rules of webhooks: public addresses only, judged at every
connection. The password is kept sealed, and no page, log, file or answer has it again.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Mapping
from email.utils import format_datetime

import msgspec

from heard.accounts.mail_settings import MailServer, MailSettings
from heard.channels.email import headers
from heard.channels.email.address import Mailbox, mailbox
from heard.channels.email.mail import Mail
from heard.channels.email.relay import Relay, relay
from heard.channels.email.render import NOWHERE
from heard.channels.email.smtp import Smtp
from heard.errors import HeardError, Invalid, NotFound
from heard.installation import OWN_DOT, OWN_PATIENCE, Installation
from heard.operations import campaigns_send_me
from heard.operations.destination_try import not_too_often
from heard.operations.mail import change
from heard.outgoing import url
from heard.store import audit

PORTS = (25, 465, 587)  # and from 1024 on
LONGEST = 1000  # characters of a user or password
TEXT = "This is a test mail from Heard. It shows that the mail server takes mails of this workspace.\r\n"


async def set_server(app: Installation, workspace: int, *, written: Mapping[str, str], by: str) -> MailServer:
    """As a form has it: `server` (a URL, which may hold user and password), `user`, `password`. An empty password
    stands for the one that is kept, while server and user stay the same.

    Raises:
        Invalid: it cannot be used; `field` is one of those three, and the message has no password.
    """
    if not app.settings.own_mail_servers:
        said = "No workspace can have its own mail server here: whoever runs Heard set HEARD_OWN_MAIL_SERVERS to off."
        raise Invalid(said, field="server")
    allow_private = app.settings.allow_private_network
    wanted = relay(written["server"].strip(), field="server")
    host = _host(wanted, allow_private=allow_private)
    if wanted.port not in PORTS and not 1024 <= wanted.port <= 65535:
        raise Invalid(f"Use port 25, 465, 587, or one from 1024 on, not {wanted.port}.", field="server")
    await app.outgoing.check_host(host, field="server")
    user, password = written["user"].strip() or wanted.user, written["password"] or wanted.password
    for field, text in (("user", user), ("password", password)):
        if len(text) > LONGEST or not (text.isprintable() or not text):
            raise Invalid(f"A {field} is one line of at most {LONGEST} characters.", field=field)
    if password and not user:
        raise Invalid("Write the user that this password is for.", field="user")
    server = MailServer(host=host, port=wanted.port, tls=wanted.tls, verify=wanted.verify, user=user)
    was = app.mail_of(workspace).server
    if password:
        server = msgspec.structs.replace(server, sealed=app.seal(workspace, password))
    elif was is not None and was.is_at(server):
        server = was
    elif user:
        said = "Write the password as well; one that is kept is for its own server and user."
        raise Invalid(said, field="password")

    def with_it(settings: MailSettings) -> MailSettings:
        return msgspec.structs.replace(settings, server=server)

    await change(app, workspace, with_it, by=by, what="mail.server_set", subject=server.shown)
    return server


async def remove_server(app: Installation, workspace: int, *, by: str) -> None:
    """Back to the installation's, or to the outbox where it has none.

    Raises:
        NotFound: there is none.
    """
    server = app.mail_of(workspace).server
    if server is None:
        raise NotFound("This workspace has no mail server of its own.")

    def without(settings: MailSettings) -> MailSettings:
        return msgspec.structs.replace(settings, server=None)

    await change(app, workspace, without, by=by, what="mail.server_removed", subject=server.shown)


async def try_server(app: Installation, workspace: int, *, to: str, by: str) -> str:
    """Hand over a mail to `to`, a member; gives what the server answered, such as `250 2.0.0 Ok: queued as 4F1`.

    Raises:
        DeliveryFailed: it did not take it; the message says what it answered.
        Invalid: the member's address, or the sender's, takes or sends no mail.
        TooOften: it was tried often enough for now.
        HeardError: the workspace has no mail server, or its password cannot be read.
    """
    recipient = campaigns_send_me.mailbox(to)
    server, shared = app.mail_server_of(workspace), app.settings.smtp_url
    if server is None and not shared:
        raise HeardError("There is no mail server to try: mails go to the outbox.")
    not_too_often(app.tried_by_hand.setdefault(workspace, deque()))
    channel = (
        app.own_smtp(app.relay_of(workspace, server))
        if server is not None
        else Smtp(shared or "", connections=1, patience=OWN_PATIENCE, patience_for_the_dot=OWN_DOT)
    )
    subject, now = server.shown if server is not None else "the installation's mail server", app.clock.now()
    try:
        return await channel.hand_over(_mail(app, workspace, recipient))
    finally:
        await channel.close()
        await app.store.write(
            lambda connection: audit.note(
                connection, workspace, by=by, what="mail.server_tried", subject=subject, at=now, detail={}
            )
        )


def _host(wanted: Relay, *, allow_private: bool) -> str:
    written = f"[{wanted.host}]" if ":" in wanted.host else wanted.host
    try:
        return url.host_of(written, allow_private=allow_private)
    except Invalid as problem:
        problem.field = "server"
        raise


def _mail(app: Installation, workspace: int, to: str) -> Mail:
    brand, now = app.directory.workspaces[workspace].brand, app.clock.now()
    sender = mailbox(brand.from_, field="brand.from") if brand.from_ else NOWHERE
    name = secrets.token_hex(16)
    content = b"".join(
        (
            headers.mailbox("From", Mailbox(sender.name or brand.name, sender.address)),
            headers.mailbox("To", Mailbox("", to)),
            headers.text("Subject", "Test mail from Heard"),
            headers.header("Date", format_datetime(now.replace(microsecond=0))),
            headers.header("Message-ID", f"<test.{name}@{sender.domain}>"),
            headers.header("Auto-Submitted", "auto-generated"),
            headers.header("MIME-Version", "1.0"),
            headers.header("Content-Type", 'text/plain; charset="us-ascii"'),
            b"\r\n",
            TEXT.encode(),
        )
    )
    mail = Mail(delivery_id=name, at=now, sender=sender.address, recipient=to, content=content, utf8=not to.isascii())
    return app.signed(workspace, mail)
