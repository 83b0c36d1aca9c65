"""A list's own address: what narrows it stands in the URL, and every chip, tab and page is that URL with a change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

import msgspec

from heard.errors import Invalid
from heard.scores.window import Window, window


class Chip(msgspec.Struct, frozen=True):
    """One thing that narrows the list: `source is Website`, and the address without it."""

    name: str
    value: str
    without: str


class Narrowed:
    """The address of a page: `here(state="sent")` is the same one with another state, from its first page on."""

    def __init__(self, path: str, query: Mapping[str, str], names: tuple[str, ...]) -> None:
        """`names` are the parameters the page knows; others are dropped."""
        self.path = path
        self.query = {name: value.strip() for name in names if (value := query.get(name, "")).strip()}
        self.has_blanks = any(not value for value in query.values())  # a form sends every field, the empty ones too

    @property
    def without_blanks(self) -> str:
        return self.path + (f"?{urlencode(self.query)}" if self.query else "")

    def __call__(self, changes: Mapping[str, Any] | None = None, *, to: str | None = None, **more: Any) -> str:
        """None takes a parameter away. Whoever changes what is shown starts on the first page, with nothing open."""
        kept = {name: value for name, value in self.query.items() if name not in ("cursor", "open")}
        for name, value in {**(changes or {}), **more}.items():
            if value is None:
                kept.pop(name, None)
            else:
                kept[name] = str(value)
        return (to or self.path) + (f"?{urlencode(kept)}" if kept else "")

    def get(self, name: str) -> str | None:
        return self.query.get(name)

    def one_of(self, name: str, choices: tuple[str, ...]) -> str | None:
        """Raises Invalid when the parameter is none of these."""
        said = self.query.get(name)
        if said is not None and said not in choices:
            raise Invalid(f"{name} is one of {', '.join(choices)}, not {said!r}.", field=name)
        return said

    def number(self, name: str) -> int | None:
        """Raises Invalid when the parameter is no whole number that a database takes."""
        said = self.query.get(name)
        if said is None:
            return None
        if not (said.isascii() and said.isdecimal() and len(said) < 19):
            raise Invalid(f"{name} is a number, not {said!r}.", field=name)
        return int(said)

    def window(self) -> Window:
        """From `from` to `to`, days or moments.

        Raises:
            Invalid: with the `field` that cannot be read.
        """
        return window(self.query.get("from"), self.query.get("to"))

    def chip(self, name: str, label: str, value: str | None = None) -> Chip | None:
        """None where the parameter is not set; `value` is what it is called."""
        said = self.query.get(name)
        return Chip(label, value or said, self({name: None})) if said else None

    def chips(self, *asked: Chip | None) -> list[Chip]:
        """Those that are set, with one for the period."""
        first, last = self.query.get("from"), self.query.get("to")
        period = [
            self.chip("from", "from", _day(first)) if first else None,
            self.chip("to", "to", _day(last)) if last else None,
        ]
        return [each for each in (*asked, *period) if each is not None]


def _day(said: str) -> str:
    """ "2026-11-02" -> "2 Nov 2026"; a moment stays as it is."""
    try:
        day = date.fromisoformat(said)
    except ValueError:
        return said
    return f"{day.day} {day:%b %Y}"
