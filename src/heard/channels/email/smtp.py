"""Mails over SMTP: a few connections, kept open and used again."""

from __future__ import annotations

import asyncio
import time

from heard.channels.email.line import Dial, Line, WentAway, connect
from heard.channels.email.mail import Mail
from heard.channels.email.relay import Relay, relay
from heard.errors import DeliveryFailed

PATIENCE = 30.0  # seconds for a connection and for the answer to a command
PATIENCE_FOR_THE_DOT = 120.0  # a server may scan a mail before it answers; giving up early makes it an unknown one
MAILS_PER_CONNECTION = 200  # many servers close after a hundred or a thousand; we go first, between two mails
IDLE = 20.0  # seconds after which an unused connection is taken for dead; servers wait five minutes, firewalls less


class Smtp:
    """Hands mails to one SMTP server. `dial` opens the connections, where not every address may be reached."""

    title = "E-mail"
    help = "Sends through a mail server, named by HEARD_SMTP_URL. STARTTLS and a login are used where it offers them."

    def __init__(
        self,
        to: str | Relay,
        *,
        dial: Dial | None = None,
        connections: int = 4,
        patience: float = PATIENCE,
        patience_for_the_dot: float = PATIENCE_FOR_THE_DOT,
        mails_per_connection: int = MAILS_PER_CONNECTION,
        idle: float = IDLE,
    ) -> None:
        self.connections = connections
        self._relay = relay(to) if isinstance(to, str) else to
        self._dial = dial
        self._patience = patience
        self._patience_for_the_dot = patience_for_the_dot
        self._mails_per_connection = mails_per_connection
        self._idle = idle
        self._turns = asyncio.Semaphore(connections)
        self._closed = False
        self._open: list[Line] = []  # the connections nobody uses just now; the one used last is last

    async def hand_over(self, mail: Mail) -> str:
        """See `Channel.hand_over`. A failure of a connection that was idle costs nothing: the mail gets a fresh one."""
        async with self._turns:
            line = self._kept()
            if line is not None:
                try:
                    return await self._over(line, mail)
                except WentAway:
                    pass
            try:
                return await self._over(await self._connected(), mail)
            except WentAway as gone:
                raise DeliveryFailed(str(gone), unreachable=True) from gone

    async def close(self) -> None:
        """See `Channel.close`; what is handed over just now is finished, and its connection not kept."""
        self._closed = True
        while self._open:
            await self._open.pop().hang_up()

    async def _connected(self) -> Line:
        return await connect(self._relay, patience=self._patience, dial=self._dial)

    async def _over(self, line: Line, mail: Mail) -> str:
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
            if keep and line.mails < self._mails_per_connection and not self._closed:
                line.free_since = time.monotonic()
                self._open.append(line)
            elif keep:
                await line.hang_up()
            else:
                line.drop()

    def _kept(self) -> Line | None:
        while self._open:
            line = self._open.pop()
            if line.is_open and time.monotonic() - line.free_since < self._idle:
                return line
            line.drop()
        return None
