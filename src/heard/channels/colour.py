"""A brand colour that somebody chose, made fit to read: text on it, and edges in it, keep their contrast.

Contrast is WCAG 2's: the ratio of relative luminances, 1 to 21. Text wants 4.5, edges and marks want 3.
"""

from __future__ import annotations

from functools import lru_cache

from heard.accounts.workspace import colour

WHITE = "#ffffff"
INK = "#1d1c19"
BLACK = "#000000"  # white or black has at least 4.58 on every colour there is
PAPER = WHITE  # --surface, in the light
NIGHT = "#1b1b19"  # --surface, in the dark
TEXT = 4.5
EDGE = 3.0
LINE = 4.5  # for a thin drawing on dark, where 3 is seen but looks broken


def on_colour(color: str) -> str:
    """White or ink, whichever is easier to read on the colour; black on the few reds and greys where neither will do.

    Raises:
        Invalid: not `#rrggbb`.
    """
    color = colour(color)
    best = max((WHITE, INK), key=lambda text: contrast(color, text))
    return best if contrast(color, best) >= TEXT else BLACK


@lru_cache(256)
def edge(color: str, surface: str, *, ratio: float = EDGE) -> str:
    """The nearest shade of the colour that shows on the surface: itself where it already does."""
    color = colour(color)
    towards = INK if contrast(surface, INK) > contrast(surface, WHITE) else WHITE
    shades = (_mix(color, towards, share / 20) for share in range(21))
    return next(shade for shade in shades if contrast(shade, surface) >= ratio)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _mix(color: str, other: str, share: float) -> str:
    mixed = (round(a + (b - a) * share) for a, b in zip(_parts(color), _parts(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
