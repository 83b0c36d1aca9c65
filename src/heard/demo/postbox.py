"""Where the mails of the story go: the newest into the outbox, older ones are handed over and not kept."""

from __future__ import annotations

from datetime import datetime

from heard.channels.email.mail import Mail
from heard.channels.email.outbox import Outbox
from heard.channels.email.refusals import MailboxRefused


class Postbox:
    """A `Channel`. `handed_over` lists (delivery id, when) of what was taken since it was last emptied."""

    title = "Postbox"
    help = "Keeps the mails of the last weeks of a made history, and takes all others."
    connections = 64

    def __init__(self, outbox: Outbox, *, keep_from: datetime, gone: frozenset[str]) -> None:
        """`gone`: addresses of mailboxes that no longer exist."""
        self._outbox, self._keep_from, self._gone = outbox, keep_from, gone
        self.handed_over: list[tuple[str, datetime]] = []

    async def hand_over(self, mail: Mail) -> str:
        """See `Channel.hand_over`."""
        if mail.recipient in self._gone:
            raise MailboxRefused("The mail server answered 550 5.1.1 No such user here", permanent=True)
        self.handed_over.append((mail.delivery_id, mail.at))
        return await self._outbox.hand_over(mail) if mail.at >= self._keep_from else "taken"

    async def close(self) -> None:
        """Nothing is held open."""
