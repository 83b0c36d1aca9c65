"""Libraries that pages load are committed, and are what their authors published, byte for byte."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.vendor import LIBRARY, PAGES, PUBLISHED, VENDORED
from tests.architecture.tree import ROOT
from tests.conftest import absent

NOT_OURS_TO_SERVE = {"legacyVideos", "407"}  # the video plugins, see scripts/vendor.py


@pytest.mark.parametrize("ours", sorted(VENDORED), ids=lambda path: path.name)
def test_what_we_serve_is_what_was_published(ours: Path):
    if not PUBLISHED.exists():
        absent("the npm packages of tests/browser are not installed: `make test` installs them")

    assert ours.read_bytes() == VENDORED[ours].read_bytes(), "run python -m scripts.vendor"


def test_every_vendored_file_is_compared():
    assert {path for room in (PAGES, LIBRARY) for path in room.iterdir()} == set(VENDORED)


def test_every_library_brings_its_licence():
    scripts = [path for path in VENDORED if path.suffix == ".js"]

    assert [path for path in scripts if not any(licence.exists() for licence in licences(path))] == []
    assert (LIBRARY / "LICENSE").read_text(encoding="utf-8").startswith("The MIT License (MIT)")


def test_every_part_that_the_browser_library_may_ask_for_is_there():
    library = (LIBRARY / "standalone.js").read_text(encoding="utf-8")
    hashes = dict(re.findall(r'\b(\d+):"([0-9a-f]{20})"', library))
    names = {number: name for number, name in re.findall(r'\b(\d+):"([A-Za-z-]+)"', library) if number in hashes}
    wanted = {names.get(number, number): hashed for number, hashed in hashes.items()}

    assert len(wanted) > len(NOT_OURS_TO_SERVE)
    assert {f"{name}.bundle.{hashed}.js" for name, hashed in wanted.items() if name not in NOT_OURS_TO_SERVE} == {
        path.name for path in LIBRARY.glob("*.bundle.*.js")
    }


def test_the_vendored_library_is_the_version_that_the_tests_drive():
    pinned = (ROOT / "tests/browser/package.json").read_text(encoding="utf-8")
    (version,) = re.findall(r'"@segment/analytics-next": "([\d.]+)"', pinned)

    assert f'"{version}"' in (LIBRARY / "standalone.js").read_text(encoding="utf-8")


def licences(path: Path) -> tuple[Path, Path]:
    return path.parent / "LICENSE", path.parent / (path.name.split(".")[0] + ".LICENSE")
