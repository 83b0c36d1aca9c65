"""Where a page names a test, the test exists: a promise is held by something that runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

WHAT_SEGMENT_DID = ROOT / "docs/explanation/what-segment-did.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def missing(page: str, root: Path = ROOT) -> list[str]:
    """What a page names and nobody wrote."""
    gone: list[str] = []
    for path, name in NAMED.findall(page):
        file = root / path
        if not file.exists():
            gone.append(f"{path} is no file")
        elif not re.search(rf"^\s*(?:async )?def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE):
            gone.append(f"{path} has no {name}")
    return gone


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/**/*.md")), ids=lambda page: page.stem)
def test_every_test_that_a_page_names_exists(page: Path):
    assert missing(page.read_text(encoding="utf-8")) == []


def test_every_statement_of_segments_is_held_by_a_test():
    rows = [line for line in WHAT_SEGMENT_DID.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    statements = [row for row in rows if not row.startswith("| they said")]

    assert len(statements) > 25
    assert [row for row in statements if not NAMED.search(row.rpartition(" | ")[2])] == []


def test_a_test_that_is_gone_is_missed(tmp_path: Path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_text("def test_here():\n    ...\n")
    page = "`tests/test_a.py::test_here` `tests/test_a.py::test_her` `tests/test_b.py::test_here`"

    assert missing(page, tmp_path) == ["tests/test_a.py has no test_her", "tests/test_b.py is no file"]
