"""Mails over SMTP: a few connections, kept open and used again.

MAIL, RCPT, DATA and the text itself are issued one by one, because what a failure means depends on where it happened:
before the text nothing was handed over; after its final dot only the server knows.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib
import msgspec

from heard.channels.email.mail import Mail
from heard.channels.email.refusals import Stage, refused
from heard.errors import DeliveryFailed, Invalid

PATIENCE = 30.0  # seconds for a connection and for the answer to a command
PATIENCE_FOR_THE_DOT = 120.0  # a server may scan a mail before it answers; giving up early makes it an unknown one
MAILS_PER_CONNECTION = 200  # many servers close after a hundred or a thousand; we go first, between two mails
IDLE = 20.0  # seconds after which an unused connection is taken for dead; servers wait five minutes, firewalls less


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """What `smtp[s]://user:password@host:port` says. Without a port: 465 for smtps, 587 with a user, else 25."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = ""
    verify: bool = True  # `?verify=no` takes any certificate: for a relay of one's own that signed its own


def server(url: str) -> Server:
    """Read HEARD_SMTP_URL.

    Raises:
        Invalid: not such a URL. The message never repeats the password.
    """
    field = "HEARD_SMTP_URL"
    example = "smtp://user:password@mail.example:587"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Invalid(f"This is not a URL like {example}.", field=field) from None
    if parts.scheme not in ("smtp", "smtps") or not host or parts.path not in ("", "/"):
        raise Invalid(f"Write it like {example} (smtps:// for TLS from the start).", field=field)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := set(options) - {"verify"}:
        raise Invalid(f"There is no option {min(unknown)!r}; there is verify=no.", field=field)
    tls = parts.scheme == "smtps"
    return Server(
        host=host,
        port=port or (465 if tls else 587 if parts.username else 25),
        tls=tls,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        verify=options.get("verify", "yes").lower() not in ("no", "0", "false", "off"),
    )


class Smtp:
    """Hands mails to one SMTP server."""

    title = "E-mail"
    help = "Sends through a mail server, named by HEARD_SMTP_URL. STARTTLS and a login are used where it offers them."

    def __init__(
        self,
        url: str,
        *,
        connections: int = 4,
        patience: float = PATIENCE,
        patience_for_the_dot: float = PATIENCE_FOR_THE_DOT,
        mails_per_connection: int = MAILS_PER_CONNECTION,
        idle: float = IDLE,
    ) -> None:
        self.connections = connections
        self._server = server(url)
        self._patience = patience
        self._patience_for_the_dot = patience_for_the_dot
        self._mails_per_connection = mails_per_connection
        self._idle = idle
        self._turns = asyncio.Semaphore(connections)
        self._open: list[_Line] = []  # the connections nobody uses just now; the one used last is last

    async def hand_over(self, mail: Mail) -> str:
        """See `Channel.hand_over`. A failure of a connection that was idle costs nothing: the mail gets a fresh one."""
        async with self._turns:
            line = self._kept()
            if line is not None:
                try:
                    return await self._over(line, mail)
                except _WentAway:
                    pass
            try:
                return await self._over(await self._connect(), mail)
            except _WentAway as gone:
                raise DeliveryFailed(str(gone)) from gone

    async def close(self) -> None:
        while self._open:
            await self._open.pop().hang_up()

    async def _over(self, line: _Line, mail: Mail) -> str:
        keep = False
        try:
            answer = await line.hand_over(mail, patience_for_the_dot=self._patience_for_the_dot)
            keep = True
            return answer
        except DeliveryFailed:
            keep = await line.is_clear()
            raise
        finally:
            # Whatever else happened, a cancellation included: a connection in an unknown state is never used again.
            if keep and line.mails < self._mails_per_connection:
                line.free_since = time.monotonic()
                self._open.append(line)
            elif keep:
                await line.hang_up()
            else:
                line.drop()

    def _kept(self) -> _Line | None:
        while self._open:
            line = self._open.pop()
            if line.is_open and time.monotonic() - line.free_since < self._idle:
                return line
            line.drop()
        return None

    async def _connect(self) -> _Line:
        to = self._server
        smtp = aiosmtplib.SMTP(
            hostname=to.host,
            port=to.port,
            use_tls=to.tls,
            start_tls=False if to.tls else None,  # None: upgrade when the server offers it
            validate_certs=to.verify,
            timeout=self._patience,
            local_hostname=_own_name(),
        )
        where = f"{to.host}:{to.port}"
        try:
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
            await _log_in(smtp, to)
        except aiosmtplib.SMTPResponseException as error:
            smtp.close()
            raise refused(Stage.CONNECT, error.code, error.message) from error
        except ssl.SSLError as error:
            smtp.close()
            raise DeliveryFailed(
                f"The mail server at {where} offers no TLS we can trust: {error.reason or error}."
            ) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            smtp.close()
            raise DeliveryFailed(f"The mail server {where} cannot be reached: {error}") from error
        return _Line(smtp)


