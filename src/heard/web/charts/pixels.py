"""`python -m heard.web.charts.pixels`: a drawing on standard input becomes a PNG on standard output."""

from __future__ import annotations

import sys
from pathlib import Path

import resvg_py

from heard.web.charts.picture import STYLE

FONTS = Path(__file__).parent.parent / "static" / "fonts"
SHARPER = 2  # pixels for each px, as good screens have them
LETTERS = 0x0530  # ours are Latin, Greek and Cyrillic; for others those of the machine are asked
SIGNS = range(0x2000, 0x2300)


def pixels(drawing: str) -> bytes:
    """The PNG of an SVG."""
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=drawing,
            style_sheet=STYLE,
            zoom=SHARPER,
            skip_system_fonts=all(ord(letter) < LETTERS or ord(letter) in SIGNS for letter in drawing),
            font_files=[str(path) for path in sorted(FONTS.glob("*.ttf"))],
            font_family="Inter",
            sans_serif_family="Inter",
        )
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(pixels(sys.stdin.buffer.read().decode()))
