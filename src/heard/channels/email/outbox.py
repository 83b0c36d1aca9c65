"""Mails as files while there is no mail server: `<UTC time>-<delivery id>.eml`, one per delivery."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import msgspec

from heard.channels.email.mail import Mail
from heard.errors import DeliveryFailed

_NAME = re.compile(r"(\d{8}T\d{6}Z)-([0-9a-f]{32})\.eml")
_TIME = "%Y%m%dT%H%M%SZ"
A_WHILE = 2_000_000_000  # nanoseconds


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the outbox page."""

    delivery_id: str
    at: datetime
    to: str
    subject: str


class Outbox:
    """Keeps mails in a folder. A delivery has one file, however often it is handed over."""

    title = "Outbox"
    help = "Keeps every mail as a file and on the outbox page, and sends none. Used until HEARD_SMTP_URL is set."
    connections = 4

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._names: dict[str, str] = {}  # delivery id -> file name
        self._looked = -1
        self._look()

    async def hand_over(self, mail: Mail) -> str:
        """See `Channel.hand_over`; never ambiguous, since a file is there under its name or it is not."""
        if name := self._names.get(mail.delivery_id):
            return f"kept before as {name}"
        name = f"{mail.at.astimezone(UTC).strftime(_TIME)}-{mail.delivery_id}.eml"
        try:
            await asyncio.to_thread(_write, self._folder / name, mail.content)
        except OSError as error:
            raise DeliveryFailed(f"The outbox cannot be written: {error.strerror or error}.") from error
        self._names[mail.delivery_id] = name
        return f"kept as {name}"

    async def close(self) -> None:
        """Nothing is held open."""

    def listing(self, limit: int = 100) -> list[Kept]:
        """The newest mails first. Reads one file a line, so ask for a page, not for all."""
        self._look()
        newest = sorted(self._names.items(), key=lambda item: item[1], reverse=True)[:limit]
        return [line for delivery_id, name in newest if (line := self._line(delivery_id, name)) is not None]

    def newest(self) -> list[tuple[str, datetime]]:
        """Every delivery that has a mail here, newest first; reads the folder alone, and only when it changed."""
        self._look()
        by_name = sorted(self._names.items(), key=lambda item: item[1], reverse=True)
        return [(delivery_id, _time_of(name)) for delivery_id, name in by_name]

    def kept(self, delivery_ids: Iterable[str]) -> frozenset[str]:
        """Which of these have a mail here."""
        self._look()
        return frozenset(each for each in delivery_ids if each in self._names)

    def line(self, delivery_id: str) -> Kept | None:
        """What a list shows of one mail; None when its file is gone."""
        name = self._names.get(delivery_id)
        return self._line(delivery_id, name) if name else None

    def read(self, delivery_id: str) -> bytes | None:
        """The mail as it was handed over; None when there is none."""
        if delivery_id not in self._names:
            self._look()
        name = self._names.get(delivery_id)
        try:
            return (self._folder / name).read_bytes() if name else None
        except FileNotFoundError:  # somebody tidied the folder
            self._names.pop(delivery_id, None)
            return None

    def remove_before(self, moment: datetime, limit: int) -> int:
        """The oldest mails that were handed over before then, at most `limit`; gives how many."""
        self._look()
        old = sorted((name, each) for each, name in self._names.items() if _time_of(name) < moment)[:limit]
        for name, delivery_id in old:
            (self._folder / name).unlink(missing_ok=True)
            self._names.pop(delivery_id, None)
        return len(old)

    def _look(self) -> None:
        """See what is in the folder, when it changed; files of other names are not ours."""
        changed = self._folder.stat().st_mtime_ns
        if changed == self._looked:
            return
        # A clock of files ticks slowly: only what has rested for a while cannot change again within the same tick.
        self._looked = changed if time.time_ns() - changed > A_WHILE else -1
        self._names = {
            found[2]: found[0] for entry in os.scandir(self._folder) if (found := _NAME.fullmatch(entry.name))
        }

    def _line(self, delivery_id: str, name: str) -> Kept | None:
        content = self.read(delivery_id)
        if content is None:
            return None
        mail = opened(content, headers_only=True)
        return Kept(
            delivery_id=delivery_id, at=_time_of(name), to=str(mail["To"] or ""), subject=str(mail["Subject"] or "")
        )


def _time_of(name: str) -> datetime:
    return datetime.strptime(name[:16], _TIME).replace(tzinfo=UTC)


def opened(content: bytes, *, headers_only: bool = False) -> EmailMessage:
    """A mail taken apart again, to be looked at."""
    return BytesParser(EmailMessage, policy=policy.default).parsebytes(content, headersonly=headers_only)  # type: ignore[return-value]


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and still there after the power was cut."""
    draft = path.with_suffix(".tmp")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
