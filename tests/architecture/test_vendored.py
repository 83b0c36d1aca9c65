"""Libraries that pages load are committed, and are what their authors published, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT, absent

PUBLISHED = ROOT / "tests/browser/node_modules"
VENDORED = ROOT / "src/heard/web/static/vendor"
FILES = {"htmx.min.js": "htmx.org/dist/htmx.min.js", "htmx.LICENSE": "htmx.org/LICENSE"}


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_we_serve_is_what_was_published(name: str):
    published = PUBLISHED / FILES[name]
    if not published.exists():
        absent("the npm packages of tests/browser are not installed: `make test` installs them")

    assert (VENDORED / name).read_bytes() == published.read_bytes()


def test_every_vendored_file_is_compared():
    assert {path.name for path in VENDORED.iterdir()} == set(FILES)


def test_every_library_brings_its_licence():
    assert [name for name in FILES if name.endswith(".js") and not (VENDORED / _licence(name)).exists()] == []


def _licence(name: str) -> Path:
    return Path(name.split(".")[0] + ".LICENSE")
