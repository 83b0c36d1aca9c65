"""Every part of one installation, made from its settings and tied together.

The heart of a running server is an `Installation` whose loops are started; a command without a server opens one,
does its work on the same files, and closes it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from collections import deque
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any

import msgspec
from sqlalchemy import Connection

from heard import config, sealed
from heard.accounts import mail_settings
from heard.accounts.mail_settings import NOTHING_SET, MailServer, MailSettings
from heard.audiences.looks_back import must_be_kept
from heard.board import Board
from heard.campaigns.campaign import Campaign
from heard.channels.channel import Channel
from heard.channels.email import dkim
from heard.channels.email.compose import compose
from heard.channels.email.mail import Mail
from heard.channels.email.outbox import Outbox
from heard.channels.email.relay import Relay, relay
from heard.channels.email.reports.sns import Certificates
from heard.channels.email.smtp import Smtp
from heard.channels.lanes import Lanes, Unusable
from heard.clock import Clock
from heard.config import Settings
from heard.contacts import suppression
from heard.contacts.suppression import Suppressed
from heard.couriers import Couriers
from heard.deliveries.delivery import HandedTo
from heard.errors import HeardError, InUse
from heard.forgetting import Forgetting
from heard.housekeeping import Housekeeping
from heard.ids import LinkKeys
from heard.log.segments import SegmentReader
from heard.outgoing.client import Client
from heard.outgoing.dns import Dns
from heard.pipeline import Pipeline
from heard.routing.browser import settings_of
from heard.scores.answered import Answered
from heard.steps import protect, send
from heard.steps.send import Ready
from heard.store import answers, directory, schema, suppressed
from heard.store.analytics import Analytics
from heard.store.directory import Directory
from heard.store.store import Store
from heard.surveys.survey import Survey

OWN_CONNECTIONS = 4  # to a workspace's own mail server
OWN_PATIENCE, OWN_DOT = 10.0, 60.0  # seconds that it may take to answer, and to take a mail


class Installation:
    def __init__(self, settings: Settings, *, base_url: str | None = None, test_clock: bool = False) -> None:
        """Open the data folder.

        Raises:
            HeardError: another heart has it open, its database cannot be used, or a setting cannot.
        """
        if settings.smtp_url:
            relay(settings.smtp_url)  # refused before anything is made
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.settings = settings
        self.test_clock = test_clock
        self.closing = threading.Event()  # for what takes long in a thread of its own
        self._lock = _lock(settings.data / "heart.lock")
        self._reloading = asyncio.Lock()
        self._told: dict[str, Any] = {}
        self.tried_by_hand: dict[int, deque[float]] = {}  # by workspace: when destinations were tried, lately
        self.base_url = settings.base_url or base_url or "http://localhost:8800"
        self.board = Board(settings.data / "board")
        self.clock = Clock(self.board)
        self._secret = config.secret(settings)
        self.keys = LinkKeys(self._secret)
        schema.prepare(settings)
        self.store = Store(settings.database_url)
        self.directory: Directory = self.store.read_now(self._load)
        self._refuse_what_is_kept_too_short()
        self._analytics = Analytics(
            current_traits=lambda workspace, ids: self.store.read_now(
                lambda connection: answers.traits_today(connection, workspace, ids)
            )
        )
        self.outbox = Outbox(settings.data / "outbox") if settings.smtp_url is None else None
        server = settings.smtp_url and Smtp(settings.smtp_url, connections=settings.smtp_connections)
        self.lanes = Lanes(
            server or self.outbox or Unusable("There is no mail server."),
            over=HandedTo.SERVER if server else HandedTo.OUTBOX,
            open_own=self._server_of,
        )
        self.outgoing = Client(allow_private=settings.allow_private_network)
        self._set_lanes()
        self.certificates = Certificates(self.outgoing.send)
        self.dns = Dns(settings.dns_server)
        self.couriers = Couriers(
            store=self.store, clock=self.clock, carry=self.outgoing.send, directory=lambda: self.directory
        )
        house = Housekeeping(
            store=self.store,
            clock=self.clock,
            keep=settings.keep,
            couriers=self.couriers,
            directory=lambda: self.directory,
            outbox=self.outbox,
            let_go=self._let_go,
        )
        self.pipeline = Pipeline(
            store=self.store,
            reader=SegmentReader(settings.data / "log", self.board),
            board=self.board,
            clock=self.clock,
            lanes=self.lanes,
            couriers=self.couriers,
            house=house,
            mail=self.mail,
            directory=lambda: self.directory,
            changed=self.reload,
            refused=self.stop_what_must,
        )
        self.forgetting = Forgetting(
            store=self.store,
            board=self.board,
            clock=self.clock,
            pipeline=self.pipeline,
            carry=self.outgoing.send,
            directory=lambda: self.directory,
            data=settings.data,
            key=self.suppression_key,
            erased=self._forgotten,
        )

    def start(self) -> None:
        """Take up where the last run stopped, then run the loops."""
        recover = partial(send.recover, directory=self.directory, now=self.clock.now())
        self.store.write_now(recover)
        self.publish_keys()
        self.pipeline.start()
        self.forgetting.start()

    async def close(self) -> None:
        self.closing.set()
        await self.forgetting.stop()
        await self.pipeline.stop()
        await self.lanes.close()
        await self.outgoing.close()
        self.store.close()
        self._lock.close()

    async def reload(self) -> None:
        """Somebody edited the workspace: read it again, and let the collector know its keys."""
        async with self._reloading:  # the last to finish must be the last to have read
            self.directory = await self.store.read(self._load)
            self.publish_keys()
            for unused in self._set_lanes():
                await unused.close()
        await self.couriers.refresh()
        self.pipeline.wake()

    def outbox_of(self, workspace: int) -> Outbox | None:
        """Where mails of this workspace are kept; None where a server takes them."""
        return self.outbox if self.lanes.of(workspace) is self.lanes.shared else None

    def relay_of(self, workspace: int, server: MailServer) -> Relay:
        """A workspace's own mail server, with its password.

        Raises:
            Unreadable: it was kept under another secret.
        """
        password = self.unseal(workspace, server.sealed) if server.sealed else ""
        return Relay(
            host=server.host,
            port=server.port,
            tls=server.tls,
            user=server.user,
            password=password,
            verify=server.verify,
        )

    def seal(self, workspace: int, password: str) -> str:
        """The password of a workspace's mail server, as it is kept."""
        return sealed.seal(self._secret, password, purpose=f"mail-server/{workspace}")

    def unseal(self, workspace: int, kept: str) -> str:
        """Raises Unreadable."""
        return sealed.unseal(self._secret, kept, purpose=f"mail-server/{workspace}")

    def own_smtp(self, to: Relay, *, connections: int = 1) -> Smtp:
        """To a server that a member named: only public addresses are reached, and it is waited for less long."""
        return Smtp(
            to, dial=self.outgoing.dial, connections=connections, patience=OWN_PATIENCE, patience_for_the_dot=OWN_DOT
        )

    def mail_server_of(self, workspace: int) -> MailServer | None:
        """Its own, where it has one and that is used here."""
        return self.mail_of(workspace).server if self.settings.own_mail_servers else None

    def _set_lanes(self) -> list[Channel]:
        servers = {number: self.mail_server_of(number) for number in self.directory.mail}
        return self.lanes.set({number: server for number, server in servers.items() if server is not None})

    def _server_of(self, workspace: int, server: MailServer) -> Channel:
        try:
            to = self.relay_of(workspace, server)
        except sealed.Unreadable:
            return Unusable("The password of the mail server cannot be read: write it again in Settings > Mail.")
        return self.own_smtp(to, connections=min(OWN_CONNECTIONS, self.settings.smtp_connections))

    def suppression_key(self, workspace: int) -> bytes:
        """Under which a workspace knows whom it is not to hear of."""
        return suppression.key_of(self._secret, workspace)

    def mail_of(self, workspace: int) -> MailSettings:
        """How a workspace sends mail."""
        return self.directory.mail.get(workspace, NOTHING_SET)

    def report_key(self, workspace: int) -> str:
        """What the address ends with at which providers report what became of its mails."""
        return mail_settings.report_key(self._secret, workspace, self.mail_of(workspace).turn)

    def reports_of(self, key: str) -> int | None:
        """The workspace with this key; None = nobody's."""
        turns = {number: self.mail_of(number).turn for number in self.directory.workspaces}
        return mail_settings.workspace_of(self._secret, key, turns)

    async def stop_what_must(self, workspace: int, campaigns: Collection[int]) -> None:
        """Pause those of these campaigns whose mails bounce, or are reported as spam, too often."""
        if campaigns:
            judge = partial(protect.stop_what_must, workspace=workspace, campaigns=campaigns, now=self.clock.now())
            if await self.store.write(judge):
                await self.reload()

    def _refuse_what_is_kept_too_short(self) -> None:
        try:
            for number in self.directory.workspaces:
                must_be_kept(self.directory.book(number).all, self.settings.keep)
        except HeardError:
            self.store.close()
            self._lock.close()
            raise

    async def _forgotten(self) -> None:
        """What is kept in memory is read again."""
        await asyncio.to_thread(self._analytics.close)
        await self.reload()

    async def _let_go(self, before: datetime) -> None:
        await asyncio.to_thread(self._analytics.let_go, before)

    def _load(self, connection: Connection) -> Directory:
        marks = suppressed.everybody(connection)
        return msgspec.structs.replace(
            directory.load(connection),
            suppressed={number: Suppressed(self.suppression_key(number), each) for number, each in marks.items()},
            wishes={number: self.suppression_key(number) for number in suppressed.workspaces_with_wishes(connection)},
        )

    async def answers(self) -> Analytics:
        """The scores' database, with every answer that was acknowledged before now."""

        def fetch(revision: int, limit: int) -> Sequence[Answered]:
            return self.store.read_now(
                lambda connection: answers.changed_since(connection, revision, limit, self.directory)
            )

        await asyncio.to_thread(self._analytics.refresh, fetch)
        return self._analytics

    def publish_keys(self) -> None:
        """Give the collector its write keys and secrets, and what pages are told, also for when we are not there."""
        known = self.directory
        sources, outside = known.sources.values(), list(known.destinations.values())
        told = {
            "hooks.json": {each.write_key: each.webhook_secret for each in sources if each.webhook_secret},
            "keys.json": {each.write_key: each.id for each in sources},
            "suppressed.json": [
                {
                    "sources": [each.id for each in sources if each.workspace == workspace],
                    "key": whom.key.hex(),
                    "marks": sorted(whom.marks),
                }
                for workspace, whom in known.suppressed.items()
            ],
            "browser.json": {each.write_key: settings_of(each, outside, base_url=self.base_url) for each in sources},
        }
        if told == self._told:
            return
        for name, content in told.items():
            _replace(self.settings.data / name, msgspec.json.encode(content))
        self._told = told
        self.board.keys_generation += 1

    def mail(self, ready: Ready, now: datetime) -> Mail:
        """The mail of a delivery that is due."""
        delivery = ready.delivery
        campaign = self.directory.campaigns[delivery.campaign]
        survey = self.directory.surveys[delivery.survey]
        workspace = self.directory.workspaces[delivery.workspace]
        composed = compose(
            delivery,
            ready.contact,
            campaign=campaign,
            survey=survey,
            brand=workspace.brand,
            at_most=self.promise(campaign, survey),
            keys=self.keys,
            base_url=self.base_url,
            now=now,
            reminds_of=ready.reminds_of,
            count_opens=self.mail_of(delivery.workspace).count_opens,
        )
        return self.signed(delivery.workspace, composed)

    def signed(self, workspace: int, mail: Mail) -> Mail:
        """With the signature of the sender's domain, where the workspace has an active key for it."""
        key = self.mail_of(workspace).signs(mail.sender.rpartition("@")[2])
        return mail if key is None else dkim.signed(mail, key)

    def promise(self, campaign: Campaign, survey: Survey) -> timedelta | None:
        """How often this survey comes at the most. A throttle is a promise only while no other campaign asks it."""
        alone = sum(each.survey == survey.id for each in self.directory.campaigns.values()) == 1
        quiet = self.directory.workspaces[survey.workspace].quiet_period
        periods = (survey.quiet_period, quiet, campaign.throttle if alone else None)
        return max((period for period in periods if period), default=None)


def _lock(path: Path) -> IO[str]:
    """One heart a data folder: two would decide twice."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise InUse(
            f"Another Heard process works on {path.parent}. If none runs, wait a second and try again."
        ) from None
    return file


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    draft = path.with_suffix(".tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
