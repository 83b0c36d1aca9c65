"""A backup: everything of one data folder in one `.tar.gz`, consistent while Heard runs.

    manifest.json      what it is: format, version, schema, when, the log's offsets, the test clock
    heard.db           SQLite's own consistent copy; or database/<table> for PostgreSQL, of one snapshot
    log/*.seg          what was accepted and not routed yet, so that no acknowledged message is missing
    outbox/*.eml       mails that went to the outbox
    keys.json secret   what the collector knows, and what signs links

The archive holds personal data and the secret: it is made for its owner's eyes only.
"""

from __future__ import annotations

import io
import os
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Event, Thread
from typing import Any

import msgspec

from heard.board import Board
from heard.config import Settings
from heard.errors import HeardError
from heard.log.files import segments

FORMAT = 1
SQLITE = "sqlite:///"
Progress = Callable[[str, int, int], None]
"""Called with what is being done, the bytes that are done, and all of them."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    heard: str
    schema: str
    at: datetime
    database: str  # sqlite | postgresql
    routed: int  # the router's offset in the copy of the database
    durable: int  # how far the log's files in the archive go
    clock_offset_us: int


def backup(settings: Settings, path: Path, *, progress: Progress = lambda *_: None) -> Path:
    """Write a backup to `path`, or into it when it is a folder; gives the file's path.

    Raises:
        HeardError: there is nothing to back up, the file exists, or cannot be written.
    """
    if path.is_dir():
        path = path / f"heard-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz"
    if path.exists():
        raise HeardError(f"{path} exists already; choose another name.")
    if not (settings.data / "board").exists():
        raise HeardError(f"There is no Heard in {settings.data}.")
    draft = path.with_name(f".{path.name}.partial")
    try:
        _write(settings, draft, progress)
        draft.replace(path)
    except OSError as problem:
        raise HeardError(f"The backup cannot be written to {path}: {problem.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
    return path


def _write(settings: Settings, draft: Path, progress: Progress) -> None:
    held = _Held(settings.data / "log")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with (
        closing(held),
        os.fdopen(descriptor, "wb") as file,
        tempfile.TemporaryDirectory(dir=draft.parent, prefix=".heard-backup-") as folder,
    ):
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=3) as archive:
            manifest = _database(settings, archive, Path(folder), progress)
            board = Board(settings.data / "board")
            manifest = msgspec.structs.replace(manifest, durable=board.durable, clock_offset_us=board.clock_offset_us)
            board.close()
            held.look()  # files that began while the database was copied
            for name, content in held.from_(manifest.routed, manifest.durable):
                _add(archive, f"log/{name}", content)
            for file_path in _small_files(settings):
                with suppress(FileNotFoundError):
                    _add(archive, _name(settings, file_path), file_path.read_bytes())
            _add(archive, "manifest.json", msgspec.json.format(msgspec.json.encode(manifest)))
        file.flush()
        os.fsync(file.fileno())


class _Held:
    """The log's files, held open: one that is dropped while the database is copied may still be needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[int, int] = {}  # base -> descriptor
        self.look()

    def look(self) -> None:
        for base, path in segments(self._folder) if self._folder.is_dir() else []:
            if base not in self._files:
                with suppress(FileNotFoundError):
                    self._files[base] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def from_(self, offset: int, durable: int) -> Iterator[tuple[str, bytes]]:
        """What reaches past `offset`, up to `durable`; the last file in any case, since it says where the log ends."""
        bases = sorted(base for base in self._files if base <= durable)
        for base, end in zip(bases, [*bases, durable][1:], strict=True):
            if end > offset or end == durable:
                yield f"{base:020d}.seg", os.pread(self._files[base], end - base, 0)

    def close(self) -> None:
        for descriptor in self._files.values():
            os.close(descriptor)


# ── the database ──


def _database(settings: Settings, archive: tarfile.TarFile, folder: Path, progress: Progress) -> Manifest:
    """Copy the database; gives the manifest as far as the copy knows it."""
    made = {"format": FORMAT, "heard": version("heard"), "at": datetime.now(UTC), "durable": 0, "clock_offset_us": 0}
    if not settings.database_url.startswith(SQLITE):
        from heard.store.backup_postgres import copy_out

        schema, routed = copy_out(settings.database_url, archive, folder, progress)
        return Manifest(**made, database="postgresql", schema=schema, routed=routed)
    copy = folder / "heard.db"
    with closing(sqlite3.connect(Path(settings.database_url.removeprefix(SQLITE)), timeout=30)) as connection:
        _vacuum_into(connection, copy, progress)
    with closing(sqlite3.connect(copy)) as connection:
        schema = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        routed = connection.execute("SELECT value FROM cursors WHERE name = 'router'").fetchone()
    size = copy.stat().st_size
    progress("Packing the database", 0, size)
    with copy.open("rb") as content:
        archive.addfile(
            _entry("heard.db", size), _Told(content, lambda done: progress("Packing the database", done, size))
        )
    return Manifest(**made, database="sqlite", schema=schema, routed=routed[0] if routed else 0)


def _vacuum_into(connection: sqlite3.Connection, copy: Path, progress: Progress) -> None:
    """SQLite's own copy: one snapshot, without the free pages in which forgotten things might linger."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    done, total = Event(), (pages - free) * size

    def watch() -> None:
        while not done.wait(0.1):
            with suppress(FileNotFoundError):
                progress("Copying the database", min(copy.stat().st_size, total), total)

    watching = Thread(target=watch, daemon=True)
    watching.start()
    try:
        connection.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as problem:
        raise HeardError(f"The database cannot be copied: {problem}.") from None
    finally:
        done.set()
        watching.join()


# ── the files ──


def _small_files(settings: Settings) -> list[Path]:
    outbox = settings.data / "outbox"
    return [
        settings.data / "keys.json",
        settings.secret_file,
        *(sorted(outbox.glob("*.eml")) if outbox.is_dir() else ()),
    ]


def _name(settings: Settings, path: Path) -> str:
    if path == settings.secret_file:
        return "secret"
    return f"outbox/{path.name}" if path.suffix == ".eml" else path.name


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_entry(name, len(content)), io.BytesIO(content))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(time.time())
    return entry


class _Told(io.RawIOBase):
    """A file that says how far it was read."""

    def __init__(self, file: Any, tell: Callable[[int], None]) -> None:
        super().__init__()
        self._file, self._tell_progress, self._done = file, tell, 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._done += len(data)
        self._tell_progress(self._done)
        return data


def database_kind(url: str) -> str:
    """`sqlite` or `postgresql`."""
    return "sqlite" if url.startswith(SQLITE) else "postgresql"
