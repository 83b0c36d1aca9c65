"""The bar of one step of a funnel."""

from __future__ import annotations

from markupsafe import Markup

from heard.web.charts.marks import mark, percent


def funnel_bar(count: int, of: int, *, held: bool = False) -> Markup:
    """How many of all that matched; those held back stand at the far end, grey."""
    share = min(1.0, count / of) if of else 0.0
    return mark(
        "svg",
        mark("rect", class_="f-track", width="100%", height="100%", rx=3),
        mark(
            "rect",
            class_="f-held" if held else "f-bar",
            x=percent(1 - share if held else 0.0),
            width=percent(share),
            height="100%",
            rx=3,
        ),
        aria_hidden="true",
    )
