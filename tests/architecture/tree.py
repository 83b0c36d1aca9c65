"""The source tree as the house rules see it. A rule turns text into complaints, so that it can be tested itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEARD = ROOT / "src/heard"
NOUNS = (
    "accounts",
    "messages",
    "sources",
    "fql",
    "schema",
    "routing",
    "contacts",
    "audiences",
    "surveys",
    "campaigns",
    "deliveries",
    "responses",
    "scores",
)


def python_files(*rooms: Path) -> Iterator[Path]:
    for room in rooms:
        yield from sorted(room.rglob("*.py"))


def noun_files() -> Iterator[Path]:
    return python_files(*(HEARD / noun for noun in NOUNS))


def complaints(rule: Callable[[str], list[str]], files: Iterator[Path]) -> list[str]:
    """What `rule` says about each file, with the file's name before it: an empty list is what a test wants to see."""
    return [
        f"{path.relative_to(ROOT)}: {complaint}"
        for path in files
        for complaint in rule(path.read_text(encoding="utf-8"))
    ]
