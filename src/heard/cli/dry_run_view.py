"""A dry run in the terminal: what would have happened beside what did, day by day, by reason, and some people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from heard.cli.show import day
from heard.deliveries.reasons import Reason

LATELY = 14  # days that are listed
OF_EACH_REASON = 2  # people that are listed
WORDS = {
    "invited": "invited",
    "declined": "declined",
    "held": "held, waiting to be identified",
    "sent": "mails sent",
    "reminded": "reminders sent",
}


def view(found: Mapping[str, Any], *, console: Console) -> None:
    since, until = (datetime.fromisoformat(found[name]) for name in ("since", "until"))
    would, did = found["would"], found["really"]
    said = f": {found['messages']:,} events of {found['people']:,} people" if did else f": {found['people']:,} people"
    console.print(Text.assemble((found["campaign"], "bold"), f", {day(since)} to {day(until)}{said}"))
    console.print()
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("would have", justify="right")
    if did:
        table.add_column("really", justify="right")
    for key, words in WORDS.items():
        if would[key] or (did and did[key]):
            table.add_row(words, f"{would[key]:,}", *([f"{did[key]:,}"] if did else []))
    for reason in [each.value for each in Reason]:
        n, real = would["reasons"].get(reason, 0), (did or {}).get("reasons", {}).get(reason, 0)
        if n or real:
            table.add_row(f"  {reason}", f"{n:,}", *([f"{real:,}"] if did else []))
    console.print(table)
    _days(would, did, console)
    _people(found, console)
    console.print()
    if did:
        console.print(_verdict(found))
        _differences(found, console)
    for sentence in found["could_not_know"]:
        console.print(Text(sentence, style="dim"))


def _days(would: Mapping[str, Any], did: Mapping[str, Any] | None, console: Console) -> None:
    invited, really = ({each["day"]: each["invited"] for each in side["by_day"]} for side in (would, did or would))
    days = sorted({*invited, *really})
    if not days:
        return
    console.print()
    table = Table(box=None, pad_edge=False)
    table.add_column("invited on" if len(days) <= LATELY else f"invited on the last {LATELY} days")
    table.add_column("would have", justify="right")
    if did:
        table.add_column("really", justify="right")
    for each in days[-LATELY:]:
        table.add_row(each, f"{invited.get(each, 0):,}", *([f"{really.get(each, 0):,}"] if did else []))
    console.print(table)


def _people(found: Mapping[str, Any], console: Console) -> None:
    if not found["sample"]:
        return
    console.print()
    console.print(Text("Some of them", style="bold"))
    listed: Counter[str] = Counter()
    for each in found["sample"]:
        listed[first := each["objections"][0]["reason"] if each["objections"] else ""] += 1
        if listed[first] > OF_EACH_REASON:
            continue
        who = each["user_id"] or (f"id:{each['contact']}" if each["contact"] else "somebody anonymous")
        said = f"invited, due {each['due_at'][:16].replace('T', ' ')}" if each["due_at"] else each["outcome"]
        reasons = ", ".join(no["reason"] for no in each["objections"])
        console.print(f"  {who}, {each['at'][:10]}: {said}{f' ({reasons})' if reasons else ''}")


def _verdict(found: Mapping[str, Any]) -> Text:
    if not found["different"]:
        return Text(f"All {found['same']:,} decisions are what was really decided.", style="bold")
    n = found["different"]
    words = f"{found['same']:,} decisions are what was really decided, {n:,} {'is' if n == 1 else 'are'} not."
    return Text(words, style="bold")


def _differences(found: Mapping[str, Any], console: Console) -> None:
    for each in found["differences"]:
        would, did = (_short(each[side]) for side in ("would", "did"))
        console.print(f"  {each['user_id'] or 'somebody anonymous'}, {each['at'][:10]}: would be {would}, was {did}")
    if found["different"] > len(found["differences"]):
        console.print(f"  and {found['different'] - len(found['differences']):,} more")


def _short(side: Mapping[str, Any] | None) -> str:
    if side is None:
        return "not decided"
    reasons = ", ".join(no["reason"] for no in side["objections"])
    return f"{side['outcome']}{f' ({reasons})' if reasons else ''}"
