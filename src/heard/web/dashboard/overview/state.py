"""What the overview's URL says, and the URLs of everything one click away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

import msgspec

from heard.errors import Invalid
from heard.operations.overview import Question
from heard.scores.change import Against
from heard.scores.window import Window

DAY = timedelta(days=1)
PERIODS = {"30d": "Last 30 days", "90d": "Last 90 days", "12m": "Last 12 months", "all": "All answers"}
DEFAULT = "90d"
AGAINST = {
    Against.PREVIOUS: "the period before",
    Against.LAST_YEAR: "a year before",
    Against.NOTHING: "nothing",
}
NAMES = ("metric", "survey", "period", "from", "to", "compare", "every", "where", "by", "as")
AS_NOW = "now"
LONGEST = 6_000  # characters of one parameter


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters as given; "" where one is left out. `wrong` are those that could not be used, with the reason."""

    given: Mapping[str, str]
    window: Window
    period: str  # a key of PERIODS, or "" for days that somebody chose
    against: Against
    wrong: Mapping[str, str]

    def question(self) -> Question:
        said = {name: value for name, value in self.given.items() if name not in self.wrong}
        return Question(
            window=self.window,
            metric=said.get("metric") or None,
            survey=said.get("survey") or None,
            against=self.against,
            every=said.get("every") or None,
            where=said.get("where") or None,
            by=said.get("by"),
            as_of_now=said.get("as") == AS_NOW,
        )

    def to(self, **changes: str | None) -> str:
        """The query of the same page with some parameters changed, None to leave one out: "?metric=nps", or ""."""
        changed = {**self.given, **{name.rstrip("_"): value for name, value in changes.items()}}
        kept = [(name, value) for name in NAMES if (value := changed.get(name)) is not None]
        return "?" + urlencode(kept) if kept else "?"

    def hidden(self, *without: str) -> list[tuple[str, str]]:
        """What a form carries along beside its own fields."""
        return [(name, self.given[name]) for name in NAMES if name in self.given and name not in without]

    def without(self, wrong: Mapping[str, str]) -> State:
        """The same, with these found to be of no use."""
        return msgspec.structs.replace(self, wrong={**self.wrong, **wrong})

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The first and the last day, both counted."""
        begins, ends = self.window.begins, self.window.ends
        return begins.date() if begins else None, (ends - DAY).date() if ends else None


def read(query: Mapping[str, str], *, now: datetime) -> State:
    """The parameters of a URL. What cannot be used is named in `wrong`, and the default stands for it."""
    given = {name: query[name][:LONGEST] for name in NAMES if name in query}
    for name in ("metric", "survey", "period", "from", "to", "compare", "every", "where"):
        if not given.get(name, "x").strip():
            given.pop(name)
    wrong: dict[str, str] = {}
    period = given.get("period", "" if {"from", "to"} & given.keys() else DEFAULT)
    if period and period not in PERIODS:
        wrong["period"] = f"Choose one of {', '.join(PERIODS)}."
        period = DEFAULT
    if {"from", "to"} & given.keys() and given.get("period") is None:
        window = _chosen(given, wrong, now)
        period = "" if not wrong.keys() & {"from", "to"} else DEFAULT
        window = window if not period else preset(period, now)
    else:
        window = preset(period, now)
    try:
        against = Against(given.get("compare", Against.PREVIOUS))
    except ValueError:
        wrong["compare"], against = f"Choose one of {', '.join(Against)}.", Against.PREVIOUS
    return State(given=given, window=window, period=period, against=against, wrong=wrong)


def preset(period: str, now: datetime) -> Window:
    """A period that ends with today."""
    tomorrow = _midnight(now.date()) + DAY
    match period:
        case "30d":
            return Window(tomorrow - 30 * DAY, tomorrow)
        case "12m":
            return Window(tomorrow - 365 * DAY, tomorrow)
        case "all":
            return Window(None, None)
        case _:
            return Window(tomorrow - 90 * DAY, tomorrow)


def _chosen(given: Mapping[str, str], wrong: dict[str, str], now: datetime) -> Window:
    first, last = _day(given, "from", wrong), _day(given, "to", wrong)
    if first and last and first > last:
        wrong["from"] = f"Choose a day before {last:%-d %b %Y}, or a later last day."
    return Window(_midnight(first) if first else None, _midnight(last) + DAY if last else _midnight(now.date()) + DAY)


def _day(given: Mapping[str, str], name: str, wrong: dict[str, str]) -> date | None:
    if name not in given:
        return None
    try:
        found = date.fromisoformat(given[name])
        if not 1970 <= found.year < 2200:
            raise ValueError
        return found
    except ValueError:
        wrong[name] = "Write a day like 2026-08-24."
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def refused(problem: Invalid) -> dict[str, str]:
    """What the operation could not use, by parameter."""
    return {problem.field: str(problem)} if problem.field in NAMES else {}
