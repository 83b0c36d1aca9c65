"""The documents as a site: it builds without a warning, every page is reached, and nothing comes from another host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from scripts import docs_site
from tests.architecture.test_hosts import foreign_loads
from tests.architecture.tree import ROOT

MKDOCS = Path(sys.executable).with_name("mkdocs")
ORDER = ["Start", "Tutorial", "How-to", "Reference", "Explanation", "Decisions", "Project"]


def build(into: Path, config: Path = ROOT / "mkdocs.yml") -> subprocess.CompletedProcess[str]:
    """Not with --quiet: it makes MkDocs overlook the warnings that --strict is about."""
    return subprocess.run(
        [MKDOCS, "build", "--strict", "--config-file", config, "--site-dir", into],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def navigation() -> dict[str, object]:
    written = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    (line,) = re.findall(r"^nav:\n(?:[ -].*\n)+", written, re.MULTILINE)
    return {title: pages for entry in yaml.safe_load(line)["nav"] for title, pages in entry.items()}


def files(folder: Path, *suffixes: str) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix in suffixes)


def test_the_site_loads_nothing_from_a_foreign_host(site: Path):
    found = [
        f"{path.relative_to(site)}: {complaint}"
        for path in files(site, ".html", ".css", ".svg")
        for complaint in foreign_loads(path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_no_page_has_what_makes_the_theme_fetch_something(site: Path):
    """Material asks a CDN for these, and GitHub for the numbers of a repository, only where a page has them."""
    diagrams = re.compile(r'class="[^"]*\bmermaid\b|data-md-component="source"|fonts\.g')

    assert [str(path) for path in files(site, ".html") if diagrams.search(path.read_text(encoding="utf-8"))] == []


def test_the_sections_stand_in_their_order():
    assert [title for title in ORDER if title in navigation()] == list(navigation())


def test_the_index_of_the_repository_is_the_first_page_of_the_site(site: Path):
    first = (site / "index.html").read_text(encoding="utf-8")

    assert "<title>Heard</title>" in first or "Heard, documented" in first
    assert 'href="explanation/intervals/"' in first


def test_every_document_is_a_page_of_the_site(site: Path):
    written = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    pages = {page.parent.relative_to(site) for page in site.rglob("index.html")}

    assert {str(each) for each in written if each.name != "README.md" and each.with_suffix("") not in pages} == set()


def test_search_finds_words_of_the_documents(site: Path):
    index = (site / "search/search_index.json").read_text(encoding="utf-8")

    assert "workspace_quiet_period" in index


def test_a_dead_link_stops_the_build(tmp_path: Path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/README.md").write_text("# Here\n\n[gone](nothing.md)\n")
    config = tmp_path / "mkdocs.yml"
    config.write_text("site_name: Heard\nstrict: true\ntheme: {name: material, font: false}\n")

    built = build(tmp_path / "site", config)

    assert built.returncode == 1
    assert "nothing.md" in built.stdout + built.stderr


@pytest.mark.parametrize(
    ("page", "link", "becomes"),
    [
        ("README.md", "[a](../ARCHITECTURE.md#the-tree)", "[a](project/architecture.md#the-tree)"),
        ("explanation/intervals.md", "[a](../../benchmarks/README.md)", "[a](../project/benchmarks.md)"),
        ("project/architecture.md", "[a](docs/reference/why-not.md)", "[a](../reference/why-not.md)"),
        ("project/architecture.md", "![a](docs/life-of-a-message.svg)", "![a](../life-of-a-message.svg)"),
        ("project/readme.md", "[the licence](LICENSE)", "the licence"),
        ("README.md", "[a](https://heard.example) [b](#here)", "[a](https://heard.example) [b](#here)"),
        ("README.md", "[a](gone.md)", "[a](gone.md)"),
    ],
)
def test_a_link_written_for_the_repository_works_in_the_site(page: str, link: str, becomes: str):
    class Page:
        class file:  # noqa: N801  (as MkDocs names it)
            src_uri = page

    assert docs_site.on_page_markdown(link, page=Page) == becomes
