"""One mark of a drawing: an SVG element, escaped."""

from __future__ import annotations

from markupsafe import Markup, escape

HATCH = "url(#hatch)"  # the pattern of low answers, in every page's sprite


def mark(tag: str, *inside: str | Markup, **attributes: str | float | None) -> Markup:
    """`mark("line", class_="c-axis", text_anchor="end", x1="50%")`; None leaves an attribute out.

    Numbers are written with two decimals at most.
    """
    written = "".join(
        f' {_name(name)}="{escape(_value(value))}"' for name, value in attributes.items() if value is not None
    )
    if not inside:
        return Markup(f"<{tag}{written}/>")  # noqa: S704 (every value is escaped above)
    return Markup(f"<{tag}{written}>{together(*inside)}</{tag}>")  # noqa: S704


def together(*marks: str | Markup) -> Markup:
    """Marks side by side; what is plain text is escaped."""
    return Markup("").join(marks)


def percent(share: float) -> str:
    """0.695 -> 69.5%"""
    return f"{_value(100 * share)}%"


def _name(name: str) -> str:
    """Attributes of SVG are written with hyphens or in camel case, never with underscores."""
    return name.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))
