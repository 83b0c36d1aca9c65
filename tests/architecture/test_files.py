"""Files are small and named after the product, not after a pattern."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.tree import HEARD, ROOT, python_files

LONGEST = 400
# A file above LONGEST lines needs its reason here; an entry that is no longer needed has to go.
LONG_FOR_A_REASON: dict[str, str] = {}

NAMES_THAT_SAY_NOTHING = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "manager",
    "service",
    "services",
    "base",
    "misc",
}


def too_long(lines: dict[str, int], reasons: dict[str, str]) -> list[str]:
    """Complaints about `lines` (file name to number of lines)."""
    unexplained = [
        f"{name} has {count} lines: divide it by what its parts are for, or give the reason"
        for name, count in lines.items()
        if count > LONGEST and name not in reasons
    ]
    needless = [f"{name} is allowed to be long but is not" for name in reasons if lines.get(name, 0) <= LONGEST]
    return unexplained + needless


def says_nothing(path: Path) -> bool:
    return any(part in NAMES_THAT_SAY_NOTHING for part in path.with_suffix("").parts)


def test_no_file_is_long_without_a_reason():
    rooms = (ROOT / name for name in ("src", "tests", "benchmarks", "scripts"))
    lines = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n")
        for path in python_files(*rooms)
        if "node_modules" not in path.parts
    }

    assert too_long(lines, LONG_FOR_A_REASON) == []


def test_every_module_is_named_after_what_it_does():
    assert [str(path) for path in python_files(HEARD) if says_nothing(path.relative_to(HEARD))] == []


def test_a_long_file_is_found():
    assert len(too_long({"a.py": LONGEST + 1, "b.py": LONGEST}, {})) == 1


def test_a_long_file_with_a_reason_passes_until_it_shrinks():
    reasons = {"a.py": "one table"}

    assert too_long({"a.py": LONGEST + 1}, reasons) == []
    assert too_long({"a.py": LONGEST}, reasons) == ["a.py is allowed to be long but is not"]


@pytest.mark.parametrize("name", ["web/utils.py", "store/base.py", "common/__init__.py", "service.py"])
def test_a_name_that_says_nothing_is_found(name: str):
    assert says_nothing(Path(name))


@pytest.mark.parametrize("name", ["deliveries/ledger.py", "database.py", "basement/door.py"])
def test_a_name_of_the_product_passes(name: str):
    assert not says_nothing(Path(name))
