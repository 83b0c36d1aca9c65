"""A whole picture: charts at fixed places with colours and letters of their own, for the world outside the page."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE

from markupsafe import Markup

from heard.errors import HeardError
from heard.web.charts.marks import mark

WIDTH, EDGE = 1200, 40
LONGEST = 30.0  # seconds
_one_at_a_time = asyncio.Semaphore(1)

STYLE = """
svg { overflow: visible }
text { font-family: Inter; font-size: 12px; fill: #6a665d }
.title { font-size: 26px; font-weight: 600; fill: #1d1c19 }
.head { font-size: 15px; font-weight: 600; fill: #1d1c19 }
.big { font-size: 64px; font-weight: 600; fill: #1d1c19 }
.said { font-size: 14px; fill: #4d4a43 }
.strong { font-size: 14px; font-weight: 600; fill: #1d1c19 }
.cell { font-size: 14px; fill: #1d1c19 }
.dim { fill: #6a665d }
.page { fill: #f8f7f4 }
.card { fill: #ffffff; stroke: #e6e3dc }
.rule { stroke: #e6e3dc }
.now { fill: #1d1c19; font-weight: 600 }
.t-ink { fill: #4d4a43 }
.t-strong { fill: #1d1c19; font-weight: 600 }
.c-axis { stroke: #cfcac0 }
.c-axis0, .c-zero { stroke: #8a8479 }
.c-grid { stroke: #e6e3dc }
.c-track, .f-track { fill: #f2f0eb; stroke: #e6e3dc }
.c-range { fill: #0c6453; fill-opacity: .34 }
.c-dot { stroke: #0c6453; stroke-width: 4; stroke-linecap: round }
.c-range-prev { stroke: #6a665d; stroke-dasharray: 3 3 }
.c-dot-prev { fill: #ffffff; stroke: #6a665d; stroke-width: 1.5 }
.c-line { fill: none; stroke: #0c6453; stroke-width: 2; stroke-linejoin: round }
.c-band { fill: #0c6453; fill-opacity: .14 }
.c-mean { stroke: #6a665d; stroke-dasharray: 2 4 }
.c-mark { stroke: #6a665d; stroke-dasharray: 3 3 }
.c-pt { fill: #0c6453; stroke: #ffffff; stroke-width: 2 }
.c-pt--low { fill: #ffffff; stroke: #0c6453; stroke-width: 1.5 }
.c-n { fill: #cfcac0 }
.c-hit { fill: none }
.c-det { fill: #c4520e }
.c-pas { fill: #8b857a }
.c-pro { fill: #2166b8 }
.c-hatch { stroke: #ffffff; stroke-width: 2; stroke-opacity: .55 }
.w-line, .w-cap { stroke: #0c6453; stroke-width: 2 }
.w-dot { fill: #0c6453; stroke: #ffffff; stroke-width: 1.5 }
.w-zero { stroke: #cfcac0 }
.w-all { stroke: #6a665d; stroke-dasharray: 2 3 }
.few .w-line, .few .w-cap { stroke: #8a8479; stroke-dasharray: 3 3; stroke-width: 1.5 }
.few .w-dot { fill: #ffffff; stroke: #8a8479 }
"""
HATCHED = mark(
    "pattern",
    mark("line", class_="c-hatch", x1=0, y1=0, x2=0, y2=6),
    id="hatch",
    width=6,
    height=6,
    patternUnits="userSpaceOnUse",
    patternTransform="rotate(45)",
)


def picture(*marks: Markup, height: float) -> str:
    """A drawing of its own, as wide as all are."""
    ground = mark("rect", class_="page", width=WIDTH, height=height)
    return mark(
        "svg",
        mark("defs", HATCHED),
        ground,
        *marks,
        xmlns="http://www.w3.org/2000/svg",
        width=WIDTH,
        height=height,
        viewBox=f"0 0 {WIDTH} {height:g}",
    )


def placed(*marks: Markup, x: float, y: float, width: float, height: float, class_: str | None = None) -> Markup:
    """Charts at a place; their percentages are of this width and height."""
    return mark("g", mark("svg", *marks, x=x, y=y, width=width, height=height, overflow="visible"), class_=class_)


def line(text: str, x: float, y: float, kind: str, *, end: bool = False, room: float | None = None) -> Markup:
    """A line of text, cut where it is longer than the room in px it has."""
    return mark("text", _cut(text, kind, room), class_=kind, x=x, y=y, text_anchor="end" if end else None)


def wrapped(text: str, room: float, kind: str = "said") -> list[str]:
    """A text in lines that fit."""
    lines: list[str] = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) * _letter(kind) > room and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


async def png(drawing: str) -> bytes:
    """The picture in pixels, made by a process of its own: for a quarter of a second it would stop ours.

    Raises:
        HeardError: it could not be made.
    """
    async with _one_at_a_time:
        maker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "heard.web.charts.pixels", stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        try:
            made, said = await asyncio.wait_for(maker.communicate(drawing.encode()), timeout=LONGEST)
        finally:
            if maker.returncode is None:
                maker.kill()
    if maker.returncode:
        raise HeardError(f"The picture could not be made: {said.decode(errors='replace').strip().splitlines()[-1:]}")
    return made


def _cut(text: str, kind: str, room: float | None) -> str:
    if room is None or len(text) * _letter(kind) <= room:
        return text
    return text[: max(1, int(room / _letter(kind)) - 1)].rstrip() + "…"


def _letter(kind: str) -> float:
    """About how wide a letter is, in px."""
    return {"title": 14.5, "head": 8.6}.get(kind, 7.4)
