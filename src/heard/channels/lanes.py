"""A lane for each mail server: its connections, its places and its troubles are nobody else's.

Workspaces that name no server of their own share the installation's lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from heard.accounts.mail_settings import MailServer
from heard.channels.channel import Channel
from heard.channels.email.mail import Mail
from heard.deliveries.delivery import HandedTo
from heard.errors import DeliveryFailed

SHARED_AT_ONCE, OWN_AT_ONCE = 200, 40  # while fewer deliveries are on their way, so many more are taken


class Lane:
    """`workspace` None: the installation's. `key` tells lanes apart; `over` is what it hands mails to."""

    def __init__(self, channel: Channel, *, over: HandedTo, workspace: int | None = None) -> None:
        self.channel, self.over, self.workspace = channel, over, workspace
        self.at_once = SHARED_AT_ONCE if workspace is None else OWN_AT_ONCE
        self.places = asyncio.Semaphore(channel.connections)

    @property
    def key(self) -> int:
        return self.workspace or 0  # workspaces are numbered from 1


class Lanes:
    """The installation's lane, and one for each workspace with a mail server of its own.

    `open_own` makes the channel of a workspace's own server. It never fails: what is wrong is said as mails are handed
    over, since they must not go out by another server than the one that was chosen.
    """

    def __init__(self, shared: Channel, *, over: HandedTo, open_own: Callable[[int, MailServer], Channel]) -> None:
        self.shared = Lane(shared, over=over)
        self._open_own = open_own
        self._own: dict[int, tuple[MailServer, Lane]] = {}

    @classmethod
    def of_one(cls, channel: Channel, *, over: HandedTo = HandedTo.OUTBOX) -> Lanes:
        """Where no workspace has a server of its own."""

        def none(workspace: int, server: MailServer) -> Channel:
            raise DeliveryFailed(f"Workspace {workspace} has {server.host} to itself; there is one lane here.")

        return cls(channel, over=over, open_own=none)

    @property
    def apart(self) -> list[Lane]:
        """Those of single workspaces."""
        return [lane for _, lane in self._own.values()]

    def of(self, workspace: int) -> Lane:
        found = self._own.get(workspace)
        return found[1] if found else self.shared

    def set(self, servers: Mapping[int, MailServer]) -> list[Channel]:
        """These workspaces have these servers from now on. Gives what nobody uses any more, to be closed; what is under
        way by it is finished there."""
        over = [lane for number, (server, lane) in self._own.items() if servers.get(number) != server]
        self._own = {
            number: self._own[number]
            if number in self._own and self._own[number][0] == server
            else (server, Lane(self._open_own(number, server), over=HandedTo.SERVER, workspace=number))
            for number, server in servers.items()
        }
        return [lane.channel for lane in over]

    async def close(self) -> None:
        for lane in (self.shared, *self.apart):
            await lane.channel.close()


class Unusable:
    """Stands where a server is named that cannot be used: nothing is handed over, and every mail waits."""

    title = "E-mail"
    help = "A mail server that cannot be used as it is kept."
    connections = 1

    def __init__(self, why: str) -> None:
        self._why = why

    async def hand_over(self, mail: Mail) -> str:  # noqa: ARG002
        raise DeliveryFailed(self._why, unreachable=True)

    async def close(self) -> None:
        """Nothing is open."""
