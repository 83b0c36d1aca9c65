"""Putting a backup back. Nobody is mailed twice: whatever may have gone out since the backup is not sent again.

What was due by now when the backup was made, or falls due from what the log in it still holds, may have been sent by
the installation that was backed up. Each such delivery becomes `unknown`: shown, not sent, its touch on the ledger.
What is due later goes out on its day.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec
from sqlalchemy import Connection

from heard.board import Board
from heard.config import Settings
from heard.deliveries.delivery import State, move
from heard.deliveries.ledger import TouchState
from heard.errors import HeardError
from heard.installation import Installation
from heard.scores.window import rfc3339, shown
from heard.steps import remind
from heard.store import backup_postgres, deliveries, funnel, schema, touches
from heard.store.backup import FORMAT, SQLITE, Manifest, Progress, database_kind

LOCKS = ("serve.lock", "collector.lock", "heart.lock")
STAYS = re.compile(r"serve\.lock|collector\.lock|heart\.lock|backups|before-restore-.*")  # not part of what is replaced
NAMES = re.compile(
    r"manifest\.json|heard\.db|keys\.json|secret|log/\d{20}\.seg|outbox/[\w-]+\.eml|database/[a-z][a-z0-9_]*"
)


async def restore(
    settings: Settings, path: Path, *, force: bool = False, progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """Put the backup at `path` into the data folder.

    Gives `{"at", "unknown", "moved_to"}`: when the backup was made, how many deliveries became unknown, and where the
    folder's former content is (None = it was empty).

    Raises:
        HeardError: a server runs here, the folder is in use, or the file is no backup that we understand.
    """
    with _nobody_else(settings.data), _archive(path) as archive:
        manifest = _manifest(archive, path, settings)
        if manifest.database == "postgresql":
            backup_postgres.refuse_a_full_database(settings.database_url)
        moved_to = _make_room(settings, force)
        _unpack(archive, settings, manifest, progress)
        board = Board(settings.data / "board")
        board.durable, board.clock_offset_us = manifest.durable, manifest.clock_offset_us
        board.close()
    unknown = await _settle(settings, manifest)
    return {"at": rfc3339(manifest.at), "unknown": unknown, "moved_to": str(moved_to) if moved_to else None}


async def _settle(settings: Settings, manifest: Manifest) -> int:
    """Route what the log still holds, then let nothing that is due go out a second time."""
    app = Installation(settings)
    try:
        while await app.pipeline.route_once():
            pass
        now = app.clock.now()

        def mark(connection: Connection) -> int:
            left = deliveries.in_state(connection, State.SENDING)
            left += [each for each in deliveries.in_state(connection, State.SCHEDULED) if each.due_at <= now]
            error = f"Restored from a backup of {shown(manifest.at)}; may have been sent since."
            for delivery in left:
                unknown = move(delivery, State.UNKNOWN, sent_at=delivery.due_at, error=error)
                deliveries.change(connection, unknown, was=delivery.state)
                remind.plan(connection, unknown, directory=app.directory, now=now)
            touches.mark(connection, [(TouchState.MADE, each.due_at, each.workspace, each.id) for each in left])
            for each in left:
                funnel.handed_over(connection, each, each.due_at)
            return len(left)

        unknown = await app.store.write(mark)
        app.publish_keys()
        return unknown
    finally:
        await app.close()


@contextmanager
def _nobody_else(data: Path) -> Iterator[None]:
    """Hold every lock of the folder for the time of the change."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as stack:
            for name in LOCKS:
                lock = stack.enter_context((data / name).open("ab"))
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise HeardError(f"Heard runs on {data}. Stop it before you restore a backup.") from None
            yield
    except OSError as problem:
        raise HeardError(f"The data folder {data} cannot be written: {problem.strerror or problem}.") from None


@contextmanager
def _archive(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, mode="r:gz") as archive:
            yield archive
    except (tarfile.TarError, EOFError, zlib.error) as problem:
        raise HeardError(f"{path} is not a whole backup of Heard: {problem}.") from None
    except FileNotFoundError:
        raise HeardError(f"There is no file {path}.") from None


def _manifest(archive: tarfile.TarFile, path: Path, settings: Settings) -> Manifest:
    try:
        content = archive.extractfile("manifest.json")  # reads all of the archive: it is whole, or nothing is touched
        manifest = msgspec.json.decode(content.read() if content else b"", type=Manifest)
    except (KeyError, msgspec.MsgspecError):
        raise HeardError(f"{path} is not a backup of Heard.") from None
    if manifest.format != FORMAT or manifest.schema not in schema.ORDER:
        raise HeardError(
            f"This backup was made by a newer Heard ({manifest.heard}). Install that version to restore it."
        )
    if manifest.database != database_kind(settings.database_url):
        raise HeardError(
            f"This backup is of a {manifest.database} database, and HEARD_DATABASE_URL names another kind."
        )
    return manifest


def _make_room(settings: Settings, force: bool) -> Path | None:
    """An empty folder; what was there is moved aside, not deleted."""
    there = [path for path in settings.data.iterdir() if not STAYS.fullmatch(path.name)]
    database = _sqlite_file(settings)
    if database is not None and database.parent != settings.data:
        there += [path for path in database.parent.glob(f"{database.name}*") if path.is_file()]
    if not there:
        return None
    if not force:
        raise HeardError(f"{settings.data} is not empty. Choose an empty folder, or --force to move its content aside.")
    aside = settings.data / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    aside.mkdir(mode=0o700)
    for path in there:
        shutil.move(path, aside / path.name)
    return aside


def _unpack(archive: tarfile.TarFile, settings: Settings, manifest: Manifest, progress: Progress) -> None:
    """Every file to its place, by its name; an archive never says where that is."""
    members = [member for member in archive.getmembers() if member.isfile() and NAMES.fullmatch(member.name)]
    done, total = 0, sum(member.size for member in members)
    tables: dict[str, IO[bytes]] = {}
    for member in members:
        content = archive.extractfile(member)
        if content is None:
            continue
        if member.name.startswith("database/"):
            tables[member.name.removeprefix("database/")] = content
        elif member.name != "manifest.json":
            _write(_place(settings, member.name), content)
        done += member.size
        progress("Restoring", done, total)
    if tables:
        backup_postgres.copy_in(settings.database_url, tables, schema=manifest.schema)


def _place(settings: Settings, name: str) -> Path:
    if name == "secret":
        return settings.secret_file
    if name == "heard.db":
        return _sqlite_file(settings) or settings.data / name
    return settings.data / name


def _write(path: Path, content: IO[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())


def _sqlite_file(settings: Settings) -> Path | None:
    return Path(settings.database_url.removeprefix(SQLITE)) if settings.database_url.startswith(SQLITE) else None