async def _log_in(smtp: aiosmtplib.SMTP, to: Server) -> None:
    """Once, by the first way that both know: a wrong password said three times locks accounts."""
    if not to.user or not smtp.supported_auth_methods:
        return
    ways = {"cram-md5": smtp.auth_crammd5, "plain": smtp.auth_plain, "login": smtp.auth_login}
    await ways[smtp.supported_auth_methods[0]](to.user, to.password)


class _WentAway(Exception):
    """The connection ended before any of the mail was handed over."""


class _Line:
    """One connection, and one mail over it at a time."""

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self.mails = 0
        self.free_since = 0.0
        self._smtp = smtp

    @property
    def is_open(self) -> bool:
        return self._smtp.is_connected

    async def hand_over(self, mail: Mail, *, patience_for_the_dot: float) -> str:
        smtp = self._smtp
        if mail.utf8 and not smtp.supports_extension("smtputf8"):
            raise DeliveryFailed(
                "The address has letters beyond ASCII before the @; this mail server does not take those (SMTPUTF8).",
                permanent=True,
            )
        self.mails += 1
        try:
            await smtp.mail(mail.sender, options=["SMTPUTF8"] if mail.utf8 else [], encoding="utf-8")
            await smtp.rcpt(mail.recipient, encoding="utf-8")
            ready = await smtp.execute_command(b"DATA")
        except aiosmtplib.SMTPSenderRefused as error:
            if error.code == 421:
                raise _WentAway(f"The mail server is closing: {error.message}") from error
            raise refused(Stage.SENDER, error.code, error.message) from error
        except aiosmtplib.SMTPRecipientRefused as error:
            raise refused(Stage.RECIPIENT, error.code, error.message) from error
        except aiosmtplib.SMTPTimeoutError as error:
            self.drop()
            raise DeliveryFailed("The mail server did not answer in time; nothing was handed over.") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _WentAway(f"The connection to the mail server ended: {error}") from error
        if ready.code != 354:
            raise refused(Stage.DATA, ready.code, ready.message)
        return await self._send(mail.content, patience_for_the_dot)

    async def _send(self, content: bytes, patience: float) -> str:
        """The text with its final dot. From the first octet on, silence means that nobody knows."""
        protocol = self._smtp.protocol
        try:
            if protocol is None:
                raise aiosmtplib.SMTPServerDisconnected("Connection lost")
            protocol.write(_dotted(content))
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _WentAway(f"The connection to the mail server ended: {error}") from error
        try:
            answer = await protocol.read_response(timeout=patience)
        except (aiosmtplib.SMTPException, OSError) as error:
            self.drop()
            raise DeliveryFailed(f"Nobody knows whether the mail server took it: {error}", ambiguous=True) from error
        if answer.code >= 400:
            raise refused(Stage.DATA, answer.code, answer.message)
        if answer.code // 100 != 2:
            self.drop()
            raise DeliveryFailed(
                f"The mail server answered {answer.code}, which says neither yes nor no.", ambiguous=True
            )
        return f"{answer.code} {' '.join(answer.message.split())}"

    async def is_clear(self) -> bool:
        """Forget a refused envelope, so that the next mail starts afresh."""
        if not self.is_open:
            return False
        try:
            await self._smtp.rset()
        except (aiosmtplib.SMTPException, OSError):
            return False
        return True

    async def hang_up(self) -> None:
        """Say goodbye, as servers like it, but do not wait long for the answer."""
        try:
            if self.is_open:
                await self._smtp.quit(timeout=2)
        except (aiosmtplib.SMTPException, OSError):
            pass
        finally:
            self.drop()

    def drop(self) -> None:
        self._smtp.close()


def _dotted(content: bytes) -> bytes:
    """RFC 5321, 4.5.2: a line that starts with a dot gets a second one, and a dot alone ends the mail."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def _own_name() -> str:
    """What EHLO says. The resolver is not asked: it can take seconds where there is no network."""
    name = "".join(character for character in socket.gethostname() if character.isascii() and character.isprintable())
    return name.replace(" ", "") or "localhost"
