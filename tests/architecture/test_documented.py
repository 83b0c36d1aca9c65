"""What people can hold on to is written down, and what is written down exists."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import HEARD, ROOT

REFERENCE = ROOT / "docs/reference"
DECISIONS = ROOT / "docs/decisions"


def built(module: str) -> None:
    """Skip while `module` of Heard does not exist; once it does, a missing page is a failure."""
    if not (HEARD / module.removeprefix("heard.").replace(".", "/")).with_suffix(".py").exists():
        pytest.skip(f"{module} is not built yet")


def rows(page: str) -> set[str]:
    """What the tables of a page are about: the first cell of each row, where it is `code`."""
    return set(re.findall(r"^\| *`([^`]+)`", page, re.MULTILINE))


def differences(exist: Iterable[str], written: Iterable[str]) -> list[str]:
    exist, written = set(exist), set(written)
    return [f"{name} is not documented" for name in sorted(exist - written)] + [
        f"{name} is documented but does not exist" for name in sorted(written - exist)
    ]


def commands(command: Any, path: tuple[str, ...] = ()) -> list[str]:
    """`heard score`, `heard users add`, ...: every command that does something, with its group's name before it."""
    if not hasattr(command, "commands"):
        return [" ".join(("heard", *path))]
    below = ((word, each) for word, each in command.commands.items() if not getattr(each, "hidden", False))
    return [name for word, each in below for name in commands(each, (*path, word))]


def test_every_reason_has_its_row_in_why_not():
    built("heard.deliveries.reasons")
    from heard.deliveries.reasons import Reason

    page = (REFERENCE / "why-not.md").read_text(encoding="utf-8")

    assert differences((str(reason.value) for reason in Reason), rows(page)) == []


def test_every_setting_has_its_row():
    built("heard.config")
    exist = set(re.findall(r"\bHEARD_[A-Z]+(?:_[A-Z]+)*\b(?!\*)", (HEARD / "config.py").read_text(encoding="utf-8")))
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")

    assert "HEARD_DATA" in exist
    assert differences(exist - {"HEARD_PORT", "HEARD_SERVICE"}, rows(page)) == []


def test_every_command_is_documented():
    built("heard.cli.main")
    import typer.main

    from heard.cli import main  # pyright: ignore[reportAttributeAccessIssue]

    page = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^## `(heard [a-z -]+?)`", page, re.MULTILINE))

    assert differences(commands(typer.main.get_command(main.app)), written) == []


def test_every_runtime_dependency_has_its_reason():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    packages = {re.split(r"[^a-z0-9-]", line)[0] for line in project["dependencies"]}
    (decision,) = DECISIONS.glob("0004-*.md")

    assert differences(packages, rows(decision.read_text(encoding="utf-8"))) == []


def test_every_decision_names_what_enforces_it():
    decisions = sorted(DECISIONS.glob("[0-9]*.md"))

    assert decisions
    assert [path.name for path in decisions if "\n## Enforced by\n" not in path.read_text(encoding="utf-8")] == []


def test_every_link_between_documents_leads_somewhere():
    documents = (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))

    assert [
        f"{path.relative_to(ROOT)}: {link}"
        for path in documents
        for link in links(path.read_text(encoding="utf-8"))
        if not leads_somewhere(path, link)
    ] == []


def links(page: str) -> list[str]:
    """Every link to a file of ours: no scheme, no bare #fragment."""
    found = re.findall(r"\]\(([^)\s]+)\)", page) + re.findall(r'(?:src|srcset|href)="([^"]+)"', page)
    return [link for link in found if not re.match(r"[a-z]+:|#", link)]


def leads_somewhere(page: Path, link: str) -> bool:
    return (page.parent / link.split("#")[0]).exists()


def test_a_missing_and_a_stale_row_are_found():
    assert differences(["too_new", "bounced"], ["bounced", "too_old"]) == [
        "too_new is not documented",
        "too_old is documented but does not exist",
    ]


def test_rows_are_the_first_cells_that_are_code():
    assert rows("| `bounced` | see `other` |\n|---|---|\n| word | `no` |\nText `not` | this\n") == {"bounced"}


def test_commands_of_groups_are_found_with_their_group():
    class Group:
        def __init__(self, **commands: object) -> None:
            self.commands = commands

    assert commands(Group(why=object(), keys=Group(new=object()))) == ["heard why", "heard keys new"]


def test_a_dead_link_is_found(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("[here](page.md#top) [there](gone.md) [out](https://example.com) [down](#below)")

    assert [link for link in links(page.read_text()) if not leads_somewhere(page, link)] == ["gone.md"]
