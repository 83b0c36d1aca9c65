"""One connection to a mail server, and one mail over it at a time.

MAIL, RCPT, DATA and the text itself are issued one by one, because what a failure means depends on where it happened:
before the text nothing was handed over; after its final dot only the server knows.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable

import aiosmtplib
import msgspec

from heard.channels.email.mail import Mail
from heard.channels.email.refusals import Stage, refused
from heard.channels.email.relay import Relay
from heard.errors import DeliveryFailed, HeardError

Dial = Callable[[str, int], Awaitable[socket.socket]]  # (host, port) -> a connected socket; raises HeardError


async def connect(to: Relay, *, patience: float, dial: Dial | None = None) -> Line:
    """A connection that is ready for a mail: encrypted and logged in, where the server offers that.

    `patience`: seconds for an answer; twice as many for all of this. `dial`: what opens the connection, where not every
    address may be reached.

    Raises:
        DeliveryFailed: transient, whatever the server said: it is about us, not about a mail.
    """
    where = f"{to.host}:{to.port}"
    try:
        async with asyncio.timeout(2 * patience):
            return await _connect(to, where, patience, await dial(to.host, to.port) if dial else None)
    except TimeoutError as error:
        raise DeliveryFailed(f"The mail server {where} did not become ready in time.", unreachable=True) from error
    except HeardError as error:
        if isinstance(error, DeliveryFailed):
            raise
        raise DeliveryFailed(str(error), unreachable=True) from error


async def _connect(to: Relay, where: str, patience: float, opened: socket.socket | None) -> Line:
    smtp = aiosmtplib.SMTP(
        hostname=to.host,
        port=None if opened else to.port,
        sock=opened,
        use_tls=to.tls,
        start_tls=False if to.tls else None,  # None: upgrade when the server offers it
        validate_certs=to.verify,
        timeout=patience,
        local_hostname=_own_name(),
    )
    try:
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
        await _log_in(smtp, to)
    except aiosmtplib.SMTPResponseException as error:
        smtp.close()
        raise refused(Stage.CONNECT, error.code, _veiled(error.message, to)) from None
    except ssl.SSLError as error:
        smtp.close()
        raise DeliveryFailed(
            f"The mail server at {where} offers no TLS we can trust: {error.reason or error}."
        ) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        smtp.close()
        raise DeliveryFailed(f"The mail server {where} cannot be reached: {error}", unreachable=True) from error
    except BaseException:
        smtp.close()
        raise
    return Line(smtp)


def _veiled(said: str, to: Relay) -> str:
    """What a server said, without the password, should it repeat what it was given."""
    if to.password:
        both = (to.password, b64encode(to.password.encode()).decode().rstrip("="))
        plain = b64encode(f"\0{to.user}\0{to.password}".encode()).decode()
        for each in (plain, *both):
            said = said.replace(each, "…")
    return said


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail server does for us before it takes a mail."""

    encrypted: bool
    login: bool


async def probe(to: Relay, *, patience: float, dial: Dial | None = None) -> Offers:
    """Connect and log in as for a mail, and say goodbye. Raises as `connect` does."""
    line = await connect(to, patience=patience, dial=dial)
    try:
        return line.offers
    finally:
        await line.hang_up()


class WentAway(Exception):
    """The connection ended before any of the mail was handed over."""


class Line:
    """One connection, and one mail over it at a time."""

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self.mails = 0
        self.free_since = 0.0
        self._smtp = smtp

    @property
    def is_open(self) -> bool:
        return self._smtp.is_connected

    @property
    def offers(self) -> Offers:
        encrypted = self._smtp.get_transport_info("sslcontext") is not None
        return Offers(encrypted=encrypted, login=bool(self._smtp.supported_auth_methods))

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
                raise WentAway(f"The mail server is closing: {error.message}") from error
            raise refused(Stage.SENDER, error.code, error.message) from error
        except aiosmtplib.SMTPRecipientRefused as error:
            raise refused(Stage.RECIPIENT, error.code, error.message) from error
        except aiosmtplib.SMTPTimeoutError as error:
            self.drop()
            raise DeliveryFailed("The mail server did not answer in time; nothing was handed over.") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise WentAway(f"The connection to the mail server ended: {error}") from error
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
            raise WentAway(f"The connection to the mail server ended: {error}") from error
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


async def _log_in(smtp: aiosmtplib.SMTP, to: Relay) -> None:
    """Once, by the first way that both know: a wrong password said three times locks accounts."""
    if not to.user or not smtp.supported_auth_methods:
        return
    ways = {"cram-md5": smtp.auth_crammd5, "plain": smtp.auth_plain, "login": smtp.auth_login}
    await ways[smtp.supported_auth_methods[0]](to.user, to.password)


def _own_name() -> str:
    """What EHLO says. The resolver is not asked: it can take seconds where there is no network."""
    name = "".join(character for character in socket.gethostname() if character.isascii() and character.isprintable())
    return name.replace(" ", "") or "localhost"
