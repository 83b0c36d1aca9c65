"""Copies what others published into the tree, byte for byte: `python -m scripts.vendor`, after `scripts/setup-tests`.

The versions are those that tests/browser/package-lock.json pins; tests/architecture/test_vendored.py compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "tests/browser/node_modules"
PAGES = ROOT / "src/heard/web/static/vendor"
LIBRARY = ROOT / "src/heard/collector/library"

NEXT = "@segment/analytics-next"
# All parts of the browser library but its video plugins (legacyVideos, 407): those ask Vimeo and Google, and no
# settings of ours call for them.
PARTS = (
    "standalone.js",
    "ajs-destination.bundle.40628baed746e9904edc.js",
    "auto-track.bundle.f131ce01a05e3a33a8c1.js",
    "queryString.bundle.34b193ada8fe288d1bd1.js",
    "remoteMiddleware.bundle.063bbf80c88cda449d9c.js",
    "schemaFilter.bundle.a6a77355d52c20e3a83d.js",
    "tsub-middleware.bundle.89bf07058b3d3b126984.js",
)

VENDORED: Mapping[Path, Path] = {
    PAGES / "htmx.min.js": PUBLISHED / "htmx.org/dist/htmx.min.js",
    PAGES / "htmx.LICENSE": PUBLISHED / "htmx.org/LICENSE",
    LIBRARY / "LICENSE": PUBLISHED / NEXT / "LICENSE.MD",
    **{LIBRARY / name: PUBLISHED / NEXT / "dist/umd" / name for name in PARTS},
}
"""Where each file stands, and where npm has put it."""


def main() -> None:
    for ours, published in VENDORED.items():
        ours.parent.mkdir(parents=True, exist_ok=True)
        ours.write_bytes(published.read_bytes())
        print(f"{ours.relative_to(ROOT)}  {ours.stat().st_size} bytes")


if __name__ == "__main__":
    main()
