"""What people can hold on to is written down, and what is written down exists."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from scripts import docs
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


def test_every_reason_has_its_row_in_why_not():
    built("heard.deliveries.reasons")
    from heard.deliveries.reasons import Reason

    page = (REFERENCE / "why-not.md").read_text(encoding="utf-8")

    assert differences((str(reason.value) for reason in Reason), rows(page)) == []


def test_every_reason_of_routing_has_its_row_in_the_order_of_the_questions():
    from heard.routing.reasons import Reason

    page = (REFERENCE / "routing.md").read_text(encoding="utf-8")
    written = re.findall(r"^\| `(\w+)` \|", page.split("## The integrations object")[0], re.MULTILINE)

    assert written == [reason.value for reason in Reason]


def test_every_setting_has_its_row():
    from heard.config import SETTINGS

    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")

    assert differences((setting.name for setting in SETTINGS), rows(page)) == []


def test_every_setting_that_is_read_is_declared():
    from heard.config import INJECTED, SETTINGS

    named = set(re.findall(r'"(HEARD_[A-Z_]*[A-Z])"', (HEARD / "config.py").read_text(encoding="utf-8")))

    assert named - {setting.name for setting in SETTINGS} - set(INJECTED) == set()


def test_every_command_is_documented():
    built("heard.cli.main")
    import typer.main

    from heard.cli.main import app  # pyright: ignore

    page = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    written = re.findall(r"^## `(heard [a-z -]+?)`", page, re.MULTILINE)

    assert differences((path for path, _ in docs.leaves(typer.main.get_command(app), "heard")), written) == []


def test_pages_made_from_the_code_are_as_the_code_is():
    stale = [name for name, page in docs.pages().items() if (REFERENCE / name).read_text(encoding="utf-8") != page()]

    assert stale == [], "run `make docs` and commit what it writes"


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


def test_every_page_is_in_the_index():
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    index = ROOT / "docs/README.md"
    listed = {link.split("#")[0] for link in links(index.read_text(encoding="utf-8"))}
    decisions = {f"decisions/{link}" for link in links((DECISIONS / "README.md").read_text(encoding="utf-8"))}

    assert pages - listed - decisions == {"README.md"}


def links(page: str) -> list[str]:
    """Every link to a file of ours: no scheme, no bare #fragment."""
    found = re.findall(r"\]\(([^)\s]+)\)", page) + re.findall(r'(?:src|srcset|href)="([^"]+)"', page)
    return [link for link in found if not re.match(r"[a-z]+:|#", link)]


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, heading = link.partition("#")
    there = page.parent / name
    return there.exists() and (not heading or heading in headings(there.read_text(encoding="utf-8")))


def headings(page: str) -> set[str]:
    """What a link may say after its #: each heading in small letters, words joined by dashes."""
    found = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_a_missing_and_a_stale_row_are_found():
    assert differences(["too_new", "bounced"], ["bounced", "too_old"]) == [
        "too_new is not documented",
        "too_old is documented but does not exist",
    ]


def test_rows_are_the_first_cells_that_are_code():
    assert rows("| `bounced` | see `other` |\n|---|---|\n| word | `no` |\nText `not` | this\n") == {"bounced"}


def test_commands_of_groups_are_found_with_their_group_and_hidden_ones_left_out():
    class Command:
        def __init__(self, hidden: bool = False, **commands: object) -> None:
            self.hidden = hidden
            if commands:
                self.commands = commands

    tree = Command(why=Command(), keys=Command(new=Command()), child=Command(hidden=True))

    assert [path for path, _ in docs.leaves(tree, "heard")] == ["heard why", "heard keys new"]


def test_a_dead_link_is_found(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(
        "# The top\n[a](page.md#the-top) [b](page.md#low) [c](gone.md) [d](https://example.com) [e](#below)"
    )

    assert [link for link in links(page.read_text()) if not leads_somewhere(page, link)] == ["page.md#low", "gone.md"]
