"""A score in the terminal: the number with its company, then the evidence.

Colour says class and nothing else (blue promoters, grey passives, orange detractors), and a mark says the same without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from heard.cli.show import points

WIDTH = 60  # characters of the bar from -100 to 100
TREND_WIDTH = 36  # beside the numbers, on a terminal of 80 characters
LOW, HIGH = -100, 100
FEW = 10  # answers; below it a group is drawn dim
CLASSES = (
    ("promoters", "▲", "blue", (9, 10)),
    ("passives", "■", "bright_black", (7, 8)),
    ("detractors", "▼", "dark_orange", range(7)),
)


def view(report: Mapping[str, Any], *, by: str | None, without_filter: int, console: Console) -> None:
    """`without_filter`: how many answers there would be without the filter, where it leaves none."""
    console.print(Text(report["survey"], style="bold"))
    if report["where"]:
        console.print(Text(f"where {report['where']}", style="dim"))
    console.print()
    if report["n"] == 0:
        found_none = f"No answer matches this filter ({without_filter:,} without it)."
        console.print(found_none if without_filter else "No answers yet, so there is no number.")
        console.print(Text(report["window_note"], style="dim"))
        return
    console.print(_headline(report))
    for line in _bar(report["score"], report["interval"]):
        console.print(line)
    console.print()
    console.print(_classes(report))
    console.print(_distribution(report["distribution"]))
    if report["groups"]:
        console.print()
        if all(group["value"] is None for group in report["groups"]):
            console.print(f"Nobody who answered has a trait {by!r}, so there is nothing to break down.")
        else:
            console.print(_groups(report["groups"], by or "group"))
    if report["trend"]:
        console.print()
        console.print(_trend(report["trend"]))
    console.print()
    console.print(Text(report["window_note"], style="dim"))


def _headline(report: Mapping[str, Any]) -> Text:
    low, high = report["interval"]
    answers = f"{report['n']:,} answer" + ("" if report["n"] == 1 else "s")
    confidence = f"{report['confidence']:.0%}"
    return Text.assemble(
        (points(report["score"]), "bold green"), f", {answers}, {confidence} interval {points(low)} to {points(high)}"
    )


def _bar(score: float, interval: Sequence[float], width: int = WIDTH) -> list[Text]:
    """The interval on the whole scale, the score in it, the axis below."""
    low, high, at = (_column(value, width) for value in (*interval, score))
    marks = ["─"] * (width + 1)
    for column in range(low, high + 1):
        marks[column] = "━"
    marks[low], marks[high], marks[at] = "┣", "┫", "●"
    line = Text("".join(marks), style="bright_black")
    line.stylize("green", low, high + 1)
    axis = [" "] * (width + 5)
    for value in (LOW, -50, 0, 50, HIGH):
        label = points(value)
        start = max(0, _column(value, width) - len(label) // 2)
        axis[start : start + len(label)] = label
    return [line, Text("".join(axis).rstrip(), style="dim")]


def _column(value: float, width: int) -> int:
    return round((value - LOW) / (HIGH - LOW) * width)


def _classes(report: Mapping[str, Any]) -> Text:
    line = Text()
    for name, mark, style, _ in CLASSES:
        count = report["counts"].get(name, 0)
        line.append(f"{mark} {name} {count:,} ({count / report['n']:.0%})   ", style=style)
    return line


def _distribution(distribution: Mapping[str, int]) -> Table:
    """How often each value was given."""
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    most = max(distribution.values(), default=0) or 1
    for value, count in sorted(distribution.items(), key=lambda item: -float(item[0])):
        style = next((style for _, _, style, values in CLASSES if float(value) in values), "")
        bar = "█" * round(count / most * 40) or ("▏" if count else "")
        table.add_row(Text(value.rjust(2)), Text(bar, style=style), Text(f"{count:,}" if count else "", style="dim"))
    return table


def _groups(groups: Sequence[Mapping[str, Any]], by: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(by)
    for head in ("n", "score", "interval", "beside the rest"):
        table.add_column(head, justify="left" if head == "beside the rest" else "right")
    for group in groups:
        table.add_row(
            "none" if group["value"] is None else str(group["value"]),
            f"{group['n']:,}",
            _score(group),
            _interval(group),
            verdict(group["difference"], group["n"]),
            style="dim" if group["n"] < FEW else "",
        )
    return table


def verdict(difference: Mapping[str, Any] | None, n: int) -> str:
    """The verdict in words, then the evidence."""
    if difference is None:
        return "nothing to compare with"
    if n < FEW:
        return "too few answers to compare"
    low, high = difference["interval"]
    evidence = f"{points(difference['value'])}, interval {points(low)} to {points(high)}, q = {difference['q']:.3f}"
    if not difference["distinguishable"]:
        return f"could be noise ({evidence})"
    return f"{'higher' if difference['value'] > 0 else 'lower'} ({evidence})"


def _trend(trend: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("from", "n", "score", "interval"):
        table.add_column(head, justify="left" if head == "from" else "right")
    table.add_column("")
    for point in trend:
        bar = _bar(point["score"], point["interval"], TREND_WIDTH)[0] if point["score"] is not None else Text()
        table.add_row(
            point["period"],
            f"{point['n']:,}",
            _score(point),
            _interval(point),
            bar,
            style="dim" if point["n"] < FEW else "",
        )
    return table


def _score(of: Mapping[str, Any]) -> str:
    return "" if of["score"] is None else points(of["score"])


def _interval(of: Mapping[str, Any]) -> str:
    return "" if of["interval"] is None else f"{points(of['interval'][0])} to {points(of['interval'][1])}"
