"""The import order of pyproject.toml holds, and import-linter would say so if it did not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import NOUNS, ROOT

LINT = Path(sys.executable).with_name("lint-imports")


def lint(source: Path) -> tuple[int, str]:
    """Lint the package `heard` below `source` (the linter looks in the working folder first)."""
    run = subprocess.run(
        [LINT, "--no-cache", "--config", ROOT / "pyproject.toml"], cwd=source, capture_output=True, text=True
    )
    return run.returncode, run.stdout + run.stderr


def a_house(at: Path, **files: str) -> Path:
    """The smallest package the contracts accept, with one room per noun, and `files` by dotted name."""
    for name, content in {
        "": "",
        "errors": "",
        "collector.room": "",
        **{f"{noun}.room": "" for noun in NOUNS},
        **files,
    }.items():
        path = (at / "heard" / name.replace(".", "/")).with_suffix(".py") if name else at / "heard/__init__.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(content)
    return at


def test_every_room_imports_only_what_stands_below_it():
    code, said = lint(ROOT / "src")

    assert code == 0, said


def test_a_house_in_order_passes(tmp_path: Path):
    house = a_house(tmp_path, **{"scores.nps": "import heard.responses.room", "cli.score": "import heard.scores.nps"})

    assert lint(house)[0] == 0


@pytest.mark.parametrize(
    ("room", "line", "complaint"),
    [
        ("accounts.planted", "import heard.scores.room", "heard.accounts.planted -> heard.scores.room"),
        ("scores.planted", "import sqlalchemy", "heard.scores.planted -> sqlalchemy"),
        ("contacts.planted", "import time", "heard.contacts.planted -> time"),
        ("collector.planted", "import litestar", "heard.collector.planted -> litestar"),
        ("channels.planted", "import httpx", "heard.channels.planted -> httpx"),
        ("services.planted", "", "heard.services"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, room: str, line: str, complaint: str):
    code, said = lint(a_house(tmp_path, **{room: line}))

    assert code != 0
    assert complaint in said


def test_impurity_is_found_through_another_module(tmp_path: Path):
    house = a_house(tmp_path, **{"ids": "import secrets", "deliveries.planted": "import heard.ids"})

    assert "heard.deliveries.planted -> heard.ids" in lint(house)[1]
