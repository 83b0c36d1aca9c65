"""What MkDocs does not know of this repository, as its hooks.

The documents are read in two places, in the repository and as a site. Some stand beside docs/ (ARCHITECTURE.md, the
benchmarks): the site gets a copy of each, and a link to one of them, written for the repository, is led to the copy. A
link to a file that is no page becomes plain text.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
BESIDE = {
    "ARCHITECTURE.md": "project/architecture.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "README.md": "project/readme.md",
    "SECURITY.md": "project/security.md",
    "STYLE.md": "project/style.md",
    "benchmarks/README.md": "project/benchmarks.md",
}
"""Pages that stand outside docs/, and where the site has them."""
TOKENS = "src/heard/web/static/tokens.css"
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def on_config(config: Any) -> Any:
    """List every decision after the page about them, so that a new one needs no entry."""
    for entry in config.nav or ():
        if "Decisions" in entry:
            numbered = sorted((Path(config.docs_dir) / "decisions").glob("[0-9]*.md"))
            entry["Decisions"] += [f"decisions/{path.name}" for path in numbered]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from beside docs/, and the colours of the product."""
    for original, page in BESIDE.items():
        files.append(File.generated(config, page, content=(ROOT / original).read_text(encoding="utf-8")))
    files.append(File.generated(config, "stylesheets/tokens.css", content=(ROOT / TOKENS).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page with its links as the site needs them."""
    here = page.file.src_uri
    original = next((name for name, copy in BESIDE.items() if copy == here), f"docs/{here}")
    return LINK.sub(lambda found: mended(found, original=original, here=here), markdown)


def mended(found: re.Match[str], *, original: str, here: str) -> str:
    """One link of the page that stands at `original` in the repository and at `here` in the site."""
    image, text, link = found.groups()
    if re.match(r"[a-z]+:|#", link):
        return found[0]
    name, hash_, heading = link.partition("#")
    meant = posixpath.normpath(posixpath.join(posixpath.dirname(original), name))
    page = BESIDE.get(meant) or (meant.removeprefix("docs/") if meant.startswith("docs/") else None)
    if page is None:
        if not (ROOT / meant).exists():
            return found[0]  # the build complains about it, with its place
        return text
    near = os.path.relpath(page, posixpath.dirname(here) or ".")
    return f"{image}[{text}]({near}{hash_}{heading})"
